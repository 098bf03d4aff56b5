"""Client certificates at /scep-mtls: through every web server of conf/ from the very files, with real TLS clients."""
import base64
import json
import re
import signal
import subprocess
import time
from types import SimpleNamespace
from urllib.parse import quote

import der
import pytest
import rawhttp
import scepmsg
from clientcerts import ClientCa, ExtendedKeyUsageOID, Holder, x509
from frontends import FRONT_ENDS
from processes import new_folder, wait_for, write
from scepmsg import BAD_REQUEST, Device
from windows import hour

CAPS = "operation=GetCACaps"


@pytest.fixture(scope="module")
def cas(place):
    """Three trees; `a` has an intermediate, `c` is trusted by no profile."""
    folder = new_folder("client-cas-", place)
    made = SimpleNamespace(folder=folder, a=ClientCa(folder, "Root A"), b=ClientCa(folder, "Root B"), c=ClientCa(folder, "Root C"))
    made.below = ClientCa(folder, "Issuing A", parent=made.a)
    made.good, made.of_b, made.of_c = (ca.issue(f"good-{ca.label[-1]}") for ca in (made.a, made.b, made.c))
    made.through = made.below.issue("through")
    made.expired, made.early = made.a.issue("expired", -10, -1), made.a.issue("early", 1, 10)
    made.thief = made.a.issue("thief")
    made.a.revoke(made.thief)
    made.server = made.a.issue("server", purposes=(ExtendedKeyUsageOID.SERVER_AUTH,))
    made.aimless = made.a.issue("aimless", purposes=())
    made.all = b"".join(ca.pem for ca in (made.a, made.below, made.b))
    return made


def trust(site, cas, *which, **settings):
    """[client_certificate] that trusts these."""
    label = re.sub(r"\W", "", "-".join(ca.label for ca in which))
    return {"trust": write(site.folder / f"trust-{label}.pem", b"".join(ca.pem for ca in which)), **settings}


def make(make_site, cas):
    site = make_site()
    crl = write(site.folder / "crls.pem", cas.a.crl() + cas.below.crl())
    stale = write(site.folder / "stale.pem", cas.a.crl(days=-1))

    def profile(name, certificate, **sections):
        site.profiles[name] = site.profile(client_certificate=certificate, **sections)
    profile("default", trust(site, cas, cas.a, cas.below, crl=crl))
    profile("b", trust(site, cas, cas.b))
    profile("free", trust(site, cas, cas.a, challenge="not-with-client-cert", bind="cn"), enrol={"one_time_challenge": "no"})
    site.profiles["none"] = site.profile()
    return SimpleNamespace(site=site, profile=profile, crl=crl, stale=stale)


@pytest.fixture(scope="module", params=list(FRONT_ENDS))
def front(request, make_site, cas):
    made = make(make_site, cas)
    front = made.site.start(request.param, client_cas=cas.all)
    front.kind = request.param
    yield front
    made.site.stop()


def get(front, path, holder=None, query=CAPS, **how):
    return rawhttp.get(front.tls_port, f"{path}?{query}", tls=holder.context if holder else True, **how)


def why(front):
    """The last sentence of the log."""
    return re.findall(r'why="([^"]*)"', front.logs())[-1]


def refused(front, sentence, answer):
    assert answer.status == 401, f"{answer.raw}\n{front.logs()[-2000:]}"
    assert answer.headers["www-authenticate"].startswith("TLS-Client-Certificate")
    assert b"a trusted client certificate is needed" in answer.body
    assert sentence in why(front), front.logs()[-2000:]


# --- through each web server ---

@pytest.mark.parametrize("path", ["/scep-mtls", "/scep-mtls/default", "/scep-mtls/default/pkiclient.exe", "/scep-mtls/pkiclient.exe"])
def test_good(front, cas, path):
    answer = get(front, path, cas.good)
    assert answer.status == 200 and b"SCEPStandard" in answer.body, front.logs()[-2000:]


def test_good_through_an_intermediate(front, cas):
    """The client sends its own certificate alone; the CA above it is in the profile's bundle."""
    assert get(front, "/scep-mtls", cas.through).status == 200, front.logs()[-2000:]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_curl(front, cas, version):
    out = subprocess.run(["curl", "-sSk", "-o", "/dev/null", "-w", "%{http_code}", f"--tlsv{version}", "--tls-max", version, "--cert", cas.good.cert_file,
                          "--key", cas.good.key_file, f"https://localhost:{front.tls_port}/scep-mtls?{CAPS}"], capture_output=True, text=True)
    assert out.stdout == "200", out.stderr + front.logs()[-2000:]


def test_openssl(front, cas):
    request = f"GET /scep-mtls?{CAPS} HTTP/1.0\r\n\r\n"
    out = subprocess.run(["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{front.tls_port}", "-cert", cas.good.cert_file, "-key",
                          cas.good.key_file, "-ign_eof"], input=request.encode(), capture_output=True, timeout=120)
    assert b" 200 " in out.stdout.split(b"\r\n")[0], out.stdout + out.stderr


def test_missing(front):
    refused(front, "no client certificate in SSL_CLIENT_CERT", get(front, "/scep-mtls"))
    refused(front, "no client certificate in SSL_CLIENT_CERT", get(front, "/scep-mtls", query="operation=GetCACert"))
    refused(front, "no client certificate", rawhttp.post(front.tls_port, "/scep-mtls?operation=PKIOperation", b"x", tls=True))


def test_plain_http(front):
    answer = rawhttp.get(front.port, f"/scep-mtls?{CAPS}")
    refused(front, "no client certificate in SSL_CLIENT_CERT", answer)


def test_wrong_ca(front, cas):
    sentence = "no client certificate" if "lighttpd" in front.kind or front.kind == "cgi" else "not by a CA that this profile trusts, but by 'CN=Root C"
    refused(front, sentence, get(front, "/scep-mtls", cas.of_c))


def test_good_elsewhere(front, cas):
    refused(front, "not by a CA that this profile trusts, but by 'CN=Root A", get(front, "/scep-mtls/b", cas.good))
    refused(front, "not by a CA that this profile trusts, but by 'CN=Root B", get(front, "/scep-mtls", cas.of_b))
    assert get(front, "/scep-mtls/b", cas.of_b).status == 200


@pytest.mark.parametrize("holder", ["expired", "early", "server"])
def test_what_web_servers_refuse_themselves(front, cas, holder):
    """Apache cuts it off, nginx answers 400, lighttpd leaves it to the responder, which gets no certificate: good for nothing anywhere."""
    try:
        status = get(front, "/scep-mtls", getattr(cas, holder)).status
    except OSError:
        status = "cut off"
    expected = {"mod_fcgid": "cut off", "mod_proxy_fcgi": "cut off", "nginx": 400}.get(front.kind, 401)
    assert status == expected, front.logs()[-2000:]


def test_revoked(front, cas):
    refused(front, "it is revoked by 'CN=Root A,O=Example'", get(front, "/scep-mtls", cas.thief))


def test_no_profile_and_no_trust(front, cas):
    assert get(front, "/scep-mtls/nowhere", cas.good).status == 404
    assert get(front, "/scep-mtls/none", cas.good).status == 404
    assert "takes no client certificates" in why(front)


def test_only(front, cas):
    """What is public is given out at base_path; a request is not taken there, whatever certificate comes with it."""
    for path in ("/scep", "/cgi-bin/pkiclient.exe"):
        assert get(front, path).status == 200 and get(front, path, query="operation=GetCACert").status == 200
        answer = rawhttp.post(front.tls_port, f"{path}?operation=PKIOperation", b"x", tls=cas.good.context)
        refused(front, "taken below /scep-mtls only", answer)
    assert get(front, "/scep/default/crl", query="").status == 200


HOSTILE = ["SSL_CLIENT_CERT: {}", "SSL-Client-Cert: {}", "Ssl-Client-Verify: SUCCESS\r\nSSL-Client-Cert: {}", "HTTP_SSL_CLIENT_CERT: {}",
           "X-SSL-Client-Cert: {}", "Client-Cert: :{}:", "REDIRECT_SSL_CLIENT_CERT: {}", "X-Forwarded-Client-Cert: {}"]


@pytest.mark.parametrize("header", HOSTILE)
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_headers_are_nothing(front, cas, header, tls):
    """Nobody is let in by what a request says of itself."""
    for text in (base64.b64encode(cas.good.cert).decode(), quote(cas.good.pem.decode())):
        headers = header.format(text).split("\r\n")
        answer = rawhttp.get(front.tls_port if tls else front.port, f"/scep-mtls?{CAPS}", tls=tls, headers=headers)
        refused(front, "no client certificate in SSL_CLIENT_CERT", answer)
        # nor does it take the place of the right one
        answer = rawhttp.get(front.tls_port, f"/scep-mtls/b?{CAPS}", tls=cas.of_b.context, headers=headers)
        assert answer.status == 200, front.logs()[-2000:]


def client_for(client_of, site, front, holder, name="default"):
    """Posts by TLS with this certificate."""
    client = client_of(site, front, f"/scep-mtls/{name}", name)
    client.post_raw = lambda body, **how: rawhttp.post(front.tls_port, f"{client.path}?operation=PKIOperation", body, tls=holder.context, **how)
    return client


def test_enrol_with_a_challenge(front, client_of, cas):
    client = client_for(client_of, front.site, front, cas.good)
    reply = client.enrol(device=Device(f"with-{front.kind}"))
    shown = str(front.site.json("cert", "show", f"{reply.cert.serial_number:032x}"))
    assert f"one-time challenge with TLS certificate 'CN=good-A,O=Example', serial {cas.good.x509.serial_number:x} from 127.0.0.1" in shown, shown
    client.refused(client.request(challenge=None), BAD_REQUEST)
    client.refused(client.request(challenge="wrong"), BAD_REQUEST)


def test_enrol_without_a_challenge(front, client_of, cas):
    client = client_for(client_of, front.site, front, cas.good, "free")
    reply = client.enrol(device=Device(cas.good.label), challenge=None)
    assert "client certificate with TLS certificate 'CN=good-A" in str(front.site.json("cert", "show", f"{reply.cert.serial_number:032x}"))
    # a challenge that is wrong is wrong all the same
    client.refused(client.request(device=Device(cas.good.label), challenge="wrong"), BAD_REQUEST)
    client.refused(client.request(device=Device("another"), challenge=None), BAD_REQUEST)


# --- what the responder makes of it: through nginx, which hands over whatever the client has shown ---

@pytest.fixture(scope="module")
def world(make_site, cas):
    made = make(make_site, cas)
    site, profile = made.site, made.profile
    for word in ("subject", "cn", "serial_number", "san", "key"):
        profile(f"bind-{word}".replace("_", "-"), trust(site, cas, cas.a, challenge="not-with-client-cert", bind=word))
    profile("bind-two", trust(site, cas, cas.a, challenge="not-with-client-cert", bind="cn san"))
    profile("any", trust(site, cas, cas.a, extended_key_usage="any"))
    profile("stale", trust(site, cas, cas.a, crl=made.stale))
    profile("open", trust(site, cas, cas.a, only="no", challenge="not-with-client-cert", bind="cn"))
    profile("leaf", trust(site, cas, cas.below))
    profile("top", trust(site, cas, cas.a))
    profile("blind", trust(site, cas, cas.a, cas.below, crl=write(site.folder / "one.pem", cas.a.crl())))
    own = write(site.folder / "own.pem", cas.a.pem + site.authority.ca_cert.read_bytes())
    profile("own", {"trust": own, "challenge": "not-with-client-cert", "bind": "subject", "extended_key_usage": "any"})
    profile("wait", trust(site, cas, cas.a, bind="cn"), approval={"mode": "manual"}, enrol={"one_time_challenge": "no"})
    profile("light", trust(site, cas, cas.a, challenge="not-with-client-cert", bind="cn"), scep={"raw_csr": "yes"})
    profile("templates", trust(site, cas, cas.a, challenge="not-with-client-cert"), subject={
        "template": "CN=${tls.cn},serialNumber=${tls.serial_number:-none},O=${tls.o},OU=${tls.serial}"}, san={"template": "dns:${tls.dns:-none.example}"})
    told = write(site.folder / "told.sh", f"#!/bin/sh\ncat >{site.folder}/told.json\necho '{{\"decision\": \"allow\"}}'\n", 0o755)
    profile("few", trust(site, cas, cas.a), limits={"per_source": f"2/{hour()}s"})
    profile("command", trust(site, cas, cas.a, bind="cn"), command={"path": told})
    front = site.start("nginx", client_cas=cas.all)
    yield SimpleNamespace(site=site, front=front, **{k: v for k, v in vars(made).items() if k != "site"})
    site.stop()


@pytest.fixture
def client(world, client_of):
    return lambda name, holder: client_for(client_of, world.site, world.front, holder, name)


def test_only_no(world, client_of, cas):
    """Elsewhere by challenge, at mtls_path by certificate."""
    front = world.front
    elsewhere = client_of(world.site, front, "/scep/open", "open")
    elsewhere.enrol(device=Device("anybody"))
    elsewhere.refused(elsewhere.request(device=Device("anybody"), challenge=None), BAD_REQUEST)
    client_for(client_of, world.site, front, cas.good, "open").enrol(device=Device(cas.good.label), challenge=None)


@pytest.mark.parametrize("holder, profile, sentence", [
    ("aimless", "default", "the client certificate is not for clientAuth"),
    ("good", "stale", "the CRL of 'CN=Root A,O=Example' is out of date since"),
    ("through", "blind", "crl has no CRL of 'CN=Issuing A,O=Example'"),
    ("through", "top", "not by a CA that this profile trusts, but by 'CN=Issuing A"),
    ("good", "leaf", "not by a CA that this profile trusts, but by 'CN=Root A"),
])
def test_rules(world, cas, holder, profile, sentence):
    refused(world.front, sentence, get(world.front, f"/scep-mtls/{profile}", getattr(cas, holder)))


def test_turned_away_is_audited_and_limited(world, cas):
    """Who asks for a certificate without a good one has a row that names the rule, as often as [limits] let it; who only looks has a line in the log."""
    def rows():
        return world.site.execute("SELECT kind, reason, detail FROM scep.audit WHERE profile = 'few' AND actor = '127.0.0.1' ORDER BY at")

    def post(holder, path="/scep-mtls/few"):
        return rawhttp.post(world.front.tls_port, f"{path}?operation=PKIOperation", b"x", tls=holder.context if holder else True)
    refused(world.front, "not by a CA that this profile trusts", get(world.front, "/scep-mtls/few", cas.of_b))
    assert rows() == []
    refused(world.front, "not by a CA that this profile trusts", post(cas.of_b))
    refused(world.front, "taken below /scep-mtls only", post(cas.good, "/scep/few"))
    assert [row[:2] for row in rows()] == [("refuse", "tls_cert")] * 2
    assert all(row[2].startswith("client certificate: ") for row in rows()) and "not by a CA that this profile trusts" in rows()[0][2]
    for _ in range(3):
        answer = post(None)
        assert answer.status == 429 and int(answer.headers["retry-after"]) > 0
    assert [row[0] for row in rows()] == ["refuse", "refuse", "throttle"]


@pytest.mark.parametrize("holder, profile", [("aimless", "any"), ("through", "leaf"), ("through", "default")])
def test_rules_that_are_met(world, cas, holder, profile):
    assert get(world.front, f"/scep-mtls/{profile}", getattr(cas, holder)).status == 200, world.front.logs()[-1500:]


def bound_refused(world, client, request, word):
    reply = client.refused(request, BAD_REQUEST)
    rows = world.site.execute("SELECT reason, detail FROM scep.audit WHERE kind = 'refuse' AND txid = %s", request.txid)
    assert [r[0] for r in rows] == ["client_cert"] and f"'bind = {word}'" in rows[0][1] and rows[0][1].startswith("client certificate: "), rows
    return reply


def subject(*pairs):
    return der.seq(*(der.set_of(der.seq(der.oid(dotted), der.tlv(der.PRINTABLE if dotted == "2.5.4.5" else der.UTF8, text.encode())))
                     for dotted, text in pairs))


O, CN, SERIAL_NUMBER = "2.5.4.10", "2.5.4.3", "2.5.4.5"


def asking(client, device, key=None, **how):
    """A request for a subject of one's own making."""
    plain = scepmsg.csr(key or device.key, how.pop("common_name", device.label), **{k: how.pop(k) for k in ("subject", "dns") if k in how})
    return client.request(device=device, challenge=None, plain=plain, **how)


def test_bind_subject(world, client, cas):
    c = client("bind-subject", cas.good)
    c.enrol(asking(c, Device(cas.good.label)))
    bound_refused(world, c, asking(c, Device("other")), "subject")
    bound_refused(world, c, asking(c, Device("other"), subject=subject((CN, cas.good.label))), "subject")


def test_bind_cn(world, client, cas):
    c = client("bind-cn", cas.good)
    c.enrol(asking(c, Device("x"), subject=subject((O, "Elsewhere"), (CN, cas.good.label))))
    bound_refused(world, c, asking(c, Device("other")), "cn")
    bound_refused(world, c, asking(c, Device("x"), subject=subject((O, "Example"))), "cn")
    # a second common name goes into the certificate as well
    bound_refused(world, c, asking(c, Device("x"), subject=subject((CN, cas.good.label), (CN, "victim"))), "cn")
    bound_refused(world, c, asking(c, Device("x"), subject=subject((CN, "victim"), (CN, cas.good.label))), "cn")


def test_bind_serial_number(world, client, cas):
    c = client("bind-serial-number", cas.a.issue("numbered", serial_number="FCZ1234"))
    c.enrol(asking(c, Device("x"), subject=subject((SERIAL_NUMBER, "FCZ1234"), (CN, "any name"))))
    bound_refused(world, c, asking(c, Device("x"), subject=subject((SERIAL_NUMBER, "FCZ1235"), (CN, "any name"))), "serial_number")
    bound_refused(world, c, asking(c, Device("numbered")), "serial_number")
    without = client("bind-serial-number", cas.good)
    bound_refused(world, without, asking(without, Device(cas.good.label)), "serial_number")


def test_bind_san(world, client, cas):
    c = client("bind-san", cas.a.issue("named", dns=["one.example", "two.example"]))
    c.enrol(asking(c, Device("x"), dns=["TWO.example"]))
    c.enrol(asking(c, Device("y"), dns=["two.example", "one.example"]))
    bound_refused(world, c, asking(c, Device("x"), dns=["one.example", "three.example"]), "san")
    bound_refused(world, c, asking(c, Device("x")), "san")
    good, cut = der.tlv(0x82, b"one.example"), der.tlv(0x87, b"\1\2\3")
    for names in (der.seq(), der.seq(good, cut), der.seq(good, der.tlv(0x81, b"one@example.com"))):
        extension = der.seq(der.seq(der.oid("2.5.29.17"), der.tlv(der.OCTETS, names)))
        plain = scepmsg.csr(Device.shared("x").key, "x", attributes=[scepmsg.attribute(scepmsg.EXTENSION_REQUEST, extension)])
        bound_refused(world, c, c.request(device=Device.shared("x"), challenge=None, plain=plain), "san")
    without = client("bind-san", cas.good)
    bound_refused(world, without, asking(without, Device("x"), dns=["one.example"]), "san")


def test_bind_key(world, client, cas):
    c = client("bind-key", cas.good)
    c.enrol(asking(c, cas.good.device()))
    bound_refused(world, c, asking(c, Device(cas.good.label)), "key")
    # somebody else's request, as it was recorded
    other = client("bind-key", cas.through)
    assert other.post_raw(asking(c, cas.good.device()).encode()).status == 401


def test_bind_two(world, client, cas):
    c = client("bind-two", cas.a.issue("both", dns=["both.example"]))
    c.enrol(asking(c, Device("both"), dns=["both.example"]))
    bound_refused(world, c, asking(c, Device("both"), dns=["other.example"]), "san")
    bound_refused(world, c, asking(c, Device("other"), dns=["both.example"]), "cn")


def test_names_from_the_certificate(world, client, cas):
    """A template puts the certificate's names into the new one, whatever the request asks for."""
    holder = cas.a.issue("known", serial_number="FCZ9", dns=["one.example", "two.example"])
    c = client("templates", holder)
    issued = c.send(asking(c, Device("whoever"), dns=["evil.example"])).cert
    assert issued.subject.rfc4514_string({x509.NameOID.SERIAL_NUMBER: "serialNumber"}).split(",") == [
        "CN=known", "serialNumber=FCZ9", "O=Example", f"OU={holder.x509.serial_number:x}"]
    names = issued.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    assert names == ["one.example", "two.example"]
    without = client("templates", cas.good)
    assert "serialNumber=none" in without.send(asking(without, Device("x"))).cert.subject.rfc4514_string({x509.NameOID.SERIAL_NUMBER: "serialNumber"})


def test_a_hook_is_told(world, client, cas):
    """After the binding: what does not fit is not asked about."""
    told = world.site.folder / "told.json"
    c = client("command", cas.good)
    c.refused(c.request(device=Device("other")), BAD_REQUEST)
    assert not told.exists()
    c.enrol(device=Device(cas.good.label))
    event = json.loads(told.read_text())
    assert event["tls_client"] == "CN=good-A,O=Example" and event["accepted_by"] == "one-time challenge"
    assert event["values"]["tls.fingerprint"] == [scepmsg.digest_of("sha256", cas.good.cert).hex()], event["values"]


def own_holder(cas, reply, device):
    return Holder(cas.folder, device.label, device.key, x509.load_der_x509_certificate(reply.certs[0]))


def renewal(client, holder, key, common_name=None, message_type="17", **how):
    return client.request(device=holder.device(), plain=scepmsg.csr(key, common_name or holder.label), challenge=None, message_type=message_type, **how)


@pytest.mark.parametrize("message_type", ["17", "19"])
def test_renewal(world, client, cas, message_type):
    """With the certificate that is renewed at both ends: in TLS and in SCEP. Bound like a first request."""
    start = cas.a.issue(f"renews-{message_type}")
    first = client("own", start)
    device = Device(start.label)
    holder = own_holder(cas, first.enrol(asking(first, device)), device)
    c = client("own", holder)
    reply = c.send(renewal(c, holder, scepmsg.new_key(2048), message_type=message_type))
    assert reply.status == scepmsg.SUCCESS, world.front.logs()[-1500:]
    shown = str(world.site.json("cert", "show", f"{reply.cert.serial_number:032x}"))
    assert f"renewal with TLS certificate 'CN={start.label},O=Example', serial" in shown, shown
    # another device's TLS certificate does not carry it
    thief = client("own", cas.good)
    bound_refused(world, thief, renewal(thief, holder, scepmsg.new_key(2048), message_type=message_type), "subject")


def test_own_certificate_revoked(world, client, cas):
    """The database knows, without any CRL in a file."""
    start = cas.a.issue("loses")
    first = client("own", start)
    device = Device(start.label)
    reply = first.enrol(asking(first, device))
    holder = own_holder(cas, reply, device)
    c = client("own", holder)
    c.enrol(asking(c, Device(start.label)))
    world.site.run("cert", "revoke", f"{reply.cert.serial_number:032x}")
    answer = c.post_raw(asking(c, Device(start.label)).encode())
    refused(world.front, "was issued here and is revoked", answer)


def test_waits_for_operators(world, client, cas):
    """On top of approval: bound when it is queued, and polled for with a certificate only."""
    c = client("wait", cas.good)
    bound_refused(world, c, asking(c, Device("other")), "cn")
    request = asking(c, Device(cas.good.label))
    assert c.send(request).status == scepmsg.PENDING
    listed = world.site.json("request", "list", "--profile", "wait")
    assert "TLS certificate 'CN=good-A,O=Example'" in str(listed), listed
    number = re.search(r"'id': '([^']+)'", str(listed)).group(1)
    world.site.run("request", "approve", number)
    assert rawhttp.post(world.front.port, "/scep/wait?operation=PKIOperation", request.encode()).status == 401
    assert c.send(request).status == scepmsg.SUCCESS


def test_light(world, client, cas):
    c = client("light", cas.good)
    assert c.post_raw(scepmsg.csr(scepmsg.new_key(2048), cas.good.label), content_type="application/pkcs10").status == 200
    answer = c.post_raw(scepmsg.csr(scepmsg.new_key(2048), "other"), content_type="application/pkcs10")
    assert (answer.status, answer.body) == (403, b"client certificate does not fit the request\n")


# --- proxies ---

HEADER = "X-Device-Cert"


@pytest.fixture(scope="module", params=["lighttpd-socket", "mod_fcgid", "mod_proxy_fcgi", "nginx", "cgi"])
def behind(request, make_site, cas):
    """A front end that trusts 127.0.0.1 to pass client certificates on, and nobody else."""
    made = make(make_site, cas)
    made.site.server["server"].update(trusted_proxies="127.0.0.1 2001:db8::/32", client_cert_header=HEADER, workers=1)
    front = made.site.start(request.param, client_cas=cas.all)
    front.kind = request.param
    yield front
    made.site.stop()


def ask(front, *headers, source=None, tls=False, path="/scep-mtls"):
    port = front.tls_port if tls else front.port
    return rawhttp.exchange(port, rawhttp.request("GET", f"{path}?{CAPS}", headers), tls=tls, source=source)


def forms(holder):
    text = base64.b64encode(holder.cert).decode()
    pem = holder.pem.decode()
    return {"RFC 9440": f":{text}:", "escaped": quote(pem), "escaped all": quote(pem, safe=""), "blanks": pem.strip().replace("\n", " "),
            "base64": text, "escaped base64": quote(text, safe="")}


@pytest.mark.parametrize("form", forms(SimpleNamespace(cert=b"", pem=b"")))
def test_from_a_proxy(behind, cas, form):
    assert ask(behind, f"{HEADER}: {forms(cas.good)[form]}").status == 200, behind.logs()[-1500:]
    refused(behind, "not by a CA that this profile trusts, but by 'CN=Root B", ask(behind, f"{HEADER}: {forms(cas.of_b)[form]}"))
    for holder, sentence in ((cas.expired, "the client certificate expired on"), (cas.early, "the client certificate is not valid before"),
                             (cas.server, "the client certificate is not for clientAuth"), (cas.thief, "it is revoked by 'CN=Root A")):
        refused(behind, sentence, ask(behind, f"{HEADER}: {forms(holder)[form]}"))


def test_from_anybody_else(behind, cas):
    """Dropped, and said once a minute at most."""
    header = f"{HEADER}: {forms(cas.good)['RFC 9440']}"
    begun = time.monotonic()
    for tls in (False, True):
        refused(behind, "no client certificate in SSL_CLIENT_CERT", ask(behind, header, source="127.0.0.2", tls=tls))
    lines = [line for line in behind.logs().splitlines() if f"header {HEADER} of a request from 127.0.0.2 is dropped" in line]
    minutes = int(time.monotonic() - begun) // 60
    assert len(lines) == 2 if behind.kind == "cgi" else 1 <= len(lines) <= 1 + minutes, "CGI has a process for each request"
    # what it shows by TLS itself counts as ever, whatever the header says
    assert ask(behind, header, source="127.0.0.2", tls=cas.of_b.context, path="/scep-mtls/b").status == 200
    refused(behind, "by 'CN=Root B", ask(behind, header, source="127.0.0.2", tls=cas.of_b.context))


def test_a_proxy_is_not_the_client(behind, cas):
    """A trusted proxy's own certificate lets nobody in: it has the header to speak for others."""
    refused(behind, "no client certificate in HTTP_X_DEVICE_CERT", ask(behind, tls=cas.good.context))
    refused(behind, "not by a CA that this profile trusts", ask(behind, f"{HEADER}: {forms(cas.of_b)['base64']}", tls=cas.good.context))


def test_malformed_from_a_proxy(behind, cas):
    good, bad = forms(cas.good), forms(cas.of_b)
    for headers in ([f"{HEADER}: nonsense"], [f"{HEADER}: :{good['RFC 9440']}:"], [f"{HEADER}: {good['base64']}%0"], [f"{HEADER}: {good['blanks']} {bad['blanks']}"],
                    [f"{HEADER}: {good['base64'][:-8]}"], [f"{HEADER}: {good['RFC 9440']}", f"{HEADER}: {bad['RFC 9440']}"],
                    [f"{HEADER}: {good['base64']}", f"{HEADER}: {good['base64']}"]):
        assert ask(behind, *headers).status == 401, headers
    refused(behind, "no client certificate in HTTP_X_DEVICE_CERT", ask(behind, f"{HEADER}:"))


def test_other_spellings_from_a_proxy(behind, cas):
    """A header that a proxy may not know for its own; lighttpd's variables do not tell them apart, which scepter.ini(5) warns of."""
    text = forms(cas.good)["base64"]
    for header in ("X_Device_Cert", "X.Device.Cert"):
        if "lighttpd" not in behind.kind and behind.kind != "cgi":
            refused(behind, "no client certificate", ask(behind, f"{header}: {text}"))
        assert ask(behind, f"{HEADER}: {forms(cas.of_b)['base64']}", f"{header}: {text}").status == 401


# --- reload ---

def test_reload(make_site, cas):
    """CAs and CRLs are read again; what is bad changes nothing."""
    made = make(make_site, cas)
    site = made.site
    front = site.start("nginx", client_cas=cas.all)
    responder = front.responder

    def reload(expected):
        mark = len(responder.text())
        responder.process.send_signal(signal.SIGHUP)
        wait_for(lambda: expected in responder.text()[mark:], f"the log to say: {expected}")

    refused(front, "not by a CA", get(front, "/scep-mtls", cas.of_c))
    bundle = site.profiles["default"]["client_certificate"]["trust"]
    write(bundle, cas.c.pem)
    write(made.crl, cas.c.crl())
    reload("was reloaded")
    wait_for(lambda: get(front, "/scep-mtls", cas.of_c).status == 200, "the new CA to count")
    refused(front, "not by a CA", get(front, "/scep-mtls", cas.good))
    for bad, sentence in ((b"", "holds no certificate"), (cas.of_c.pem, "may not issue certificates"), (cas.a.pem, "is not signed by any CA of trust")):
        write(bundle, bad)
        mark = len(responder.text())
        reload("was not reloaded")
        assert sentence in responder.text()[mark:]
        assert get(front, "/scep-mtls", cas.of_c).status == 200
    # revoked from now on
    write(bundle, cas.c.pem)
    cas.c.revoke(cas.of_c)
    write(made.crl, cas.c.crl())
    cas.c.revoked.clear()
    reload("was reloaded")
    wait_for(lambda: get(front, "/scep-mtls", cas.of_c).status == 401, "the new CRL to count")
    assert "it is revoked by 'CN=Root C,O=Example'" in why(front)
    site.stop()
