"""Two RA certificates, as NDES has them: one that decrypts (RSA), and one that signs, which may be of another kind (P-38)."""
import os

import der
import pytest
import scepmsg
from clients import CLIENTS, key_file
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from processes import new_folder, run
from scepmsg import BAD_REQUEST, PENDING, SUCCESS, Device


class Pair:
    """A site whose RA is a pair."""

    def __init__(self, make_site, kind, ca="rsa:2048"):
        self.kind, self.site = kind, make_site(ca)
        site = self.site
        folder, authority = new_folder("pair-", site.folder), site.authority
        how = ["--ca-cert", authority.ca_cert, "--ca-key", authority.ca_key, "--out", folder]
        run(site.scepter, "ca", "issue-ra", *how, "--for", "encrypt")
        run(site.scepter, "ca", "issue-ra", *how, "--for", "sign", "--key-type", kind)
        self.files = {n: folder / n for n in ("ra.pem", "ra.key", "ra-sign.pem", "ra-sign.key")}
        self.encrypt, self.sign = (scepmsg.certificate(self.files[n].read_bytes()) for n in ("ra.pem", "ra-sign.pem"))
        site.profiles["default"] = site.profile(
            ra={"certificate": self.files["ra.pem"], "key": self.files["ra.key"]},
            ra_sign={"certificate": self.files["ra-sign.pem"], "key": self.files["ra-sign.key"]})

    def client(self, client_of):
        client = client_of(self.site, self.site.start("lighttpd-socket"))
        client.to, client.trusted = [self.encrypt], [self.sign]	# whatever answers is signed by that one only
        return client


@pytest.fixture(scope="module", params=["rsa:2048", "ec:p256"])
def pair(request, make_site, client_of):
    made = Pair(make_site, request.param)
    made.stand = made.client(client_of)
    yield made
    made.site.stop()


def test_both_are_announced(pair):
    answer = pair.stand.get("operation=GetCACert")
    assert answer.type == "application/x-x509-ca-ra-cert"
    assert scepmsg.read_certs_only(answer.body) == [pair.encrypt, pair.sign, pair.site.authority.ca]


def test_every_answer_is_signed_by_the_one_that_signs(pair):
    client = pair.stand
    request = client.request(label="split")
    first = client.enrol(request)
    assert client.send(request.but(nonce=os.urandom(16))).certs == first.certs
    client.refused(client.request(challenge="wrong challenge"), BAD_REQUEST)
    client.enrol(device=Device("ec", curve=ec.SECP256R1()))


def test_what_is_encrypted_to_the_wrong_one(pair):
    if pair.kind == "rsa:2048":
        pair.stand.refused(pair.stand.request(to=[pair.sign]), BAD_REQUEST)
    pair.stand.refused(pair.stand.request(to=[pair.site.authority.ca]), BAD_REQUEST)


def test_nobody_gets_a_certificate_for_our_keys(pair):
    """P-123, for each of the two."""
    for name in ("ra.key", "ra-sign.key"):
        thief = Device("thief")
        thief.key = scepmsg.serialization.load_pem_private_key(pair.files[name].read_bytes(), None)
        thief.cert = scepmsg.self_signed(thief.key, "thief")
        reply = pair.stand.send(pair.stand.request(device=thief))
        assert reply.status == scepmsg.FAILURE


def enrolled_by(pair, client, name):
    folder = new_folder("client-", pair.site.folder)
    cert = CLIENTS[client](pair.site, pair.stand.front.url, folder, pair.site.challenge(), name)
    stored = pair.site.execute("SELECT der FROM scep.cert WHERE subject LIKE %s", f"%{name}%")
    assert [bytes(row[0]) for row in stored] == [cert]


def test_our_client(pair):
    enrolled_by(pair, "scepter", "split-scepter")


def test_certmonger(pair):
    """It chooses by keyUsage."""
    enrolled_by(pair, "certmonger", "split-certmonger")


def test_strongswan(pair):
    """pki writes the RA certificates to numbered files; who calls it tells which is which."""
    folder = new_folder("client-", pair.site.folder)
    key, ca, ra = key_file(folder, scepmsg.new_key()), folder / "ca.pem", folder / "ra.pem"
    run("pki", "--scepca", "--url", pair.stand.front.url, "--caout", ca, "--raout", ra, "--outform", "pem", "--force", cwd=folder)
    written = {scepmsg.certificate(p.read_bytes()): p for p in folder.glob("ra*.pem")}
    assert set(written) == {pair.encrypt, pair.sign}
    done = run("pki", "--scep", "--url", pair.stand.front.url, "--in", key, "--dn", "CN=split-strongswan, O=Example", "--password",
               pair.site.challenge(), "--cacert-enc", written[pair.encrypt], "--cacert-sig", written[pair.sign], "--cacert", ca,
               "-t", "2", "-m", "12", "--outform", "pem", cwd=folder, check=False)
    if pair.kind == "ec:p256":		# the manual warns of it
        assert done.returncode != 0 and "only RSA digest encryption supported" in done.stderr
    else:
        assert scepmsg.certificate(done.stdout.encode())


def test_ed25519_signs_behind_an_ec_ca(make_site, client_of):
    """It always digests with SHA-512 (RFC 8419), whatever the request's was; a poll may name it as issuer."""
    pair = Pair(make_site, "ed25519", "ec:p384")
    pair.site.profiles["default"]["approval"] = {"mode": "manual"}
    client = pair.client(client_of)
    request = client.request(device=Device("ed", curve=ed25519), common_name="ed", digest="sha512")
    assert client.send(request).status == PENDING
    pair.site.run("request", "approve", pair.site.json("request", "list")[0]["id"])
    issuer = scepmsg.x509.load_der_x509_certificate(pair.sign).subject.public_bytes()
    reply = client.send(request.but(message_type="20", plain=der.seq(issuer, scepmsg.name("ed")), nonce=os.urandom(16)))
    assert reply.status == SUCCESS and reply.digest == "sha512"
    client.check_cert(reply, request)
    assert client.send(client.request(label="with-sha256", digest="sha256")).digest == "sha512"
    pair.site.stop()


@pytest.mark.parametrize("sections,complaint", [
    ({"ra": None}, "needs one that decrypts beside it"),
    ({"ra_sign": {"key": "RA"}}, "does not belong to the signing RA certificate"),
    ({"ra_sign": {"certificate": "RA", "key": "RA"}}, "does not include digitalSignature"),
    ({"ra": {"certificate": "SIGN", "key": "SIGN"}}, "does not include keyEncipherment"),
])
def test_what_check_says(make_site, sections, complaint):
    pair = Pair(make_site, "ec:p256")
    places = {"RA": "ra", "SIGN": "ra-sign"}
    profile = pair.site.profiles["default"]
    for section, values in sections.items():
        if values is None:
            del profile[section]
        else:
            suffix = {"certificate": "pem", "key": "key"}
            profile[section].update({k: pair.files[f"{places[v]}.{suffix[k]}"] for k, v in values.items()})
    pair.site.write()
    done = pair.site.run("check", ini=pair.site.ini, check=False)
    assert done.returncode != 0 and complaint in done.stdout + done.stderr
