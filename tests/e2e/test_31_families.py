"""Every family of doc/CLIENTS.md by hand-made messages in its exact dialect: accepted, waiting and refused, each answer checked whole."""
import base64
from urllib.parse import quote

import families
import pytest
import rawhttp
import scepmsg
from scepmsg import FAILURE, PENDING, SUCCESS

OLD = {"legacy": "sha1 des3", "obsolete": "des md5"}
# family: (settings of [scep], how the message travels)
FAMILIES = {
    "sscep": ({}, "get-lines"), "strongswan": ({}, "post-bare"), "scepclient": (OLD, "get-1.0"), "certmonger": ({}, "get"),
    "micromdm": (OLD, "get-url"), "jscep": ({}, "get-raw"), "cryptlib": ({}, "post"), "apple": ({"dialect": "apple"}, "get-raw"),
    "cisco": ({"dialect": "cisco", **OLD}, "get-1.0-lines"), "juniper": ({"dialect": "juniper", "legacy": "sha1 des3"}, "get"),
    "mikrotik": ({"legacy": "sha1 des3"}, "post"), "windows": ({"dialect": "windows"}, "post"),
    "printer": ({"dialect": "legacy"}, "post-base64"),
}
IN_ANSWER = {"cisco": 2}			# certificates; one elsewhere


def by_get(port, path, text, version="1.1", operation_first=True):
    query = f"operation=PKIOperation&message={text}" if operation_first else f"message={text}&operation=PKIOperation"
    host = "" if version == "1.0" else "Host: x\r\nConnection: close\r\n"
    return rawhttp.exchange(port, f"GET {path}?{query} HTTP/{version}\r\n{host}\r\n".encode())


def lines(text):
    return quote("".join(text[i:i + 64] + "\n" for i in range(0, len(text), 64)), safe="/")


TRAVEL = {
    "get": lambda port, path, m: by_get(port, path, quote(base64.b64encode(m).decode(), safe="")),
    "get-raw": lambda port, path, m: by_get(port, path, base64.b64encode(m).decode()),
    "get-lines": lambda port, path, m: by_get(port, path, lines(base64.b64encode(m).decode())),
    "get-url": lambda port, path, m: by_get(port, path, base64.urlsafe_b64encode(m).decode(), operation_first=False),
    "get-1.0": lambda port, path, m: by_get(port, path, quote(base64.b64encode(m).decode(), safe=""), "1.0"),
    "get-1.0-lines": lambda port, path, m: by_get(port, path + "/pkiclient.exe", lines(base64.b64encode(m).decode()), "1.0"),
    "post": lambda port, path, m: rawhttp.post(port, f"{path}?operation=PKIOperation", m),
    "post-bare": lambda port, path, m: rawhttp.post(port, f"{path}?operation=PKIOperation", m, None),
    "post-base64": lambda port, path, m: rawhttp.post(port, path, base64.encodebytes(m), "application/x-www-form-urlencoded"),
}


@pytest.fixture(scope="module")
def site(make_site):
    """A profile for each family, and one where its requests wait."""
    made = make_site()
    for name, (scep, _) in FAMILIES.items():
        made.profiles[name] = made.profile(scep=scep)
        made.profiles[f"{name}-waits"] = made.profile(scep=scep, approval={"mode": "manual"})
    made.front = made.start("lighttpd-socket")
    yield made
    made.stop()


@pytest.fixture(scope="module", params=FAMILIES)
def family(request):
    return request.param


def exchange(site, family, request, profile=None):
    answer = TRAVEL[FAMILIES[family][1]](site.front.port, f"/scep/{profile or family}", request.encode())
    assert (answer.status, answer.type) == (200, "application/x-pki-message"), f"{answer}\n{site.front.logs()[-1500:]}"
    return scepmsg.read_reply(answer.body, request, [site.authority.ra])


def make(site, family, secret):
    return getattr(families, family)(scepmsg.Device.shared(f"family-{family}").key, site.authority.ra, secret)


def test_enrols(site, family):
    request = make(site, family, site.challenge(profile=family))
    reply = exchange(site, family, request)
    assert reply.status == SUCCESS, f"{reply}\n{site.front.logs()[-1500:]}"
    assert (reply.digest, reply.cipher) == (request.digest, request.cipher)
    scepmsg.check_issued(reply.certs[0], site.authority.ca, request)
    assert reply.certs[1:] == [site.authority.ca][:IN_ANSWER.get(family, 1) - 1]
    again = exchange(site, family, request.but(nonce=request.nonce[::-1]))		# as certmonger and micromdm poll
    assert again.certs == reply.certs


def test_is_refused_in_its_form(site, family):
    reply = exchange(site, family, make(site, family, "wrong"))
    assert (reply.status, reply.fail_info) == (FAILURE, scepmsg.BAD_REQUEST)
    assert reply.empty_content == (family != "cryptlib")


def test_waits_in_its_form(site, family):
    request = make(site, family, site.challenge(profile=f"{family}-waits"))
    reply = exchange(site, family, request, f"{family}-waits")
    assert reply.status == PENDING and reply.empty_content == (family != "cryptlib"), f"{reply}\n{site.front.logs()[-1500:]}"
    row = next(r for r in site.json("request", "list") if r["profile"] == f"{family}-waits")
    site.run("request", "approve", row["id"])
    reply = exchange(site, family, request, f"{family}-waits")
    assert reply.status == SUCCESS
    scepmsg.check_issued(reply.certs[0], site.authority.ca, request)


def test_subject_stays_as_it_is(site):
    """Without its serialNumber and unstructuredName a router does not find its certificate in the answer."""
    reply = exchange(site, "cisco", make(site, "cisco", site.challenge(profile="cisco")))
    names = {a.oid.dotted_string: a.value for a in reply.cert.subject}
    assert names == {"2.5.4.5": "FTX1234A5BC", "1.2.840.113549.1.9.2": "router.example"}


def test_names_by_microsoft_s_attribute(site):
    reply = exchange(site, "windows", make(site, "windows", site.challenge(profile="windows")))
    san = reply.cert.extensions.get_extension_for_class(scepmsg.x509.SubjectAlternativeName).value
    assert san.get_values_for_type(scepmsg.x509.DNSName) == ["pc.example"]


def test_windows_elsewhere_is_told_what_to_set(site):
    """The default profile holds the signer's key to be the certified one."""
    request = families.windows(scepmsg.Device.shared("family-windows").key, site.authority.ra, site.challenge())
    answer = TRAVEL["post"](site.front.port, "/scep", request.encode())
    assert scepmsg.read_reply(answer.body, request, [site.authority.ra]).status == FAILURE
    assert "need 'signer_key = any' in [enrol]" in site.front.logs()


def test_rsa_oaep(site):
    """Windows, unless it is set to PKCS#1 v1.5: the device reads badAlg, the operator what to change."""
    key = scepmsg.Device.shared("family-windows").key
    request = families.windows(key, site.authority.ra, "x", cipher="aes256")
    request.content = families.envelope(request.plain, site.authority.ra, "aes256", transport="1.2.840.113549.1.1.7", parameters=b"\x30\x00")
    reply = exchange(site, "windows", request)
    assert (reply.status, reply.fail_info) == (FAILURE, scepmsg.BAD_ALG)
    assert "err=alg" in site.front.logs()
    assert "RSA-OAEP key transport is not supported: the client has to use PKCS#1 v1.5 (rsaEncryption)" in site.front.logs()


def test_cryptlib_with_an_ec_key(site):
    """signatureAlgorithm id-ecPublicKey; answered under its challenge."""
    device = scepmsg.Device("family-ec", curve=scepmsg.ec.SECP256R1())
    nonce = scepmsg.attribute(scepmsg.RANDOM_NONCE, families.der.tlv(4, b"n" * 16))
    secret = site.challenge(profile="cryptlib")
    request = device.request([site.authority.ra], secret, signature_oid=scepmsg.EC_KEY, extra=(nonce,))
    assert exchange(site, "cryptlib", request).status == SUCCESS


@pytest.mark.parametrize("query", ["GetCACert&message=0", "GetCACert&message=DummyCAIdentity", "GetCACert&message=CAIdentifier",
                                   "GetCACaps&message=", "GetCACert&message=Office%20CA", "GetCACaps"])
def test_what_they_ask_first(site, family, query):
    answer = rawhttp.exchange(site.front.port, f"GET /scep/{family}?operation={query} HTTP/1.0\r\n\r\n".encode())
    assert answer.status == 200
    assert answer.type in ("text/plain", "application/x-x509-ca-ra-cert")		# compared whole by some: no parameters
    assert len(answer.body) < 1024 or "GetCACert" in query


def test_museum_pieces_only_in_their_profile(site):
    for name in ("scepclient", "micromdm", "cisco", "juniper", "mikrotik"):
        request = make(site, name, site.challenge())
        answer = TRAVEL["post"](site.front.port, "/scep", request.encode())
        reply = scepmsg.read_reply(answer.body, request, [site.authority.ra])
        assert (reply.status, reply.fail_info) == (FAILURE, scepmsg.BAD_ALG), name
