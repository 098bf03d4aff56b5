"""Requests as the client families send them, octet for octet where it matters: doc/CLIENTS.md tells who sends what."""
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

import der
import scepmsg
from scepmsg import Request

CMS_ALGORITHM_PROTECTION, MICROSOFT_ATTRIBUTE = "1.2.840.113549.1.9.52", "1.3.6.1.4.1.311.21.33"
SHA256_RSA = "1.2.840.113549.1.1.11"
UNSTRUCTURED_NAME, SERIAL_NUMBER, COMMON_NAME = "1.2.840.113549.1.9.2", "2.5.4.5", "2.5.4.3"


def rdn(dotted, text, tag=der.PRINTABLE):
    return der.set_of(der.seq(der.oid(dotted), der.tlv(tag, text.encode())))


def signer(key, subject, *, version=3, serial=1, dates=(b"260101000000Z", b"360101000000Z"), issuer=None):
    """A self-signed certificate of a first request: nothing in it but a key needs to make sense (P-185)."""
    algorithm = der.algorithm(SHA256_RSA, der.NULL_TLV)
    validity = der.seq(*(der.tlv(0x17 if len(d) == 13 else 0x18, d) for d in dates))
    tbs = der.seq(*([der.tlv(0xA0, der.integer(2))] if version == 3 else []), der.integer(serial), algorithm, issuer or subject, validity,
                  subject, scepmsg.spki(key))
    return der.seq(tbs, algorithm, der.tlv(0x03, b"\0" + scepmsg.sign(key, tbs, "sha256")))


def pkcs10(key, subject, attributes, digest="sha256", sort=True):
    """PKCS#10; sort False: the attribute SET not in DER order."""
    attributes = sorted(attributes, reverse=not sort)
    info = der.seq(der.integer(0), subject, scepmsg.spki(key), der.tlv(0xA0, b"".join(attributes)))
    return der.seq(info, scepmsg.signature_algorithm(key, digest), der.tlv(0x03, b"\0" + scepmsg.sign(key, info, digest)))


def challenge(text, tag=der.PRINTABLE):
    coded = text.encode("utf-16-be" if tag == 0x1E else "utf-8")
    return der.seq(der.oid(scepmsg.CHALLENGE), der.set_of(der.tlv(tag, coded)))


def dns_names(*names, dotted=scepmsg.EXTENSION_REQUEST):
    san = der.seq(*(der.tlv(0x82, n.encode()) for n in names))
    return der.seq(der.oid(dotted), der.set_of(der.seq(der.seq(der.oid("2.5.29.17"), der.tlv(der.OCTETS, san)))))


def envelope(plain, cert, cipher, *, transport=None, parameters=der.NULL_TLV, constructed=False, version=0):
    """EnvelopedData in DER, with what some write differently: `constructed`: the [0] of encryptedContent (Go's pkcs7)."""
    cipher_oid, size, block, _ = scepmsg.CIPHERS[cipher]
    key, iv = os.urandom(size), os.urandom(block)
    public = x509.load_der_x509_certificate(cert).public_key()
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    wrapped = public.encrypt(key, oaep if transport else padding.PKCS1v15())
    info = der.seq(der.integer(0), scepmsg.issuer_and_serial(cert), der.algorithm(transport or scepmsg.RSA, parameters),
                   der.tlv(der.OCTETS, wrapped))
    data = scepmsg.encrypt(cipher, key, iv, plain)
    content = der.tlv(0xA0, der.tlv(der.OCTETS, data)) if constructed else der.tlv(0x80, data)
    encrypted = der.seq(der.oid(scepmsg.ID_DATA), der.algorithm(cipher_oid, der.tlv(der.OCTETS, iv)), content)
    body = der.seq(der.integer(version), der.set_of(info), encrypted)
    return der.seq(der.oid(scepmsg.ID_ENVELOPED), der.tlv(0xA0, body))


def sscep(key, to, secret):
    """FortiGate and IGEL derive from it."""
    subject = der.seq(rdn(COMMON_NAME, "sscep"))
    cert = signer(key, subject, serial=int.from_bytes(b"\x7f" + os.urandom(31), "big"))
    return Request(key, cert, [to], pkcs10(key, subject, [challenge(secret)]), txid=os.urandom(16).hex().upper())


def strongswan(key, to, secret):
    """The CSR's attributes unsorted; signatureAlgorithm spelled out; a serial number of 21 octets."""
    subject = der.seq(rdn(COMMON_NAME, "strongswan", der.UTF8))
    plain = pkcs10(key, subject, [challenge(secret), dns_names("vpn.example")], sort=False)
    return Request(key, signer(key, subject, serial=1 << 160), [to], plain, txid=os.urandom(20).hex().upper(), signature_oid=SHA256_RSA)


def scepclient(key, to, secret):
    """strongSwan before 5.9.8: DES and MD5, everything unsorted."""
    subject = der.seq(rdn(COMMON_NAME, "scepclient"))
    plain = pkcs10(key, subject, [challenge(secret), dns_names("old-vpn.example")], digest="md5", sort=False)
    return Request(key, signer(key, subject), [to], plain, txid=os.urandom(16).hex().upper(), digest="md5", cipher="des", sort=False)


def certmonger(key, to, secret):
    """X.509 version 1 for 100 years, a serial number of 33 octets, a transaction id of 78 digits, AES-256."""
    subject = der.seq(rdn(COMMON_NAME, "certmonger", der.UTF8))
    cert = signer(key, subject, version=1, serial=1 << 255, dates=(b"260101000000Z", b"21260101000000Z"))
    return Request(key, cert, [to], pkcs10(key, subject, [challenge(secret)]), txid="9" * 78, cipher="aes256")


def micromdm(key, to, secret):
    """DES and SHA-1, the encrypted content constructed inside DER, rsaEncryption without parameters, base64 as transaction id."""
    subject = der.seq(rdn(COMMON_NAME, "micromdm"))
    plain = pkcs10(key, subject, [challenge(secret)])
    return Request(key, signer(key, subject), [to], plain, txid="q+/" + os.urandom(16).hex() + "=", digest="sha1", cipher="des",
                   content=envelope(plain, to, "des", parameters=b"", constructed=True))


def jscep(key, to, secret):
    """BouncyCastle: BER in pieces, CMSAlgorithmProtection, a certificate whose validity ends as it begins."""
    subject = der.seq(rdn(COMMON_NAME, "jscep", der.UTF8))
    protection = der.seq(der.algorithm(scepmsg.DIGESTS["sha256"].oid, der.NULL_TLV), der.tlv(0xA1, der.oid(SHA256_RSA) + der.NULL_TLV))
    cert = signer(key, subject, dates=(b"260101000000Z", b"260101000000Z"))
    return Request(key, cert, [to], pkcs10(key, subject, [challenge(secret)]), txid=os.urandom(20).hex(), ber=True,
                   signature_oid=SHA256_RSA, extra=(scepmsg.attribute(CMS_ALGORITHM_PROTECTION, protection),))


def cryptlib(key, to, secret):
    """randomNonce: it refuses an eContent in PENDING and FAILURE."""
    subject = der.seq(rdn(COMMON_NAME, "cryptlib"))
    random_nonce = scepmsg.attribute(scepmsg.RANDOM_NONCE, der.tlv(der.OCTETS, os.urandom(16)))
    return Request(key, signer(key, subject), [to], pkcs10(key, subject, [challenge(secret)]), txid="a+b/" + os.urandom(6).hex(),
                   extra=(random_nonce,))


def apple(key, to, secret):
    """BER; the signer's subject is a random UUID, not the CSR's."""
    subject = der.seq(rdn(COMMON_NAME, "apple", der.UTF8))
    uuid = der.seq(rdn(COMMON_NAME, "550E8400-E29B-41D4-A716-446655440000", der.UTF8))
    return Request(key, signer(key, uuid), [to], pkcs10(key, subject, [challenge(secret)]), txid=os.urandom(20).hex().upper(), ber=True)


def cisco(key, to, secret):
    """IOS: 3DES and SHA-1; the CSR's subject has serialNumber and unstructuredName, the signer's has not."""
    subject = der.seq(der.set_of(der.seq(der.oid(SERIAL_NUMBER), der.tlv(der.PRINTABLE, b"FTX1234A5BC")),
                                 der.seq(der.oid(UNSTRUCTURED_NAME), der.tlv(der.IA5, b"router.example"))))
    cert = signer(key, der.seq(rdn(UNSTRUCTURED_NAME, "router.example", der.IA5)))
    return Request(key, cert, [to], pkcs10(key, subject, [challenge(secret)], "sha1"), txid=os.urandom(16).hex().upper(), digest="sha1",
                   cipher="des3")


def juniper(key, to, secret):
    subject = der.seq(rdn(COMMON_NAME, "juniper"))
    return Request(key, signer(key, subject), [to], pkcs10(key, subject, [challenge(secret)]), txid=os.urandom(16).hex().upper(),
                   digest="sha1", cipher="des3")


def mikrotik(key, to, secret):
    """Needs a senderNonce in the answer, as read_reply does."""
    subject = der.seq(rdn(COMMON_NAME, "mikrotik", der.UTF8))
    return Request(key, signer(key, subject), [to], pkcs10(key, subject, [challenge(secret)], "sha1"), txid=os.urandom(8).hex(),
                   digest="sha1", cipher="des3", nonce=os.urandom(16))


def windows(key, to, secret, other_key=None, **how):
    """Signed by another key than the one to be certified; Microsoft's attributes; the challenge as BMPString."""
    subject = der.seq(rdn(COMMON_NAME, "windows", der.UTF8))
    other = other_key or scepmsg.Device.shared("windows-signer").key
    cert = signer(other, der.seq(rdn(COMMON_NAME, "SCEP Protocol Certificate")))
    os_version = der.seq(der.oid("1.3.6.1.4.1.311.13.2.3"), der.set_of(der.tlv(der.IA5, b"10.0.19045.2")))
    attributes = [challenge(secret, 0x1E), dns_names("pc.example", dotted="1.3.6.1.4.1.311.2.1.14"), os_version]
    return Request(other, cert, [to], pkcs10(key, subject, attributes), txid=os.urandom(20).hex(), **how)


def printer(key, to, secret):
    """Firmware of unknown descent: a date of 1970, an empty name, a short nonce, text that is UTF8String."""
    subject = der.seq(rdn(COMMON_NAME, "printer"))
    cert = signer(key, der.seq(), serial=0, dates=(b"700101000000Z", b"700102000000Z"))
    return Request(key, cert, [to], pkcs10(key, subject, [challenge(secret)]), txid="printer 12 (hall)", txid_tag=der.UTF8,
                   nonce=b"12345678", digest="sha256")
