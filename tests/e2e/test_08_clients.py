"""Clients that others wrote, and ours, against the responder behind real web servers."""
import subprocess

import pytest
import scepmsg
from clients import CLIENTS
from frontends import FRONT_ENDS
from processes import new_folder, run, write


def enrol(site, front, client, name):
    """One enrolment by `client`; its certificate must be the CA's, for that name, and recorded."""
    profile = "museum" if client == "scepclient" else "default"
    site.profiles["museum"] = site.profile(scep={"legacy": "sha1 des3", "obsolete": "des"})
    if front is None:
        front = site.start("lighttpd-socket")
    folder = new_folder("client-", site.folder)
    url = front.url if profile == "default" else f"{front.url}/{profile}"
    try:
        cert = CLIENTS[client](site, url, folder, site.challenge(profile=profile), name)
    except AssertionError as failure:
        raise AssertionError(f"{failure}\n--- logs\n{front.logs()[-3000:]}") from failure
    issued = scepmsg.x509.load_der_x509_certificate(cert)
    assert issued.issuer == scepmsg.x509.load_der_x509_certificate(site.authority.ca).subject
    assert f"CN={name}" in issued.subject.rfc4514_string()
    stored = site.execute("SELECT der FROM scep.cert WHERE subject LIKE %s", f"%{name}%")
    assert [bytes(row[0]) for row in stored] == [cert]


@pytest.fixture(scope="module")
def stand(make_site):
    site = make_site()
    site.profiles["museum"] = site.profile(scep={"legacy": "sha1 des3", "obsolete": "des"})
    yield site, site.start("lighttpd-socket")
    site.stop()


@pytest.mark.parametrize("client", CLIENTS)
def test_client(stand, client):
    enrol(*stand, client, f"{client}-1")


@pytest.mark.parametrize("kind", [k for k in FRONT_ENDS if k != "lighttpd-socket"])
def test_strongswan_with_every_server(make_site, kind):
    site = make_site()
    enrol(site, site.start(kind), "strongswan-pki", f"every-{kind}")
    site.stop()


@pytest.fixture(scope="module", params=["ec:p256", "ec:p384", "ed25519"])
def other_ca(request, make_site):
    """A CA whose key cannot decrypt, behind an RSA RA."""
    site = make_site(request.param)
    site.profiles["museum"] = site.profile(scep={"legacy": "sha1 des3", "obsolete": "des"})
    yield site, site.start("lighttpd-socket")
    site.stop()


@pytest.mark.parametrize("client", CLIENTS)
def test_ca_of_another_kind(other_ca, client):
    enrol(*other_ca, client, f"other-ca-{client}")


def test_wrong_challenge_is_told(stand):
    """strongSwan is told, and says so, instead of waiting."""
    site, front = stand
    folder = new_folder("client-", site.folder)
    with pytest.raises(AssertionError, match="(?i)fail|refus|reject|badRequest|not authori"):
        CLIENTS["strongswan-pki"](site, front.url, folder, "wrong", "told")
    with pytest.raises(AssertionError, match="(?i)badRequest|refused|not authori"):
        CLIENTS["scepter"](site, front.url, folder, "wrong-challenge", "told")


def test_other_programs_read_our_answers(stand, tmp_path):
    """OpenSSL verifies and opens a CertRep; GnuTLS lists the certificates of GetCACert and of the envelope."""
    import rawhttp
    from cryptography.hazmat.primitives import serialization
    site, front = stand
    device = scepmsg.Device("openssl")
    request = device.request([site.authority.ra], site.challenge())
    reply = rawhttp.post(front.port, "/scep?operation=PKIOperation", request.encode()).body
    pem = serialization.Encoding.PEM
    key = write(tmp_path / "key.pem", device.key.private_bytes(pem, serialization.PrivateFormat.PKCS8,
                                                               serialization.NoEncryption()))
    cert = write(tmp_path / "cert.der", device.cert)

    def tool(*args, data):
        return subprocess.run(list(map(str, args)), input=data, check=True, capture_output=True).stdout
    envelope = tool("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-CAfile", site.authority.ca_cert,
                    "-purpose", "any", data=reply)
    plain = tool("openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-inkey", key, "-recip", cert, data=envelope)
    text = tool("certtool", "--p7-info", "--inder", data=plain).decode()
    assert "Number of certificates: 1" in text
    issued = write(tmp_path / "issued.pem", tool("openssl", "pkcs7", "-inform", "DER", "-print_certs", data=plain))
    run("openssl", "verify", "-x509_strict", "-CAfile", site.authority.ca_cert, issued, user=False)
    certs = rawhttp.get(front.port, "/scep?operation=GetCACert").body
    assert "Number of certificates: 2" in tool("certtool", "--p7-info", "--inder", data=certs).decode()
