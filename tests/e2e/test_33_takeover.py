"""Taking over from another product: certificates of its CA, made here by openssl, renew into a profile until a date."""
import datetime
import subprocess

import der
import pytest
import scepmsg
from clients import key_file
from processes import SOURCE, new_folder, run, write
from scepmsg import BAD_REQUEST, Device, csr

CONFIG = """
[ca]
default_ca = old
[old]
dir = {dir}
database = {dir}/index
serial = {dir}/serial
crlnumber = {dir}/crlnumber
new_certs_dir = {dir}
certificate = {dir}/ca.pem
private_key = {dir}/ca.key
default_md = sha256
default_crl_days = 30
policy = any
copy_extensions = copy
unique_subject = no
[any]
organizationName = optional
commonName = supplied
[req]
distinguished_name = dn
[dn]
"""


class OldCa:
    """A CA of another product: its certificate, CRL, and what it issued."""

    def __init__(self, folder, subject="/O=Example/CN=Old CA"):
        self.folder = folder
        folder.mkdir()
        write(folder / "conf", CONFIG.format(dir=folder))
        for name, text in (("index", ""), ("serial", "00F1\n"), ("crlnumber", "01\n")):
            write(folder / name, text)
        self.openssl("req", "-x509", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "ca.key", "-out", folder / "ca.pem",
                     "-subj", subject, "-days", "3000", "-config", folder / "conf",
                     "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self.crl()

    def openssl(self, *args, data=None):
        return subprocess.run(["openssl", *map(str, args)], input=data, capture_output=True, check=True).stdout

    def crl(self, *options):
        self.openssl("ca", "-config", self.folder / "conf", "-gencrl", "-out", self.folder / "crl.pem", *options)

    def device(self, label, start=None, end=None, dns=(), digest="sha256", extensions=None):
        """A device with a certificate of this CA."""
        device = Device(label)
        write(self.folder / "req.der", csr(device.key, label, dns=dns))
        self.openssl("req", "-inform", "DER", "-in", self.folder / "req.der", "-out", self.folder / "req.pem", "-config", self.folder / "conf")
        now = datetime.datetime.utcnow()
        more = ["-extfile", write(self.folder / "ext", extensions), ] if extensions else []
        pem = self.openssl("ca", "-batch", "-config", self.folder / "conf", "-in", self.folder / "req.pem", "-md", digest, "-notext", *more,
                           "-startdate", (start or now - datetime.timedelta(days=1)).strftime("%Y%m%d%H%M%SZ"),
                           "-enddate", (end or now + datetime.timedelta(days=10)).strftime("%Y%m%d%H%M%SZ"))
        device.cert = scepmsg.certificate(pem)
        write(self.folder / f"{label}.pem", pem)
        return device

    def revoke(self, label):
        self.openssl("ca", "-config", self.folder / "conf", "-revoke", self.folder / f"{label}.pem")


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    return OldCa(tmp_path_factory.mktemp("old") / "ca")


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Of the same name, and a stranger."""
    return OldCa(tmp_path_factory.mktemp("other") / "ca")


@pytest.fixture(scope="module")
def third(tmp_path_factory):
    """A second former CA."""
    return OldCa(tmp_path_factory.mktemp("third") / "ca", "/O=Example/CN=Third CA")


def settings(site, ca, **changes):
    copies = site.folder / f"former-{ca.folder.parent.name}"
    copies.mkdir(exist_ok=True)
    copies.chmod(0o755)
    return {
        "renew_from": write(copies / "ca.pem", (ca.folder / "ca.pem").read_bytes()),
        "renew_from_crl": write(copies / "crl.pem", (ca.folder / "crl.pem").read_bytes()),
        "renew_from_until": "2099-12-31T00:00:00Z",
    } | changes


@pytest.fixture(scope="module")
def of(make_site, client_of, old, third):
    """of(profile): a client of it. Device 'thief' is revoked, and on the CRL."""
    site = make_site()
    old.thief = old.device("thief")
    old.revoke("thief")
    old.crl()
    site.profiles["default"] = site.profile(renewal=settings(site, old))
    without = settings(site, old)
    del without["renew_from_crl"]
    site.profiles["blind"] = site.profile(renewal=without)
    old.crl("-crl_lastupdate", "20250101000000Z", "-crl_nextupdate", "20250201000000Z")
    stale = write(site.folder / "stale.pem", (old.folder / "crl.pem").read_bytes())
    old.crl()
    site.profiles["stale"] = site.profile(renewal=settings(site, old, renew_from_crl=stale))
    both = write(site.folder / "both.pem", (old.folder / "ca.pem").read_text() + (third.folder / "ca.pem").read_text())
    site.profiles["half"] = site.profile(renewal=settings(site, old, renew_from=both))
    third.late = third.device("late-thief")
    third.crl("-crl_lastupdate", "20250101000000Z", "-crl_nextupdate", "20991231000000Z")
    first = (third.folder / "crl.pem").read_text()
    third.revoke("late-thief")
    third.crl()
    twice = write(site.folder / "twice.pem", first + (third.folder / "crl.pem").read_text())
    site.profiles["twice"] = site.profile(renewal=settings(site, third, renew_from_crl=twice))
    site.profiles["over"] = site.profile(renewal=settings(site, old, renew_from_until="2020-01-01T00:00:00Z"))
    site.profiles["none"] = site.profile()
    site.profiles["sha1"] = site.profile(renewal=settings(site, old), scep={"legacy": "sha1"})
    site.profiles["grace"] = site.profile(renewal=settings(site, old, grace="30d"))
    site.profiles["challenged"] = site.profile(renewal=settings(site, old, challenge="yes"))
    site.profiles["approved"] = site.profile(renewal=settings(site, old), approval={"mode": "manual", "renewals": "yes"})
    site.profiles["light"] = site.profile(renewal=settings(site, old), scep={"raw_csr": "yes"})
    site.profiles["templates"] = site.profile(
        renewal=settings(site, old), subject={"template": "CN=${hook.name}"}, san={"template": "dns:${hook.name}"})
    front = site.start("lighttpd-socket")
    yield lambda name="default": client_of(site, front, f"/scep/{name}", name)
    site.stop()


def renewal(client, device, challenge=None, message_type="17", key=None, **how):
    plain = csr(key or Device.shared("new-key").key, how.pop("common_name", device.label), challenge, how.pop("dns", ()))
    return client.request(device=device, plain=plain, message_type=message_type, challenge=challenge, **how)


def test_templates_are_for_first_certificates(of, old):
    """The names are those of the old certificate, whatever the request asks for, and so is the device, as `cn` names it."""
    client, device = of("templates"), old.device("templated", dns=["templated.example"])
    for common_name in ("templated", "another"):
        reply = client.send(renewal(client, device, common_name=common_name, dns=["other.example"]))
        assert reply.status == scepmsg.SUCCESS, f"{reply}\n{client.front.logs()[-2000:]}"
        former = scepmsg.x509.load_der_x509_certificate(device.cert)
        assert reply.cert.subject == former.subject
        names = [c.extensions.get_extension_for_class(scepmsg.x509.SubjectAlternativeName).value for c in (reply.cert, former)]
        assert names[0] == names[1]
    assert client.site.execute("SELECT DISTINCT device FROM scep.cert WHERE profile = 'templates'") == [("templated",)]


def refused(client, request, why):
    reply = client.send(request)
    assert (reply.status, reply.fail_info) == (scepmsg.FAILURE, BAD_REQUEST), reply
    rows = client.site.execute("SELECT detail FROM scep.audit WHERE kind = 'refuse' AND txid = %s", request.txid)
    assert len(rows) == 1 and why in rows[0][0], rows


@pytest.mark.parametrize("message_type", ["17", "19"])
def test_renews(of, old, message_type):
    client = of()
    device = old.device(f"moves-{message_type}", dns=["moves.example"])
    request = renewal(client, device, message_type=message_type, dns=["moves.example"])
    reply = client.send(request)
    assert reply.status == scepmsg.SUCCESS, client.front.logs()[-1500:]
    client.check_cert(reply, request)
    # in the records as what it is
    serial = f"{reply.cert.serial_number:032x}"
    shown = str(client.site.json("cert", "show", serial))
    old_serial = scepmsg.x509.load_der_x509_certificate(device.cert).serial_number
    assert "renewal from a former CA 'CN=Old CA,O=Example', serial" in shown and f"{old_serial:x}" in shown, shown
    # a resend is no second certificate, and the new one renews like any other
    assert client.send(request).certs == reply.certs
    new = Device.shared("new-key")
    again = scepmsg.Device(device.label)
    again.key, again.cert = new.key, reply.certs[0]
    client.enrol(renewal(client, again, key=scepmsg.new_key(), dns=["moves.example"]))


def test_not_where_it_is_not_configured(of, old):
    client = of("none")
    refused(client, renewal(client, old.device("nowhere")), "not signed with a certificate that this server issued")
    refused(client, renewal(client, old.device("nowhere-19"), message_type="19"), "no challengePassword")


@pytest.mark.parametrize("message_type", ["17", "19"])
def test_revoked(of, old, message_type):
    refused(of(), renewal(of(), old.thief, message_type=message_type), "is revoked")


def test_without_a_crl_nobody_knows(of, old):
    of("blind").enrol(renewal(of("blind"), old.thief))


@pytest.mark.parametrize("message_type", ["17", "19"])
def test_a_crl_that_has_ended(of, old, message_type):
    """What was revoked since is not known: nobody renews until there is a newer one."""
    refused(of("stale"), renewal(of("stale"), old.device(f"good-{message_type}"), message_type=message_type),
            "the CRL of the former CA 'CN=Old CA,O=Example' ended on 2025-02-01T00:00:00Z: put a newer one into renew_from_crl")


def test_every_former_ca_needs_its_crl(of, old, third):
    refused(of("half"), renewal(of("half"), third.device("unknown")), "there is no CRL of the former CA 'CN=Third CA,O=Example' in renew_from_crl")
    of("half").enrol(renewal(of("half"), old.device("known")))


def test_the_newest_crl_counts(of, third):
    refused(of("twice"), renewal(of("twice"), third.late), "is revoked")
    of("twice").enrol(renewal(of("twice"), third.device("honest")))


def test_after_the_date(of, old):
    refused(of("over"), renewal(of("over"), old.device("late")), "could renew until 2020-01-01T00:00:00Z")


def test_expired(of, old):
    now = datetime.datetime.utcnow()
    device = old.device("expired", now - datetime.timedelta(days=20), now - datetime.timedelta(days=10))
    refused(of(), renewal(of(), device), "the certificate expired")
    of("grace").enrol(renewal(of("grace"), device))


def test_a_stranger_of_the_same_name(of, other):
    refused(of(), renewal(of(), other.device("stranger")), "not signed with a certificate that this server or a former CA issued")
    refused(of(), renewal(of(), other.device("stranger-19"), message_type="19"), "no challengePassword")


def test_self_signed(of):
    refused(of(), renewal(of(), Device.shared("nobody")), "not signed with a certificate that this server or a former CA issued")


def test_other_names(of, old):
    device = old.device("names", dns=["a.example"])
    refused(of(), renewal(of(), device, common_name="another", dns=["a.example"]), "the subject is not that")
    refused(of(), renewal(of(), device, dns=["a.example", "b.example"]), "has not")
    of().enrol(renewal(of(), device))


def test_a_ca_below_it(of, old):
    device = old.device("sub", extensions="basicConstraints=critical,CA:TRUE\n")
    refused(of(), renewal(of(), device), "signed with a CA's certificate")


def test_sha1_only_where_the_profile_lives_with_it(of, old):
    device = old.device("sha1", digest="sha1")
    refused(of(), renewal(of(), device), "signed with SHA-1")
    of("sha1").enrol(renewal(of("sha1"), device))


def test_its_signature_counts(of, old):
    request = renewal(of(), old.device("broken"), break_signature=True)
    reply = of().send(request)
    assert (reply.status, reply.fail_info) == (scepmsg.FAILURE, scepmsg.BAD_MESSAGE_CHECK)


def test_with_a_challenge_besides(of, old):
    client, device = of("challenged"), old.device("challenged")
    reply = client.send(renewal(client, device))
    assert reply.status == scepmsg.FAILURE
    client.enrol(renewal(client, device, client.challenge()))


def test_a_challenge_still_enrols(of, old):
    """A PKCSReq signed with a certificate that may not renew needs its challenge, and its own key: an old certificate excuses nothing."""
    client = of()
    refused(client, renewal(client, old.thief, client.challenge(), message_type="19"), "signed by another key")
    client.enrol(client.request(device=old.thief, plain=csr(old.thief.key, "thief", client.challenge())))


def test_approved_by_people(of, old):
    client, device = of("approved"), old.device("approved")
    request = renewal(client, device)
    assert client.send(request).status == scepmsg.PENDING
    row = next(r for r in client.site.json("request", "list") if "CN=approved" in r["subject"])
    client.site.run("request", "approve", row["id"])
    client.check_cert(client.send(request), request)


def test_light_clients_sign_with_it(of, old):
    import rawhttp
    client, device = of("light"), old.device("bare")
    plain = csr(Device.shared("new-key").key, "bare")
    omit = (scepmsg.MESSAGE_TYPE, scepmsg.SENDER_NONCE, scepmsg.TXID)
    body = scepmsg.Request(device.key, device.cert, [], content=plain, omit=omit).encode()
    assert rawhttp.post(client.front.port, client.path, body).status == 200
    body = scepmsg.Request(old.thief.key, old.thief.cert, [], content=csr(Device.shared("new-key").key, "thief"), omit=omit).encode()
    assert rawhttp.post(client.front.port, client.path, body).status == 403


def test_strongswan_moves(of, old):
    """A real client: RenewalReq with a new key, signed with what the other product gave it."""
    client, site = of(), of().site
    device = old.device("strongswan")
    folder = new_folder("moves-", site.folder)
    old_key, old_cert = key_file(folder, device.key), write(folder / "old.pem", (old.folder / "strongswan.pem").read_text())
    new_key = key_file(new_folder("new-", folder), scepmsg.new_key())
    url = f"http://127.0.0.1:{client.front.port}{client.path}"
    done = run("pki", "--scep", "--url", url, "--in", new_key, "--dn", "O=Example, CN=strongswan", "--cert", old_cert, "--key", old_key,
               "--cacert-enc", site.authority.ra_cert, "--cacert-sig", site.authority.ra_cert, "--cacert", site.authority.ca_cert,
               "--outform", "pem", cwd=folder, timeout=60)
    issued = scepmsg.x509.load_der_x509_certificate(scepmsg.certificate(done.stdout.encode()))
    assert issued.issuer == scepmsg.x509.load_der_x509_certificate(site.authority.ca).subject


def issued_elsewhere(site, label, serial):
    """A device with a certificate that the site's CA has issued, but by another program: no database of ours knows it."""
    x509, now = scepmsg.x509, datetime.datetime.utcnow()
    ca_key = scepmsg.serialization.load_pem_private_key(site.authority.ca_key.read_bytes(), None)
    device = Device(label)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Example"), x509.NameAttribute(x509.NameOID.COMMON_NAME, label)])
    device.cert = (x509.CertificateBuilder().subject_name(subject).issuer_name(x509.load_der_x509_certificate(site.authority.ca).subject)
                   .public_key(device.key.public_key()).serial_number(serial).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=9))
                   .sign(ca_key, scepmsg.hashes.SHA256()).public_bytes(scepmsg.serialization.Encoding.DER))
    return device


@pytest.mark.parametrize("revoke_old", ["no", "yes"])
def test_the_same_ca_by_another_product(make_site, client_of, revoke_old):
    """The CA's key moved here; what it issued before is in no database of ours, and cannot be revoked here. The RA's certificate is no device's."""
    site = make_site()
    site.profiles["default"] = site.profile(renewal={"renew_from": site.authority.ca_cert, "renew_from_until": "2099-01-01",
                                                     "revoke_old": revoke_old, "revoke_old_after": "0"})
    client = client_of(site, site.start("lighttpd-socket"))
    device = issued_elsewhere(site, "before", 1 << 126)
    new = Device("before")
    new.key, new.cert = Device.shared("new-key").key, client.enrol(renewal(client, device)).certs[0]
    assert site.execute("SELECT count(*) FROM scep.revocation") == [(0,)]
    client.enrol(renewal(client, new, key=device.key))		# ours now
    assert site.execute("SELECT count(*) FROM scep.revocation") == [(1 if revoke_old == "yes" else 0,)]
    device.key = scepmsg.serialization.load_pem_private_key(site.authority.ra_key.read_bytes(), None)
    device.cert = site.authority.ra
    refused(client, renewal(client, device, common_name="Test RA"), "signed with a key of this server itself")
    site.stop()


def test_the_serial_number_of_somebody_else_here(make_site, client_of):
    """What the CA issued elsewhere may have the number of a certificate that it issued here: that one stays."""
    site = make_site()
    revoking = {"renew_from": site.authority.ca_cert, "renew_from_until": "2099-01-01", "revoke_old": "yes", "revoke_old_after": "0s"}
    site.profiles["default"] = site.profile(renewal=revoking)
    site.profiles["approved"] = site.profile(renewal=revoking, approval={"mode": "manual", "renewals": "yes"})
    front = site.start("lighttpd-socket")
    client = client_of(site, front)
    serial = client.enrol(label="bystander").cert.serial_number
    client.enrol(renewal(client, issued_elsewhere(site, "meets", serial)))
    client = client_of(site, front, "/scep/approved", "approved")
    device = issued_elsewhere(site, "waits", serial)
    for request in (renewal(client, device, txid="repeated"), renewal(client, device, txid="polled")):
        assert client.send(request).status == scepmsg.PENDING
        row = next(r for r in client.site.json("request", "list") if r["transaction"] == request.txid)
        site.run("request", "approve", row["id"])
        if request.txid == "polled":
            issuer = der.children(scepmsg.issuer_and_serial(site.authority.ra))[0]
            request = request.but(plain=der.seq(issuer, scepmsg.name("waits")), message_type="20")
        assert client.send(request).status == scepmsg.SUCCESS, front.logs()[-2000:]
    assert site.execute("SELECT count(*) FROM scep.revocation") == [(0,)]
    site.stop()


def test_sscep_s_way(of, old):
    """PKCSReq signed with the old certificate, a serial number of few octets, DER, no challenge: what most clients send."""
    device = old.device("sscep")
    of().enrol(renewal(of(), device, message_type="19", txid="A" * 32, digest="sha512", cipher="aes256"))


def test_show_tells_what_the_responder_answers(of, old):
    site = of().site

    def shown(profile, request):
        path = write(site.folder / "shown.der", request.encode())
        return str(site.run("show", path, "--profile", profile, ini=site.ini, check=False).stdout)
    device = old.device("shown")
    assert "SUCCESS, if the certificate that signed may be renewed now" in shown("default", renewal(of(), device))
    assert "could renew until" in shown("over", renewal(of("over"), device))
    assert "a former CA is revoked" in shown("default", renewal(of(), old.thief))
    assert "is revoked" in shown("default", renewal(of(), old.thief, message_type="19"))
    assert "SUCCESS" not in shown("none", renewal(of("none"), device))


# --- what check says ---

@pytest.mark.parametrize("changes,status,text", [
    ({}, 0, None),
    ({"renew_from_until": "2020-01-01"}, 0, "[renewal] renew_from_until: has passed"),
    ({"renew_from_until": None}, 1, "missing beside renew_from"),
    ({"renew_from": None}, 1, "missing beside renew_from_crl or renew_from_until"),
    ({"renew_from_until": "soon"}, 1, "'soon' is not a date"),
    ({"renew_from_crl": "/nowhere"}, 1, "/nowhere"),
    ({"renew_from": "/nowhere"}, 1, "/nowhere"),
    ({"renew_from_crl": "ca.pem"}, 1, "no CRL in it"),
    ({"renew_from_crl": "stranger"}, 1, "CRL 1 is not signed by any CA of renew_from"),
    ({"renew_from_crl": "stale"}, 0, "the CRL of 'CN=Old CA,O=Example' ended on 2025-02-01T00:00:00Z: what that CA issued is refused"),
    ({"renew_from_crl": None}, 0, "[renewal] renew_from_crl: missing beside renew_from: what its CAs have revoked renews as well"),
    ({"renew_from": "two"}, 0, "[renewal] renew_from_crl: there is no CRL of 'CN=Third CA,O=Example': what that CA issued is refused"),
    ({"renew_from_crl": "delta"}, 1, "CRL 1 is a delta"),
    ({"renew_from_crl": "damaged"}, 1, "renew_from_crl"),
    ({"renew_from": "leaf"}, 1, "not a CA's"),
], ids=lambda v: str(v)[:40])
def test_check(make_site, old, other, third, changes, status, text, tmp_path):
    site = test_check.site = getattr(test_check, "site", None) or make_site()
    renewal = settings(site, old)
    here = site.folder / "own"
    here.mkdir(exist_ok=True)
    for key, value in changes.items():
        if value == "ca.pem":
            value = renewal["renew_from"]
        elif value == "stranger":
            value = write(here / "stranger.pem", (other.folder / "crl.pem").read_bytes())
        elif value == "stale":
            old.crl("-crl_lastupdate", "20250101000000Z", "-crl_nextupdate", "20250201000000Z")
            value = write(here / "stale.pem", (old.folder / "crl.pem").read_bytes())
            old.crl()
        elif value == "two":
            value = write(here / "two.pem", (old.folder / "ca.pem").read_text() + (third.folder / "ca.pem").read_text())
        elif value == "delta":
            value = write(here / "delta.pem", (SOURCE / "tests" / "data" / "bad" / "client_cert" / "crl-delta.pem").read_text())
        elif value == "damaged":
            value = write(here / "damaged.der", b"\x30\x03\x02\x01")
        elif value == "leaf":
            old.device("leaf")
            value = write(here / "leaf.pem", (old.folder / "leaf.pem").read_bytes())
            renewal.pop("renew_from_crl")
        renewal[key] = value
    site.profiles["default"] = site.profile(renewal={k: v for k, v in renewal.items() if v is not None})
    site.write()
    done = run(site.fcgi, "--check", "--conf", site.ini, check=False)
    out = done.stdout + done.stderr
    assert done.returncode == status and (text is None and "[renewal]" not in out or text is not None and text in out), out
