"""GetCert and GetCRL (RFC 8894, 3.3.4, 3.3.5; P-98, P-102, P-125, P-126, P-145 to P-149, P-204)."""
import der
import pytest
import scepmsg
from cryptography import x509
from scepmsg import BAD_CERT_ID, Device, Request, self_signed

GETCERT, GETCRL = "21", "22"
BAD_REQUEST = 2


@pytest.fixture(scope="module")
def looking(make_site, client_of):
    site = make_site()
    for word in ("own", "any", "off"):
        site.profiles[word] = site.profile(lookup={"getcert": word, "getcrl": "no" if word == "off" else "yes"})
    site.profiles["chain"] = site.profile(scep={"include_chain": "yes"})
    front = site.start("lighttpd-socket")
    return lambda profile="default": client_of(site, front, f"/scep/{profile}", profile)


@pytest.fixture(scope="module")
def wanted(looking):
    """A device with a certificate."""
    request = looking().request(label="wanted")
    return request.key, looking().enrol(request).certs[0]


def issuer_and_serial(cert, serial=None, issuer=None):
    c = x509.load_der_x509_certificate(cert)
    return der.seq(issuer or c.issuer.public_bytes(), der.integer(c.serial_number if serial is None else serial))


def ask(client, signer, plain, message_type=GETCERT, **how):
    how.setdefault("txid", "SSCEP transactionId")
    return Request(*signer, list(client.to), plain, message_type=message_type, **how)


def stranger(label="stranger"):
    key = Device.shared(label).key
    return key, self_signed(key, label)


def test_the_holder_gets_it(looking, wanted):
    """Signed with the certificate itself; with a self-signed one of the same key; over and over under the same transaction id."""
    for profile in ("default", "own", "any"):
        client = looking(profile)
        for signer in (wanted, (wanted[0], self_signed(wanted[0], "x"))):
            reply = client.send(ask(client, signer, issuer_and_serial(wanted[1])))
            assert reply.status == scepmsg.SUCCESS and reply.certs == [wanted[1]]
    reply = looking("chain").send(ask(looking("chain"), wanted, issuer_and_serial(wanted[1])))
    assert reply.certs[0] == wanted[1] and len(reply.certs) == 2


def test_who_else(looking, wanted):
    """Another device of this CA by default; with 'any' everybody; with 'own' nobody else."""
    request = looking().request(label="neighbour")
    neighbour = request.key, looking().enrol(request).certs[0]
    plain = issuer_and_serial(wanted[1])
    assert looking().send(ask(looking(), neighbour, plain)).certs == [wanted[1]]
    assert looking("any").send(ask(looking("any"), stranger(), plain)).certs == [wanted[1]]
    looking("own").refused(ask(looking("own"), neighbour, plain), BAD_CERT_ID)
    looking().site.run("cert", "revoke", f"{x509.load_der_x509_certificate(neighbour[1]).serial_number:032x}")
    looking().refused(ask(looking(), neighbour, plain), BAD_CERT_ID)
    assert looking().send(ask(looking(), neighbour, issuer_and_serial(neighbour[1]))).certs == [neighbour[1]], "one's own, revoked or not"


def test_strangers_learn_nothing(looking, wanted):
    """What is there and what is not look the same, whatever the signer claims to be."""
    client = looking()
    serial = x509.load_der_x509_certificate(wanted[1]).serial_number
    key = Device.shared("forger").key
    signers = [stranger(), (key, scepmsg.forged(key, client.site.authority.ca, serial))]
    answers = {(reply.status, reply.fail_info, reply.fail_text)
               for signer in signers for plain in (issuer_and_serial(wanted[1]), issuer_and_serial(wanted[1], serial=serial + 1))
               for reply in [client.send(ask(client, signer, plain))]}
    assert answers == {(scepmsg.FAILURE, BAD_CERT_ID, "no such certificate")}


def test_odd_questions(looking, wanted):
    client = looking()
    for plain in (issuer_and_serial(wanted[1], serial=1), issuer_and_serial(wanted[1], serial=-1), issuer_and_serial(wanted[1], serial=0),
                  issuer_and_serial(wanted[1], serial=2**400), issuer_and_serial(wanted[1], issuer=scepmsg.name("another CA"))):
        client.refused(ask(client, wanted, plain), BAD_CERT_ID)
    for plain in (b"", der.seq(), der.seq(scepmsg.name("x")), der.seq(scepmsg.name("x"), scepmsg.name("y")), issuer_and_serial(wanted[1]) + b"\0",
                  scepmsg.csr(wanted[0], "x")):
        for message_type in (GETCERT, GETCRL):
            reply = client.refused(ask(client, wanted, plain, message_type), BAD_CERT_ID)
            assert reply.fail_text == "no such certificate", "what is in the envelope decides nothing that can be seen (P-85)"
    for message_type in (GETCERT, GETCRL):
        looking("off").refused(ask(looking("off"), wanted, issuer_and_serial(wanted[1]), message_type), BAD_REQUEST)


def test_get_crl(looking, wanted):
    """The newest CRL alone, for whoever asks, whatever the serial number is."""
    client = looking()
    ca = x509.load_der_x509_certificate(client.site.authority.ca)
    for signer in (wanted, stranger()):
        for serial in (None, 0, 12345, 2**300):
            for txid in ("SSCEP transactionId", "0"):
                reply = client.send(ask(client, signer, issuer_and_serial(wanted[1], serial), GETCRL, txid=txid))
                assert reply.status == scepmsg.SUCCESS
    crl = x509.load_der_x509_crl(reply.certs[0])
    assert crl.is_signature_valid(ca.public_key()) and crl.issuer == ca.subject
    client.refused(ask(client, wanted, issuer_and_serial(wanted[1], issuer=scepmsg.name("another CA")), GETCRL), BAD_CERT_ID)


def test_weak_cipher_is_followed_only_where_it_is_allowed(looking, wanted):
    client = looking()
    reply = client.send(ask(client, wanted, issuer_and_serial(wanted[1]), GETCRL, cipher="aes256", digest="sha512"))
    assert (reply.cipher, reply.digest) == ("aes256", "sha512")
