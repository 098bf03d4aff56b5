#!/usr/bin/python3
"""Makes the hand-written SCEP messages of tests/data/{good,bad}/scep (a bad one's name begins with its error label).

    make_scep_data.py TESTS_DATA_DIR

Needs good/scep/{ca,ra}.{pem,key} of capture_clients.py. The bytes are built by hand, so that every BER form and every mistake is
possible. Files that exist are kept: the data is stable, a new case is added.
"""
import datetime
import hashlib
import os
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding as sympad, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.x509.oid import NameOID

SHA = {"sha1": ("1.3.14.3.2.26", hashes.SHA1, "1.2.840.113549.1.1.5"), "md5": ("1.2.840.113549.2.5", hashes.MD5, "1.2.840.113549.1.1.4"),
       "sha256": ("2.16.840.1.101.3.4.2.1", hashes.SHA256, "1.2.840.113549.1.1.11"),
       "sha384": ("2.16.840.1.101.3.4.2.2", hashes.SHA384, "1.2.840.113549.1.1.12"),
       "sha512": ("2.16.840.1.101.3.4.2.3", hashes.SHA512, "1.2.840.113549.1.1.13")}
CIPHERS = {"aes128": ("2.16.840.1.101.3.4.1.2", algorithms.AES, 16, 16), "aes192": ("2.16.840.1.101.3.4.1.22", algorithms.AES, 24, 16),
           "aes256": ("2.16.840.1.101.3.4.1.42", algorithms.AES, 32, 16), "des3": ("1.2.840.113549.3.7", algorithms.TripleDES, 24, 8),
           "des": ("1.3.14.3.2.7", algorithms.TripleDES, 8, 8), "rc2": ("1.2.840.113549.3.2", algorithms.AES, 16, 16)}
RSA, OAEP, PSS, MGF1 = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.7", "1.2.840.113549.1.1.10", "1.2.840.113549.1.1.8"
DATA, SIGNED, ENVELOPED = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.2", "1.2.840.113549.1.7.3"
TYPE, STATUS, NONCE, TXID = ("2.16.840.1.113733.1.9." + n for n in ("2", "3", "5", "7"))


def length(n, wide=False):
    if n < 128 and not wide:
        return bytes([n])
    octets = n.to_bytes(4 if wide else (n.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def tlv(tag, *parts):
    body = b"".join(parts)
    return bytes([tag]) + length(len(body)) + body


def seq(*parts):
    return tlv(0x30, *parts)


def indefinite(tag, *parts):
    return bytes([tag, 0x80]) + b"".join(parts) + b"\0\0"


def oid(dotted):
    first, second, *rest = map(int, dotted.split("."))
    out = b""
    for arc in [first * 40 + second] + rest:
        digits = [arc & 127]
        while arc := arc >> 7:
            digits.append(128 | arc & 127)
        out += bytes(reversed(digits))
    return tlv(6, out)


def integer(v):
    return tlv(2, v.to_bytes(v.bit_length() // 8 + 1, "big", signed=True))


def alg(dotted, parameters=b"\5\0"):
    return seq(oid(dotted), parameters)


def attr(dotted, *values):
    return seq(oid(dotted), tlv(0x31, *values))


def printable(text):
    return tlv(0x13, text if isinstance(text, bytes) else text.encode())


class Id:
    """A key with its certificate."""

    def __init__(self, key, cert):
        self.key, self.cert = key, cert
        self.der = cert.public_bytes(serialization.Encoding.DER)
        self.issuer, self.serial = cert.issuer.public_bytes(), integer(cert.serial_number)
        spki = cert.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1) \
            if isinstance(key, rsa.RSAPrivateKey) else cert.public_key().public_bytes(
                serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        self.key_id = hashlib.sha1(spki).digest()

    def sid(self, by_key_id=False):
        return tlv(0x80, self.key_id) if by_key_id else seq(self.issuer, self.serial)


def self_signed(key, cn, ski=False):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)])
    b = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key()).serial_number(0x80 << 120)
    b = b.not_valid_before(datetime.datetime(1970, 1, 2)).not_valid_after(datetime.datetime(1970, 1, 3))
    if ski:
        b = b.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    return Id(key, b.sign(key, hashes.SHA256()))


def csr(key, cn):
    b = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)]))
    b = b.add_attribute(x509.oid.AttributeOID.CHALLENGE_PASSWORD, b"made-challenge")
    b = b.add_extension(x509.SubjectAlternativeName([x509.DNSName("made.example")]), False)
    return b.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def octets(content, o):
    """An OCTET STRING: primitive, or as BouncyCastle streams it."""
    if not o.get("ber"):
        return tlv(4, content)
    return indefinite(0x24, *(tlv(4, content[i:i + 1000]) for i in range(0, len(content), 1000)))


def box(tag, o, *parts):
    if o.get("ber"):
        return indefinite(tag, *parts)
    if o.get("wide"):
        body = b"".join(parts)
        return bytes([tag]) + length(len(body), True) + body
    return tlv(tag, *parts)


def wrap_key(to, cek, o):
    pub = to.key.public_key()
    if o.get("oaep"):
        return pub.encrypt(cek, padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None))
    if "raw_key" in o:
        n = pub.public_numbers()
        return pow(int.from_bytes(o["raw_key"], "big"), n.e, n.n).to_bytes(256, "big")
    return pub.encrypt(cek, padding.PKCS1v15())[:o.get("wrapped_cut")]


def ktri(to, cek, o):
    key_alg = oid(RSA) if o.get("bare_algs") else alg(RSA, b"\5\0")
    if o.get("oaep"):
        key_alg = oid(OAEP) + seq()
    params = seq(key_alg) if o.get("bare_algs") or o.get("oaep") else key_alg
    by_id = o.get("rid_skid", False)
    return box(0x30, o, integer(2 if by_id else 0), to.sid(by_id), params, tlv(4, wrap_key(to, cek, o)))


def pwri(cek):
    kdf = alg("1.2.840.113549.1.5.12", seq(tlv(4, os.urandom(8)), integer(2048)))
    kek = alg("1.2.840.113549.1.9.16.3.9", alg("2.16.840.1.101.3.4.1.2", tlv(4, os.urandom(16))))
    return tlv(0xa3, integer(0), b"\xa0" + kdf[1:], kek, tlv(4, os.urandom(32)))


def encrypt(plain, o):
    name = o.get("cipher", "aes128")
    dotted, algorithm, size, block = CIPHERS[name]
    cek, iv = os.urandom(o.get("cek_size", size)), os.urandom(block)
    pad = sympad.PKCS7(8 * block).padder()
    padded = pad.update(plain) + pad.finalize()
    if o.get("bad_pad"):
        padded = padded[:-1] + b"\0"
    real = cek[:size].ljust(size, b"\0")
    real = real * 3 if name == "des" else real
    enc = Cipher(algorithm(real), modes.CBC(iv)).encryptor()
    return alg(dotted, tlv(4, iv[:o.get("iv_cut")])), cek, (enc.update(padded) + enc.finalize())[:o.get("ct_cut")]


def enveloped(plain, recipients, o):
    cipher_alg, cek, ct = encrypt(plain, o)
    infos = [ktri(to, cek, o) for to in recipients]
    if o.get("pwri"):
        infos = [pwri(cek)]
    if o.get("ber"):
        secret = indefinite(0xa0, *(tlv(4, ct[i:i + 1000]) for i in range(0, len(ct), 1000)))
    else:
        secret = tlv(0xa0, tlv(4, ct)) if o.get("constructed") else tlv(0x80, ct)
    info = box(0x30, o, oid(DATA), cipher_alg, secret)
    data = box(0x30, o, integer(o.get("env_version", 0)), tlv(0x31, *infos), info)
    return box(0x30, o, oid(ENVELOPED), box(0xa0, o, data))


def sign(by, data, o):
    name = o.get("digest", "sha256")
    if isinstance(by.key, ec.EllipticCurvePrivateKey):
        dotted = "1.2.840.10045.2.1" if o.get("ec_key_alg") else "1.2.840.10045.4.3.2"
        return alg(dotted, b""), by.key.sign(data, ec.ECDSA(SHA[name][1]()))
    if o.get("pss"):
        h = seq(oid(SHA[name][0]), b"\5\0")
        size = SHA[name][1].digest_size
        params = seq(tlv(0xa0, h), tlv(0xa1, seq(oid(MGF1), h)), tlv(0xa2, integer(size)))
        return alg(PSS, params), by.key.sign(data, padding.PSS(padding.MGF1(SHA[name][1]()), size), SHA[name][1]())
    digest = hashlib.new(name, data).digest()
    signature = by.key.sign(digest, padding.PKCS1v15(), utils.Prehashed(SHA[name][1]()))
    dotted = SHA[name][2] if o.get("sha_rsa") else RSA
    return (seq(oid(dotted)) if o.get("bare_algs") else alg(dotted)), signature


def attributes(content, o):
    digest = hashlib.new(o.get("digest", "sha256"), content or b"").digest()
    known = {
        "content_type": attr("1.2.840.113549.1.9.3", oid(DATA)),
        "message_digest": attr("1.2.840.113549.1.9.4", tlv(4, digest)),
        "type": attr(TYPE, printable(str(o.get("type", 19)))),
        "txid": attr(TXID, printable(o.get("txid", "made by hand: 42"))),
        "nonce": attr(NONCE, tlv(4, o.get("nonce", bytes(range(16))))),
    }
    known.update(o.get("attrs", {}))
    return list(v for v in known.values() if v) + o.get("more_attrs", [])


def signer_info(by, content, o):
    attrs = attributes(content, o)
    as_sent = b"".join(attrs if o.get("unsorted") else sorted(attrs))
    hashed = as_sent if not o.get("sign_sorted") else b"".join(sorted(attrs))
    sig_alg, signature = sign(by, tlv(0x31, hashed), o)
    if o.get("bad_signature"):
        signature = signature[:-1] + bytes([signature[-1] ^ 1])
    digest_alg = alg(SHA[o.get("digest", "sha256")][0], b"" if o.get("bare_algs") else b"\5\0")
    by_id = o.get("sid_skid", False)
    signed = b"" if o.get("no_attrs") else tlv(0xa0, as_sent)
    return seq(integer(3 if by_id else 1), o["sid"] if "sid" in o else by.sid(by_id), digest_alg, signed, sig_alg, tlv(4, signature))


def message(by, content, **o):
    """content: bytes, or None for an absent eContent."""
    certs = [by.der] if "certs" not in o else o["certs"]
    digest_alg = alg(SHA[o.get("digest", "sha256")][0], b"" if o.get("bare_algs") else b"\5\0")
    encap = box(0x30, o, oid(o.get("econtent_type", DATA)), b"" if content is None else box(0xa0, o, octets(content, o)))
    infos = [signer_info(by, o.get("hashed", content), o)] * o.get("signers", 1)
    signed = box(0x30, o, integer(1), tlv(0x31, digest_alg), encap, box(0xa0, o, *certs) if certs else b"", tlv(0x31, *infos))
    return box(0x30, o, oid(SIGNED), box(0xa0, o, signed)) + o.get("trailer", b"")


def load(folder, stem):
    key = serialization.load_pem_private_key((folder / f"{stem}.key").read_bytes(), None)
    return Id(key, x509.load_pem_x509_certificate((folder / f"{stem}.pem").read_bytes()))


def client_key(folder, stem, make):
    path = folder / f"{stem}.key"
    if not path.exists():
        path.write_bytes(make().private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        path.chmod(0o600)
    return serialization.load_pem_private_key(path.read_bytes(), None)


def good_cases(me, ecc, ra, ca):
    request = csr(me.key, "made-device")

    def one(to=(ra,), plain=request, by=me, **o):
        return message(by, enveloped(plain, to, o), **o)

    ias = seq(ca.cert.subject.public_bytes(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made-device")]).public_bytes())
    serial = seq(ca.issuer, integer(4711))
    with_ski = self_signed(me.key, "made-device", ski=True)
    return {
        "der-sha256-aes128": one(), "ber-indefinite": one(ber=True), "wide-lengths": one(wide=True),
        "sha1-des3": one(digest="sha1", cipher="des3"), "sha512-aes256": one(digest="sha512", cipher="aes256"),
        "sha384-aes192": one(digest="sha384", cipher="aes192"), "md5-des": one(digest="md5", cipher="des"),
        "constructed-ciphertext": one(constructed=True), "no-parameters": one(bare_algs=True),
        "sigalg-sha256rsa": one(sha_rsa=True), "sigalg-pss": one(pss=True),
        "signer-ec": one(by=ecc, plain=csr(ecc.key, "made-device")), "signer-ec-keyalg": one(by=ecc, plain=csr(ecc.key, "made-device"), ec_key_alg=True),
        "sid-skid": one(by=with_ski, sid_skid=True), "sid-skid-computed": one(sid_skid=True),
        "signer-second": one(certs=[ca.der, me.der]), "recipient-skid": one(rid_skid=True, env_version=2),
        "recipients-two": one(to=(ca, ra)), "attrs-unsorted": one(unsorted=True),
        "attrs-signed-sorted": one(unsorted=True, sign_sorted=True),
        "txid-utf8": one(attrs={"txid": attr(TXID, tlv(0x0c, b"utf8 txid"))}), "txid-ia5": one(attrs={"txid": attr(TXID, tlv(0x16, b"ia5 txid"))}),
        "txid-255": one(txid="x" * 255), "txid-1": one(txid="0"), "nonce-1": one(nonce=b"\0"), "nonce-64": one(nonce=b"\7" * 64),
        "random-nonce": one(more_attrs=[attr("1.2.840.113549.1.9.25.3", tlv(4, bytes(16)))]),
        "algorithm-protection": one(more_attrs=[attr("1.2.840.113549.1.9.52", seq(alg(SHA["sha256"][0]), b"\xa1" + alg(RSA)[1:]))]),
        "trailing-crlf": one(trailer=b"\0\0\r\n"), "type-unknown": one(type=99), "renewalreq": one(type=17),
        "certpoll": one(type=20, plain=ias), "getcert": one(type=21, plain=serial), "getcrl": one(type=22, plain=serial),
    }


def bad_cases(me, ra, ca, weak):
    request = csr(me.key, "made-device")

    def one(to=(ra,), plain=request, by=me, **o):
        return message(by, enveloped(plain, to, o), **o)

    def without(which):
        return one(attrs={which: None})

    def swapped(which, value):
        return one(attrs={which: value})

    plain = one()
    return {
        "syntax-empty": b"", "syntax-text": b"<html>no</html>", "syntax-truncated": plain[:len(plain) // 2], "syntax-cut-by-one": plain[:-1],
        "syntax-enveloped": enveloped(request, (ra,), {}), "syntax-csr": request, "syntax-trailing": plain + b"x",
        "syntax-two-signers": one(signers=2),
        "attribute-no-signed-attrs": one(no_attrs=True), "attribute-no-type": without("type"), "attribute-no-txid": without("txid"),
        "attribute-no-nonce": without("nonce"), "attribute-type-integer": swapped("type", attr(TYPE, integer(19))),
        "attribute-type-name": one(type="PKCSReq"), "attribute-type-negative": one(type=-19), "attribute-type-leading-zero": one(type="019"),
        "attribute-type-huge": one(type=10 ** 12), "attribute-type-empty": one(type=""), "attribute-type-two-values": swapped("type", attr(TYPE, printable("19"), printable("20"))),
        "attribute-type-no-value": swapped("type", attr(TYPE)), "attribute-type-twice": one(more_attrs=[attr(TYPE, printable("20"))]),
        "attribute-txid-twice": one(more_attrs=[attr(TXID, printable("other"))]), "attribute-txid-empty": one(txid=""),
        "attribute-txid-256": one(txid="x" * 256), "attribute-txid-bmp": swapped("txid", attr(TXID, tlv(0x1e, b"\0x"))),
        "attribute-txid-octets": swapped("txid", attr(TXID, tlv(4, b"x"))), "attribute-nonce-empty": one(nonce=b""),
        "attribute-nonce-65": one(nonce=bytes(65)), "attribute-nonce-printable": swapped("nonce", attr(NONCE, printable("0123456789abcdef"))),
        "attribute-status-text": one(more_attrs=[attr(STATUS, printable("ok"))]),
        "no_signer-unsigned": one(signers=0), "no_signer-no-certificate": one(certs=[]), "msg_check-other-certificate": one(certs=[ca.der]),
        "msg_check-wrong-sid": one(sid=seq(me.issuer, integer(5))),
        "msg_check-signature": one(bad_signature=True), "msg_check-content": one(hashed=b"another content"),
        "msg_check-other-key": message(ca, enveloped(request, (ra,), {}), sid=me.sid(), certs=[me.der]),
        "msg_check-no-content-type": without("content_type"), "msg_check-no-message-digest": without("message_digest"),
        "msg_check-content-type": swapped("content_type", attr("1.2.840.113549.1.9.3", oid(SIGNED))),
        "alg-md5": one(digest="md5"), "alg-sha1": one(digest="sha1"), "key_weak-rsa-1024": one(by=weak),
        "alg-des": one(cipher="des"), "alg-des3": one(cipher="des3"), "alg-rc2": one(cipher="rc2"), "alg-oaep": one(oaep=True),
        "recipient-other": one(to=(ca,)), "recipient-pwri": one(pwri=True), "recipient-key-short": one(wrapped_cut=-1),
        "unseal-absent": message(me, None), "unseal-empty": message(me, b""), "unseal-bare-csr": message(me, request),
        "unseal-no-recipients": one(to=()), "unseal-garbage": message(me, b"garbage"), "unseal-rsa-padding": one(raw_key=b"\0\1" + b"\xff" * 240), "unseal-rsa-zero": one(raw_key=b"\0"),
        "unseal-key-length": one(cek_size=15), "unseal-key-long": one(cek_size=32), "unseal-cbc-padding": one(bad_pad=True),
        "unseal-ciphertext-odd": one(ct_cut=-1), "unseal-ciphertext-empty": one(ct_cut=0), "unseal-iv-short": one(iv_cut=-1),
    }


def main():
    data = pathlib.Path(sys.argv[1])
    good, bad = data / "good/scep", data / "bad/scep"
    ra, ca = load(good, "ra"), load(good, "ca")
    me = self_signed(client_key(good, "client", lambda: rsa.generate_private_key(65537, 2048)), "made-device")
    ecc = self_signed(client_key(good, "client-ec", lambda: ec.generate_private_key(ec.SECP256R1())), "made-device")
    weak = self_signed(rsa.generate_private_key(65537, 1024), "weak-device")
    for folder, cases in ((good, good_cases(me, ecc, ra, ca)), (bad, bad_cases(me, ra, ca, weak))):
        for stem, content in cases.items():
            path = folder / f"{stem}.der"
            if not path.exists():
                path.write_bytes(content)


if __name__ == "__main__":
    main()
