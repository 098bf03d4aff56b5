"""Enrolment by hand-made messages: what must be accepted, and what the answer follows."""
import os

import der
import pytest
import scepmsg
from cryptography import x509
from scepmsg import Device, csr


@pytest.mark.parametrize("ber", [False, True], ids=["der", "ber"])
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("cipher", ["aes128", "aes192", "aes256"])
def test_answer_follows_the_request(shared, cipher, digest, ber):
    reply = shared.enrol(cipher=cipher, digest=digest, ber=ber)
    assert (reply.cipher, reply.digest) == (cipher, digest)


def test_unsorted_attributes(shared):
    shared.enrol(sort=False)


@pytest.mark.parametrize("dotted", ["1.2.840.113549.1.1.11", scepmsg.RSA])
def test_signature_algorithm(shared, dotted):
    shared.enrol(signature_oid=dotted)


@pytest.mark.parametrize("txid", ["0", "SSCEP transactionId", "a+/=b", "9" * 78, "x" * 255,
                                  "550e8400-e29b-41d4-a716-446655440000"])
def test_transaction_ids(shared, txid):
    shared.enrol(txid=txid, label=f"txid {txid[:20]}")


@pytest.mark.parametrize("size", [1, 8, 16, 32, 64])
def test_nonce_sizes(shared, size):
    shared.enrol(nonce=os.urandom(size))


def test_unknown_attribute_is_ignored(shared):
    shared.enrol(extra=(scepmsg.attribute("1.2.840.113549.1.9.52", der.seq()),))


@pytest.mark.parametrize("tag", [der.UTF8, der.PRINTABLE, der.IA5, 0x14, 0x1E],
                         ids=["utf8", "printable", "ia5", "teletex", "bmp"])
def test_challenge_string_types(shared, tag):
    device = Device.shared("device")
    plain = csr(device.key, "device", shared.challenge(), challenge_tag=tag)
    shared.enrol(shared.request(device=device, plain=plain))


def test_subject_alternative_names(shared):
    reply = shared.enrol(dns=("a.example", "b.example"))
    names = reply.cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.example", "b.example"]


def test_unsorted_csr_attributes(shared):
    """strongSwan's CSR: its attribute SET is not in DER order, and signed so."""
    device = Device.shared("unsorted")
    challenge = der.seq(der.oid(scepmsg.CHALLENGE), der.set_of(der.tlv(der.UTF8, shared.challenge().encode())))
    other = der.seq(der.oid("1.2.840.113549.1.9.2"), der.set_of(der.tlv(der.UTF8, b"x")))
    low, high = sorted([challenge, other])
    info = der.seq(der.integer(0), scepmsg.name("unsorted"), scepmsg.spki(device.key), der.tlv(0xA0, high + low))
    plain = der.seq(info, scepmsg.signature_algorithm(device.key, "sha256"),
                    der.tlv(3, b"\0" + scepmsg.sign(device.key, info, "sha256")))
    shared.enrol(shared.request(device=device, plain=plain))


def test_signer_certificate_of_any_kind(shared):
    """Names, dates and serial of a first request's signer are nobody's business: only its key is."""
    device = Device("somebody else", cert_digest="sha512")
    device.label = "the subject"
    shared.enrol(shared.request(device=device))


def test_recipient_may_be_one_of_several(shared):
    shared.enrol(to=[Device.shared("stranger").cert, shared.site.authority.ra])


def test_static_secret(site, client_of):
    from processes import write
    write(site.folder / "secrets", "# fleet\nfirst-secret\nsecond-secret\n", 0o600)
    site.profiles["default"]["enrol"] = {"static_challenge_file": site.folder / "secrets"}
    client = client_of(site, site.start("lighttpd-socket"))
    for n, secret in enumerate(["first-secret", "second-secret", "first-secret"]):
        client.enrol(label=f"static {n}", challenge=secret)
    for wrong in ("third-secret", "first-secre", "# fleet", None):
        client.refused(client.request(challenge=wrong), scepmsg.BAD_REQUEST)


def test_second_profile(site, client_of):
    site.profiles["other"] = site.profile(certificate={"validity": "30d"})
    front = site.start("lighttpd-socket")
    other = client_of(site, front, "/scep/other", "other")
    reply = other.enrol()
    assert (reply.cert.not_valid_after - reply.cert.not_valid_before).days in range(29, 32)
    default = client_of(site, front)
    default.refused(default.request(challenge=other.challenge()), scepmsg.BAD_REQUEST)
    default.enrol()


def test_windows_signs_with_another_key(site, client_of):
    site.profiles["default"]["enrol"]["signer_key"] = "any"
    client = client_of(site, site.start("lighttpd-socket"))
    device, other = Device.shared("device"), Device.shared("other")
    client.enrol(client.request(device=device, plain=csr(other.key, "other", client.challenge())))


def test_what_is_recorded(shared):
    request = shared.request(label="recorded")
    serial = format(shared.enrol(request).cert.serial_number, "x")
    row = next(c for c in shared.site.certs() if c["serial"].lstrip("0").lower() == serial)
    assert "recorded" in row["subject"] and row["profile"] == "default"
    shown = shared.site.run("cert", "show", row["serial"]).stdout
    assert "recorded" in shown


def test_obsolete_client(site, client_of):
    """DES and SHA-1 where a profile says so, and nowhere else."""
    site.profiles["museum"] = site.profile(scep={"legacy": "sha1 des3", "obsolete": "des md5"})
    front = site.start("lighttpd-socket")
    museum = client_of(site, front, "/scep/museum", "museum")
    for cipher, digest in (("des", "sha1"), ("des3", "sha1"), ("des", "md5")):
        reply = museum.enrol(cipher=cipher, digest=digest)
        assert (reply.cipher, reply.digest) == (cipher, digest)
    default = client_of(site, front)
    default.refused(default.request(cipher="des", digest="sha256"), scepmsg.BAD_ALG)
