"""EC and Ed25519 keys (RFC 8894, 3.1): requests are encrypted to the RSA RA, answers under the challenge. CAs of other kinds."""
import os
import subprocess

import der
import pwri
import pytest
import scepmsg
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from processes import new_folder, write
from scepmsg import BAD_ALG, BAD_REQUEST, PENDING, SUCCESS, Device

CURVES = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1(), "ed25519": ed25519}
KEY_TYPES = ["ec:p256", "ec:p384", "ec:p521", "ed25519"]


@pytest.fixture(scope="module")
def legacy(make_site, client_of):
    site = make_site()
    site.profiles["default"] = site.profile(scep={"legacy": "sha1 des3"})
    yield client_of(site, site.start("lighttpd-socket"))
    site.stop()


def device(kind):
    return Device(kind, curve=CURVES[kind])


ECDSA = [(kind, digest) for kind in ("p256", "p384", "p521") for digest in ("sha256", "sha384", "sha512")]


@pytest.mark.parametrize("kind,digest", [*ECDSA, ("ed25519", "sha512")])
def test_enrolled(shared, kind, digest):
    reply = shared.enrol(device=device(kind), digest=digest)
    assert (reply.prf, reply.cipher, reply.digest) == ("sha256", "aes128", digest)
    usage = reply.cert.extensions.get_extension_for_class(scepmsg.x509.KeyUsage).value
    assert usage.digital_signature and not usage.key_encipherment


@pytest.mark.parametrize("cipher", ["aes128", "aes192", "aes256"])
def test_cipher_follows_the_request(shared, cipher):
    assert shared.enrol(device=device("p256"), cipher=cipher).cipher == cipher


def test_id_ec_public_key_as_signature_algorithm(shared):
    """cryptlib and old signers (P-179)."""
    shared.enrol(device=device("p256"), signature_oid=scepmsg.EC_KEY)


def test_ber(shared):
    shared.enrol(device=device("p256"), ber=True)


def test_old_clients(legacy):
    """One that signs with SHA-1, or wraps under HMAC-SHA-1 itself, is answered with that (P-91)."""
    reply = legacy.enrol(device=device("p256"), digest="sha1", cipher="des3")
    assert (reply.prf, reply.cipher, reply.digest) == ("sha1", "des3", "sha1")
    for prf, answer in (("sha1", "sha1"), ("sha256", "sha256"), ("sha512", "sha256")):
        theirs = (lambda key, prf=prf: pwri.wrap(key, b"x" * 16, prf=prf),)
        request = legacy.request(device=device("p256"), more_recipients=theirs)
        assert legacy.enrol(request).prf == answer


def test_without_a_challenge(shared):
    shared.refused(shared.request(device=device("p256"), challenge=None), BAD_ALG)
    log = shared.front.logs()
    assert "cannot decrypt" in log and "brings no challengePassword" in log


def test_wrong_challenge(shared):
    shared.refused(shared.request(device=device("p256"), challenge="no such challenge"), BAD_REQUEST)


@pytest.mark.parametrize("curve", [ec.SECP192R1(), ec.SECP224R1(), ec.SECP256K1(), ec.BrainpoolP256R1()], ids=lambda c: c.name)
def test_other_curves(shared, curve):
    try:
        odd = Device(curve.name, curve=curve)
    except Exception as missing:	# this OpenSSL may be built without it
        pytest.skip(str(missing))
    shared.refused(shared.request(device=odd), BAD_ALG)


def test_a_recorded_request_signed_anew(site, client_of):
    """Nobody gets an envelope under somebody else's challenge, to guess it from: not even where any key may sign."""
    write(site.folder / "secrets", "first-secret\n", 0o600)
    site.profiles["default"] = site.profile(enrol={"static_challenge_file": site.folder / "secrets", "signer_key": "any"})
    client = client_of(site, site.start("lighttpd-socket"))
    victim, thief = Device.shared("victim"), device("p256")
    plain = scepmsg.csr(victim.key, "victim", "first-secret")
    client.refused(thief.request(client.to, plain=plain), BAD_REQUEST)
    assert client.send(Device.shared("another RSA key").request(client.to, plain=plain)).status == SUCCESS
    assert client.send(thief.request(client.to, "first-secret")).status == SUCCESS


def test_resend_is_answered_again(shared):
    """The challenge is spent, but the resent PKCS#10 holds it."""
    request = shared.request(device=device("p384"))
    first, second = shared.enrol(request), shared.send(request.but(nonce=os.urandom(16)))
    assert second.status == SUCCESS and second.certs == first.certs and second.prf == "sha256"


def test_renewal(shared):
    """RenewalReq with a challenge is answered under it; without one there is nothing to answer with."""
    old = device("p256")
    first = shared.enrol(device=old, common_name="renewing")
    new = device("p256")
    plain = scepmsg.csr(new.key, "renewing", "whatever it was")
    request = scepmsg.Request(old.key, first.certs[0], shared.to, plain, message_type="17", password="whatever it was")
    assert shared.send(request).status == SUCCESS
    plain = scepmsg.csr(device("p256").key, "renewing")
    shared.refused(scepmsg.Request(old.key, first.certs[0], shared.to, plain, message_type="17"), BAD_ALG)


def poll_for(client, request, name):
    issuer = scepmsg.x509.load_der_x509_certificate(client.site.authority.ra).subject.public_bytes()
    names = der.seq(issuer, scepmsg.name(name))
    return request.but(message_type="20", plain=names, nonce=os.urandom(16))


@pytest.mark.parametrize("kind", ["p256", "ed25519"])
def test_pending(site, client_of, kind):
    """The challenge stays with the request until the transaction is over: every poll is answered."""
    site.profiles["default"] = site.profile(approval={"mode": "manual"})
    client = client_of(site, site.start("lighttpd-socket"))
    digest = "sha512" if kind == "ed25519" else "sha256"
    request = client.request(device=device(kind), common_name="waiting", digest=digest)
    assert client.send(request).status == PENDING
    assert client.send(poll_for(client, request, "waiting")).status == PENDING
    site.run("request", "approve", site.json("request", "list")[0]["id"])
    first = client.send(poll_for(client, request, "waiting"))
    assert first.status == SUCCESS and first.prf == "sha256"
    client.check_cert(first, request)
    again = client.send(poll_for(client, request, "waiting"))	# the first answer was lost
    assert again.status == SUCCESS and again.certs == first.certs
    assert client.send(request.but(nonce=os.urandom(16))).certs == first.certs
    stored = site.execute("SELECT sealed FROM scep.request")
    assert request.password.encode() not in bytes(stored[0][0])


def test_openssl_opens_our_answer(shared):
    request = shared.request(device=device("p256"))
    reply = shared.post_raw(request.encode()).body

    def cms(*args, data):
        command = ["openssl", "cms", "-binary", "-inform", "DER", *map(str, args)]
        return subprocess.run(command, input=data, check=True, capture_output=True).stdout
    envelope = cms("-verify", "-CAfile", shared.site.authority.ca_cert, "-purpose", "any", data=reply)
    certs = scepmsg.read_certs_only(cms("-decrypt", "-pwri_password", request.password, data=envelope))
    shared.check_cert(scepmsg.Reply(SUCCESS, certs=certs), request)


def enrol_by_scepter(site, front, key_type, name, *args):
    folder = new_folder("client-", site.folder)
    challenge = write(folder / "challenge", site.challenge() + "\n", 0o600)
    site.run("enroll", front.url, "--subject", f"CN={name},O=Example", "--challenge-file", challenge, "--key-type", key_type,
             "--fingerprint", scepmsg.digest_of("sha256", site.authority.ca).hex(), "--out", folder, *args, cwd=folder)
    cert = scepmsg.certificate((folder / "cert.pem").read_bytes())
    stored = site.execute("SELECT der FROM scep.cert WHERE subject LIKE %s", f"%{name}%")
    assert [bytes(row[0]) for row in stored] == [cert]
    return cert, folder


@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_our_client(shared, key_type):
    cert, folder = enrol_by_scepter(shared.site, shared.front, key_type, f"own-{key_type.replace(':', '-')}")
    key = scepmsg.serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
    assert scepmsg.spki(scepmsg.x509.load_der_x509_certificate(cert).public_key()) == scepmsg.spki(key)


def test_our_client_needs_a_challenge(shared):
    folder = new_folder("client-", shared.site.folder)
    done = shared.site.run("enroll", shared.front.url, "--subject", "CN=x", "--key-type", "ec:p256", "--trust-first",
                           "--out", folder, cwd=folder, check=False)
    assert done.returncode == 3 and "challenge" in done.stderr


def test_show_opens_an_answer(shared):
    folder = new_folder("show-", shared.site.folder)
    request = shared.request(device=device("p521"))
    reply = write(folder / "reply.der", shared.post_raw(request.encode()).body)
    challenge = write(folder / "challenge", request.password + "\n")
    shown = shared.site.json("show", reply)[0]
    recipient, = shown["envelope"]["recipients"]
    assert recipient["by"] == "password" and "10000" in recipient["derivation"] and "problems" not in shown
    shown = shared.site.json("show", reply, "--challenge-file", challenge)[0]
    assert shown["content"]["kind"] == "certificates only (CMS)" and request.password not in str(shown)
    wrong = write(folder / "wrong", "another challenge\n")
    done = shared.site.run("show", reply, "--challenge-file", wrong, check=False)
    assert done.returncode == 1


@pytest.mark.parametrize("ca", ["ec:p256", "ec:p384", "ec:p521", "ed25519"])
def test_ca_of_another_kind(make_site, client_of, ca):
    """A CA whose key cannot decrypt stands behind an RSA RA."""
    site = make_site(ca)
    client = client_of(site, site.start("lighttpd-socket"))
    client.enrol(label="rsa-device")
    client.enrol(device=device("p256"))
    client.enrol(device=device("ed25519"), digest="sha512")
    enrol_by_scepter(site, client.front, "ec:p384", "own-behind")
    site.stop()


@pytest.mark.parametrize("ca", ["ec:p256", "ed25519"])
def test_ca_of_another_kind_alone_is_refused(make_site, ca):
    site = make_site(ca)
    site.profiles["default"] = site.profile(ra=None)
    site.write()
    done = site.run("check", ini=site.ini, check=False)
    assert done.returncode != 0 and "devices encrypt their requests to it" in done.stdout + done.stderr
    site.stop()
