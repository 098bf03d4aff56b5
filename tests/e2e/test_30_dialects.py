"""The dialects of a profile and their single switches, each against a real server: what is announced, what is accepted, what refused."""
import base64
from urllib.parse import quote

import der
import pytest
import rawhttp
import scepmsg
from frontends import FRONT_ENDS
from scepmsg import BAD_REQUEST

PROFILES = {
    "strict": {"dialect": "strict"}, "apple": {"dialect": "apple"}, "juniper": {"dialect": "juniper"}, "cisco": {"dialect": "cisco"},
    "windows": {"dialect": "windows"}, "legacy": {"dialect": "legacy"}, "identified": {"ca_identifier": "OFFICE Office%20CA"},
    "bent": {"dialect": "strict", "tolerate": "nonce base64-post case", "get": "yes", "empty_content": "empty"},
    "hidden": {"hide_caps": "Renewal SHA-512", "ca_order": "ca-first"},
}


@pytest.fixture(scope="module")
def of(make_site, client_of):
    """of(profile): a client of that profile."""
    site = make_site()
    site.profiles |= {name: site.profile(scep=scep) for name, scep in PROFILES.items()}
    site.profiles["windows"]["profile"] = {"paths": "/certsrv/mscep/mscep.dll"}
    front = site.start("lighttpd-socket", more_paths=True)
    yield lambda name: client_of(site, front, f"/scep/{name}", name)
    site.stop()


def caps(client):
    return client.get("operation=GetCACaps").body.decode().split("\n")[:-1]


def certs(client):
    return scepmsg.read_certs_only(client.get("operation=GetCACert").body)


def by_get(client, request, text=None):
    return client.get("operation=PKIOperation&message=" + (text or quote(base64.b64encode(request.encode()).decode(), safe="")))


# --- what is announced ---

def test_capabilities_by_dialect(of):
    usual = caps(of("default"))
    assert {"POSTPKIOperation", "Renewal", "SCEPStandard"} <= set(usual)
    for name in ("strict", "apple", "cisco", "windows"):
        assert caps(of(name)) == usual
    assert caps(of("juniper")) == [c for c in usual if c not in ("POSTPKIOperation", "SCEPStandard")]
    assert caps(of("legacy")) == [c for c in usual if c not in ("Renewal", "SCEPStandard")]
    assert caps(of("hidden")) == [c for c in usual if c not in ("Renewal", "SHA-512")]


def test_what_is_hidden_is_served(of):
    of("hidden").enrol(digest="sha512")
    of("juniper").enrol()


def test_order_of_certificates(of):
    site = of("default").site
    ra, ca = site.authority.ra, site.authority.ca
    assert certs(of("default")) == certs(of("windows")) == certs(of("apple")) == [ra, ca]
    assert certs(of("hidden")) == [ca, ra]


@pytest.fixture(scope="module")
def below(make_site, client_of, place, programs):
    """A CA below a root, answering itself."""
    site = make_site("rsa:2048", "--scep-peer")
    root_key = scepmsg.new_key()
    root = chain_certificate("Root", root_key, "Root", root_key)
    sub_key = scepmsg.serialization.load_pem_private_key(site.authority.ca_key.read_bytes(), None)
    sub = chain_certificate("Sub", sub_key, "Root", root_key)
    write_pem(site.folder / "root.pem", root)
    write_pem(site.folder / "sub.pem", sub)
    ca = {"certificate": site.folder / "sub.pem", "key": site.authority.ca_key, "chain": site.folder / "root.pem"}
    site.profiles["default"] = site.profile(ra=None, ca=ca)
    site.profiles["apple"] = site.profile(ra=None, ca=ca, scep={"dialect": "apple"})
    site.profiles["cisco"] = site.profile(ra=None, ca=ca, scep={"dialect": "cisco"})
    front = site.start("lighttpd-socket")
    yield site, lambda name: client_of(site, front, f"/scep/{name}", name), sub, root
    site.stop()


def write_pem(path, data):
    path.write_bytes(b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(data) + b"-----END CERTIFICATE-----\n")
    path.chmod(0o644)


def chain_certificate(subject, key, issuer, issuer_key):
    import datetime
    x509 = scepmsg.x509
    now = datetime.datetime.utcnow()
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, n)]) for n in (subject, issuer)]
    b = x509.CertificateBuilder().subject_name(names[0]).issuer_name(names[1]).public_key(key.public_key())
    b = b.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
    b = b.not_valid_after(now + datetime.timedelta(days=3000)).add_extension(x509.BasicConstraints(True, None), True)
    b = b.add_extension(x509.KeyUsage(True, False, True, False, False, True, True, False, False), True)
    b = b.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    return b.sign(issuer_key, scepmsg.hashes.SHA256()).public_bytes(scepmsg.serialization.Encoding.DER)


def test_an_intermediate_ca_that_answers_itself(below):
    """As PKCS#7 for most (P-37); alone where a second certificate is not understood."""
    site, of, sub, root = below
    answer = of("default").get("operation=GetCACert")
    assert answer.type == "application/x-x509-ca-ra-cert" and scepmsg.read_certs_only(answer.body) == [sub, root]
    answer = of("apple").get("operation=GetCACert")
    assert (answer.type, answer.body) == ("application/x-x509-ca-cert", sub)


@pytest.mark.parametrize("profile,n", [("default", 1), ("cisco", 3)])
def test_chain_in_the_answer(below, profile, n):
    site, of, sub, root = below
    client = of(profile)
    client.to = client.trusted = [sub]
    request = client.request()
    reply = client.send(request)
    scepmsg.check_issued(reply.certs[0], sub, request)
    assert reply.certs[1:] == [sub, root][:n - 1]


# --- CA identifiers ---

@pytest.mark.parametrize("message,status", [
    ("OFFICE", 200), ("Office%20CA", 200), ("", 200), (None, 200), ("office", 404), ("CAIdentifier", 404), ("0", 404), ("%zz", 404)])
@pytest.mark.parametrize("operation", ["GetCACaps", "GetCACert"])
def test_ca_identifier(of, operation, message, status):
    query = f"operation={operation}" + ("" if message is None else f"&message={message}")
    assert of("identified").get(query).status == status
    assert of("default").get(query).status == 200


# --- strict, and its switches ---

@pytest.mark.parametrize("query", ["operation=getcacaps", "operation=GETCACERT", "operation=pkioperation"])
def test_strict_operation_names(of, query):
    assert of("strict").get(query).status == 400
    assert of("bent").get(query).status == (400 if "pki" in query else 200)


def test_strict_enrols(of):
    of("strict").enrol()
    of("strict").enrol(ber=True)


def test_strict_refuses_get(of):
    answer = by_get(of("strict"), of("strict").request())
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    request = of("bent").request()
    assert scepmsg.read_reply(by_get(of("bent"), request).body, request, of("bent").trusted).status == scepmsg.SUCCESS


@pytest.mark.parametrize("mangle", [lambda t: t, lambda t: t.rstrip("="), lambda t: t.replace("+", "%20"), lambda t: t + "%0A",
                                    lambda t: t.replace("+", "-").replace("/", "_")])
def test_mangled_base64_is_tolerance(of, mangle):
    requests = (of("bent").request(challenge="x", txid=n * "x").encode() for n in range(1, 200))	# of every length
    texts = (base64.b64encode(request).decode() for request in requests)
    text = next(t for t in texts if t.endswith("=") and "+" in t and "/" in t)
    ok = mangle(text) == text
    assert by_get(of("bent"), None, mangle(text)).status == (200 if ok else 400)
    assert by_get(of("default"), None, mangle(text)).status == 200


@pytest.mark.parametrize("content_type,status", [("application/x-pki-message", 200), ("Application/X-PKI-Message; x=y", 200),
                                                 ("application/octet-stream", 415), ("", 415), (None, 415)])
def test_strict_content_type(of, content_type, status):
    body = of("strict").request(challenge="x").encode()
    assert of("strict").post_raw(body, content_type=content_type).status == status
    assert of("default").post_raw(body, content_type=content_type).status == 200


def test_strict_needs_the_operation(of):
    body = of("strict").request(challenge="x").encode()
    assert rawhttp.post(of("strict").front.port, "/scep/strict", body).status == 400
    assert rawhttp.post(of("strict").front.port, "/scep/default", body).status == 200


@pytest.mark.parametrize("changes", [dict(nonce=b"12345678"), dict(nonce=bytes(17)), dict(txid_tag=der.UTF8), dict(txid_tag=der.IA5), dict(sort=False)],
                         ids=["short-nonce", "long-nonce", "utf8", "ia5", "unsorted"])
def test_strict_attributes(of, changes):
    strict = of("strict")
    request = strict.request(**changes)
    reply = strict.send(request)
    assert (reply.status, reply.fail_info, reply.empty_content) == (scepmsg.FAILURE, BAD_REQUEST, False)
    assert "RFC 8894" in reply.fail_text
    of("default").enrol(of("default").request(**changes))
    if "nonce" in changes:
        of("bent").enrol(of("bent").request(**changes))


def test_show_agrees(of):
    site = of("strict").site
    path = site.folder / "shown.der"
    path.write_bytes(of("strict").request(sort=False).encode())
    path.chmod(0o644)
    assert "not in DER order" in site.run("show", path, "--profile", "strict", ini=site.ini, check=False).stdout
    assert "SUCCESS" in site.run("show", path, "--profile", "default", ini=site.ini, check=False).stdout


def test_refusals_are_in_the_trail(of):
    client = of("strict")
    request = client.request(sort=False, txid="trail-of-strict")
    client.send(request)
    rows = client.site.execute("SELECT reason, detail FROM scep.audit WHERE txid = 'trail-of-strict'")
    assert rows == [("strict", "the signed attributes are not in DER order ('unsorted' in [scep] tolerate)")]


# --- text by POST ---

SPELLINGS = {
    "one-line": lambda m: base64.b64encode(m),
    "lines": lambda m: base64.encodebytes(m),
    "crlf": lambda m: base64.encodebytes(m).replace(b"\n", b"\r\n"),
    "pem": lambda m: b"-----BEGIN PKCS7-----\n" + base64.encodebytes(m) + b"-----END PKCS7-----\n",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("profile,ok", [("legacy", True), ("bent", True), ("default", False), ("strict", False)])
def test_base64_by_post(of, profile, ok, spelling):
    client = of(profile)
    request = client.request()
    answer = client.post_raw(SPELLINGS[spelling](request.encode()))
    if not ok:
        assert answer.status == 400
        return
    assert scepmsg.read_reply(answer.body, request, client.trusted).status == scepmsg.SUCCESS


# --- paths ---

@pytest.fixture(scope="module", params=list(FRONT_ENDS))
def taken_over(request, make_site, client_of):
    site = make_site()
    site.profiles["default"] = site.profile(profile={"paths": "/certsrv/mscep/mscep.dll"})
    yield client_of(site, site.start(request.param, more_paths=True), "/certsrv/mscep/mscep.dll")
    site.stop()


def test_path_of_another_product(taken_over):
    assert scepmsg.read_certs_only(taken_over.get("operation=GetCACert").body)[0] == taken_over.site.authority.ra
    taken_over.enrol()


def test_http_1_0_without_host(taken_over):
    """Nothing but the request line, as strongSwan's scepclient and Cisco send it; the server closes."""
    request = taken_over.request()
    text = quote(base64.b64encode(request.encode()).decode(), safe="")
    answer = rawhttp.exchange(taken_over.front.port, f"GET /scep?operation=PKIOperation&message={text} HTTP/1.0\r\n\r\n".encode())
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert scepmsg.read_reply(answer.body, request, taken_over.trusted).status == scepmsg.SUCCESS
    body = taken_over.request().encode()
    answer = rawhttp.exchange(taken_over.front.port, b"POST /scep?operation=PKIOperation HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert answer.status == 200 and answer.type == "application/x-pki-message"


@pytest.mark.parametrize("client", ["strongswan-pki", "certmonger", "scepter"])
def test_real_clients_at_that_path(make_site, client_of, client):
    from clients import CLIENTS
    from processes import new_folder
    site = make_site()
    site.profiles["default"] = site.profile(profile={"paths": "/certsrv/mscep/mscep.dll"}, scep={"dialect": "windows"})
    front = site.start("lighttpd-socket", more_paths=True)
    url = f"http://127.0.0.1:{front.port}/certsrv/mscep/mscep.dll"
    cert = CLIENTS[client](site, url, new_folder("client-", site.folder), site.challenge(), f"ndes-{client}")
    assert f"ndes-{client}" in scepmsg.x509.load_der_x509_certificate(cert).subject.rfc4514_string()
    site.stop()


def test_strongswan_needs_one_tolerance(make_site):
    from clients import CLIENTS
    from processes import new_folder
    site = make_site()
    site.profiles["strict"] = site.profile(scep={"dialect": "strict"})
    site.profiles["but"] = site.profile(scep={"dialect": "strict", "tolerate": "content-type"})
    front = site.start("lighttpd-socket")
    for profile, fails in (("strict", True), ("but", False)):
        try:
            CLIENTS["strongswan-pki"](site, f"{front.url}/{profile}", new_folder("c-", site.folder), site.challenge(profile=profile), profile)
            assert not fails
        except AssertionError:
            assert fails and "err=media" in front.logs(), front.logs()[-1500:]
    site.stop()


def test_paths_are_exact(of):
    port = of("windows").front.port
    assert rawhttp.get(port, "/certsrv/mscep/mscep.dll?operation=GetCACaps").status == 200
    for path in ("/certsrv/mscep/mscep.dll/", "/certsrv/mscep/mscep.dll/x", "/certsrv/mscep/MSCEP.dll"):
        assert rawhttp.get(port, f"{path}?operation=GetCACaps").status == 404


def test_a_path_of_two_profiles(site):
    for name in ("default", "other"):
        site.profiles[name] = site.profile(profile={"paths": "/x"})
    site.write()
    from processes import run
    done = run(site.fcgi, "--check", "--conf", site.ini, check=False)
    assert done.returncode == 1 and "'/x' is a path of profile 'default' already" in done.stdout + done.stderr
