#!/usr/bin/python3
"""Makes tests/data/bad/messages: requests that are wrong in one place each, and the manifest of what must be answered.

    make_bad_messages.py TESTS_DATA_DIR

Every message is right but for what its name says: encrypted to the RA of good/scep, signed by the client of good/scep, with a challenge
that the replaying test (tests/e2e/test_17_bad_messages.py) makes valid. So none of them may be refused for another reason.
Answers: an HTTP status, or the failInfo of a signed FAILURE. Files that exist are kept: a case with a new content needs a new name.
"""
import hashlib
import pathlib
import sys

import make_scep_data as m
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import NameOID
from make_scep_data import NONCE, TXID, TYPE, alg, attr, integer, oid, printable, seq, tlv

ALG, CHECK, REQUEST, CERT_ID, HTTP = "badAlg", "badMessageCheck", "badRequest", "badCertId", "400"
SUBJECT = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made-device")]).public_bytes()
CHALLENGE = attr("1.2.840.113549.1.9.7", tlv(0x0c, b"made-challenge"))
SPKI = x509.base.serialization.PublicFormat.SubjectPublicKeyInfo
DER = x509.base.serialization.Encoding.DER


# --- trees: one element changed, the lengths around it right again -------------------------------------------------------------

def read(data):
    """The elements of data as [tag, content], content a list where it is constructed."""
    out, at = [], 0
    while at < len(data):
        tag, n, start = data[at], data[at + 1], at + 2
        if n > 0x80:
            size = n & 0x7f
            n, start = int.from_bytes(data[start:start + size], "big"), start + size
        content = data[start:start + n]
        out.append([tag, read(content) if tag & 0x20 else content])
        at = start + n
    return out


def write(elements):
    return b"".join(tlv(tag, write(content) if isinstance(content, list) else content) for tag, content in elements)


def nodes(elements, path=()):
    for i, (_, content) in enumerate(elements):
        yield path + (i,)
        if isinstance(content, list):
            yield from nodes(content, path + (i,))


def changed(data, path, change):
    tree = read(data)
    siblings = tree
    for i in path[:-1]:
        siblings = siblings[i][1]
    siblings[path[-1]:path[-1] + 1] = change(*siblings[path[-1]])
    return write(tree)


def lost(tag, content):
    return []


def twice(tag, content):
    return [[tag, content], [tag, content]]


def emptied(tag, content):
    return [[tag, [] if isinstance(content, list) else b""]]


def retagged(tag, content):
    return [[0x1f & 0x0a | 0xc0, write(content) if isinstance(content, list) else content]]


def cuts(data):
    """Offsets of the first and the last octet of every element's content."""
    found = set()

    def walk(start, end):
        at = start
        while at < end:
            n, body = data[at + 1], at + 2
            if n > 0x80:
                n, body = int.from_bytes(data[body:body + (n & 0x7f)], "big"), body + (n & 0x7f)
            found.update((at + 1, body, body + n - 1))
            if data[at] & 0x20:
                walk(body, body + n)
            at = body + n
    walk(0, len(data))
    return sorted(c for c in found if 0 < c < len(data))


def thinned(items, most):
    items = list(items)
    return items if len(items) <= most else [items[i * len(items) // most] for i in range(most)]


# --- PKCS#10 and certificates of any shape ---------------------------------------------------------------------------------------

def info(public, attributes=(CHALLENGE,), subject=SUBJECT, version=0):
    return seq(integer(version), subject, public, tlv(0xa0, *attributes))


def pkcs10(key, body, signature_alg=None):
    """body: CertificationRequestInfo; key None: a signature that is only octets."""
    if key is None:
        return seq(body, alg("1.2.840.113549.1.1.11"), tlv(3, b"\0" + b"\1" * 256))
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return seq(body, alg("1.2.840.10045.4.3.2", b""), tlv(3, b"\0" + key.sign(body, ec.ECDSA(hashes.SHA256()))))
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return seq(body, alg("1.3.101.112", b""), tlv(3, b"\0" + key.sign(body)))
    return seq(body, signature_alg or alg("1.2.840.113549.1.1.11"), tlv(3, b"\0" + key.sign(body, padding.PKCS1v15(), hashes.SHA256())))


def public(key):
    return key.public_key().public_bytes(DER, SPKI)


def rsa_public(n, e):
    return seq(alg(m.RSA), tlv(3, b"\0" + seq(integer(n), integer(e))))


def extensions(*requested):
    return attr("1.2.840.113549.1.9.14", seq(*requested))


def extension(dotted, value, critical=False):
    return seq(oid(dotted), tlv(1, b"\xff") if critical else b"", tlv(4, value))


def certificate(key, public_key, begin=tlv(0x17, b"240101000000Z"), end=tlv(0x17, b"440101000000Z"), serial=4711, name=SUBJECT):
    tbs = seq(tlv(0xa0, integer(2)), integer(serial), alg("1.2.840.113549.1.1.11"), name, seq(begin, end), name, public_key)
    return seq(tbs, alg("1.2.840.113549.1.1.11"), tlv(3, b"\0" + key.sign(tbs, padding.PKCS1v15(), hashes.SHA256())))


class Signer:
    """As make_scep_data.Id, with a certificate that no library would read."""

    def __init__(self, key, der, issuer=SUBJECT, serial=4711):
        self.key, self.der, self.issuer, self.serial = key, der, issuer, integer(serial)

    def sid(self, by_key_id=False):
        return seq(self.issuer, self.serial)


# --- the cases: name -> (message, answer) ----------------------------------------------------------------------------------------

class Maker:
    def __init__(self, me, ecc, ra, ca):
        self.me, self.ecc, self.ra, self.ca = me, ecc, ra, ca
        self.request = pkcs10(me.key, info(public(me.key)))
        self.cases = {}

    def add(self, name, message, answer):
        assert name not in self.cases, name
        self.cases[name] = (message, answer)

    def one(self, plain=None, by=None, to=None, **o):
        return m.message(by or self.me, m.enveloped(self.request if plain is None else plain, to or (self.ra,), o), **o)

    def signed(self, content, **o):
        return m.message(self.me, content, **o)

    def truncated(self):
        whole, envelope = self.one(), m.enveloped(self.request, (self.ra,), {})
        for n in thinned(cuts(whole), 40):
            self.add(f"cut-message-{n:04}", whole[:n], HTTP)
        for n in thinned(cuts(envelope), 24):
            self.add(f"cut-envelope-{n:04}", self.signed(envelope[:n]), REQUEST)
        for n in thinned(cuts(self.request), 24):
            self.add(f"cut-request-{n:04}", self.one(self.request[:n]), REQUEST)

    def reshaped(self):
        """One element of the envelope or of the PKCS#10 lost, twice, empty or of another kind."""
        envelope = m.enveloped(self.request, (self.ra,), {})
        for change in (lost, twice, emptied, retagged):
            for path in nodes(read(envelope)):
                name = f"envelope-{change.__name__}-{'.'.join(map(str, path))}"
                if name not in TOLERATED:
                    self.add(name, self.signed(changed(envelope, path, change)), REQUEST)
            body = info(public(self.me.key))
            for path in nodes(read(body)):
                name = f"request-{change.__name__}-{'.'.join(map(str, path))}"
                if name not in TOLERATED:
                    self.add(name, self.one(pkcs10(self.me.key, changed(body, path, change))), REQUEST)

    def attributes(self):
        one, me = self.one, self.me
        for which in ("type", "txid", "nonce"):
            self.add(f"attribute-{which}-missing", one(attrs={which: None}), HTTP)
        for which in ("content_type", "message_digest"):
            self.add(f"attribute-{which}-missing", one(attrs={which: None}), CHECK)
        for which, dotted, value in (("type", TYPE, printable("19")), ("txid", TXID, printable("x")), ("nonce", NONCE, tlv(4, bytes(16)))):
            self.add(f"attribute-{which}-twice", one(more_attrs=[attr(dotted, value)]), HTTP)
            self.add(f"attribute-{which}-two-values", one(attrs={which: attr(dotted, value, value + b"")}), HTTP)
            self.add(f"attribute-{which}-no-value", one(attrs={which: attr(dotted)}), HTTP)
            self.add(f"attribute-{which}-null", one(attrs={which: attr(dotted, b"\5\0")}), HTTP)
            self.add(f"attribute-{which}-boolean", one(attrs={which: attr(dotted, tlv(1, b"\xff"))}), HTTP)
            self.add(f"attribute-{which}-trailing", one(attrs={which: seq(oid(dotted), tlv(0x31, value), b"\5\0")}), HTTP)
        for n in (256, 257, 1000, 5000):
            self.add(f"txid-{n}-octets", one(txid="x" * n), HTTP)
        for n in (0, 65, 1000, 5000):
            self.add(f"nonce-{n}-octets", one(nonce=bytes(n)), HTTP)
        self.add("txid-0-octets", one(txid=""), HTTP)
        for kind, text in (("text", "PKCSReq"), ("hexadecimal", "0x13"), ("fraction", "19.0"), ("blank", " 19"), ("sign", "+19"),
                           ("zero", "019"), ("huge", "9" * 400), ("nul", "19\0")):
            self.add(f"type-{kind}", one(type=text), HTTP)
        for n in (0, 1, 2, 3, 4, 16, 18, 23, 99, 65536, 999999):
            self.add(f"type-{n}", one(type=n), REQUEST)
        self.add("attributes-33", one(more_attrs=[attr(f"1.2.3.{i}", b"\5\0") for i in range(28)]), HTTP)
        self.add("attributes-none", one(no_attrs=True), HTTP)
        self.add("attribute-content-type-signed", one(attrs={"content_type": attr("1.2.840.113549.1.9.3", oid(m.SIGNED))}), CHECK)
        self.add("attribute-digest-of-nothing", one(attrs={"message_digest": attr("1.2.840.113549.1.9.4", tlv(4))}), CHECK)
        for n in (16, 20, 31, 33, 64):
            self.add(f"attribute-digest-{n}-octets", one(attrs={"message_digest": attr("1.2.840.113549.1.9.4", tlv(4, bytes(n)))}), CHECK)
        self.add("signers-none", one(signers=0), HTTP)
        self.add("signers-two", one(signers=2), HTTP)
        self.add("certificates-none", one(certs=[]), HTTP)
        self.add("certificates-other", one(certs=[self.ra.der]), CHECK)
        self.add("certificates-17", one(certs=[me.der] * 17), HTTP)
        self.add("sid-serial", one(sid=seq(me.issuer, integer(5))), CHECK)
        self.add("sid-issuer", one(sid=seq(self.ca.issuer, me.serial)), CHECK)

    def swapped(self):
        one, envelope = self.one, m.enveloped(self.request, (self.ra,), {})
        other = m.enveloped(self.request, (self.ra,), {})
        self.add("swapped-envelope", self.signed(envelope, hashed=other), CHECK)
        self.add("swapped-signature", one(bad_signature=True), CHECK)
        self.add("swapped-key", m.message(self.ca, envelope, sid=self.me.sid(), certs=[self.me.der]), CHECK)
        self.add("swapped-content-type", one(econtent_type=m.ENVELOPED), HTTP)
        self.add("swapped-unwrapped", self.signed(self.request), REQUEST)
        self.add("swapped-absent", self.signed(None), REQUEST)
        self.add("swapped-empty", self.signed(b""), REQUEST)
        self.add("swapped-message", self.signed(one()), REQUEST)
        self.add("swapped-envelope-in-envelope", one(envelope), REQUEST)
        self.add("swapped-message-in-envelope", one(one()), REQUEST)
        self.add("swapped-bare-envelope", envelope, HTTP)
        self.add("swapped-bare-request", self.request, HTTP)
        self.add("swapped-certificate", self.me.der, HTTP)
        for n, name in ((20, "certpoll"), (21, "getcert"), (22, "getcrl")):
            self.add(f"swapped-request-as-{name}", one(type=n), CERT_ID)
        for name, plain in (("poll", seq(self.ca.issuer, SUBJECT)), ("serial", seq(self.ca.issuer, integer(1)))):
            self.add(f"swapped-{name}-as-request", one(plain), REQUEST)
        self.add("renewal-self-signed", one(type=17), REQUEST)
        self.add("recipient-ca", one(to=(self.ca,)), REQUEST)
        self.add("recipient-self", one(to=(self.me,)), REQUEST)
        self.add("recipient-password", one(pwri=True), REQUEST)
        self.add("recipients-9", one(to=(self.ca,) * 9), REQUEST)

    def algorithms(self):
        for name in ("md5", "sha1"):
            self.add(f"digest-{name}", self.one(digest=name), ALG)
        for name in ("des", "des3", "rc2"):
            self.add(f"cipher-{name}", self.one(cipher=name), ALG)
        for dotted, name in (("1.2.840.113549.3.4", "rc4"), ("2.16.840.1.101.3.4.1.6", "aes-gcm"), ("1.2.3.4.5", "unknown"),
                             ("2.16.840.1.101.3.4.1.1", "aes-ecb")):
            envelope = m.enveloped(self.request, (self.ra,), {})
            aes = oid(m.CIPHERS["aes128"][0])
            replaced = tlv(6, oid(dotted)[2:])
            tree = write(_replace(read(envelope), aes[2:], replaced[2:]))
            self.add(f"cipher-{name}", self.signed(tree), ALG)
        bad = write(_replace(read(m.enveloped(self.request, (self.ra,), {})), oid(m.RSA)[2:], oid("1.2.3.4")[2:]))
        self.add("transport-unknown", self.signed(bad), ALG)

    def one_answer(self):
        """What only the private key can tell: byte for byte one answer, whatever was wrong (P-85)."""
        for name, o in (("rsa-padding", {"raw_key": b"\0\1" + b"\xff" * 240}), ("rsa-zero", {"raw_key": b"\0"}), ("rsa-block-1",
                        {"raw_key": b"\1" + b"\xff" * 237 + b"\0" + bytes(16)}), ("key-of-0", {"cek_size": 0}), ("key-of-15", {"cek_size": 15}),
                        ("key-of-17", {"cek_size": 17}), ("key-of-24", {"cek_size": 24}), ("key-of-32", {"cek_size": 32}),
                        ("cbc-padding", {"bad_pad": True})):
            self.add(f"one-answer-{name}", self.one(**o), REQUEST)
        body, key = info(public(self.me.key)), self.me.key
        flipped = self.request[:-1] + bytes([self.request[-1] ^ 1])
        text = "1.2.840.113549.1.9.7"
        for name, plain in (
                ("empty", b""), ("garbage", b"\xa5" * 500), ("text", b"-----BEGIN CERTIFICATE REQUEST-----"), ("cut", self.request[:-1]),
                ("trailing", self.request + b"\0"), ("signature", flipped), ("null", b"\5\0"),
                ("challenge-utf8", pkcs10(key, info(public(key), [attr(text, tlv(0x0c, b"made\xff"))]))),
                ("challenge-nul", pkcs10(key, info(public(key), [attr(text, tlv(0x0c, b"made\0"))]))),
                ("challenge-integer", pkcs10(key, info(public(key), [attr(text, integer(5))]))),
                ("challenge-printable", pkcs10(key, info(public(key), [attr(text, tlv(0x13, b"m@de\xe4"))]))),
                ("challenge-none", pkcs10(key, info(public(key), [attr(text)]))),
                ("challenge-two-values", pkcs10(key, info(public(key), [attr(text, tlv(0x0c, b"made-challenge"), tlv(0x0c, b"made-other"))]))),
                ("challenges-two", pkcs10(key, info(public(key), [CHALLENGE, CHALLENGE]))),
                ("attributes-33", pkcs10(key, info(public(key), [CHALLENGE] + [attr(f"1.2.3.{i}", b"\5\0") for i in range(32)]))),
                ("extension-twice", pkcs10(key, info(public(key), [CHALLENGE, extensions(*[extension("2.5.29.37", b"\x30\0")] * 2)]))),
                ("extension-requests-two", pkcs10(key, info(public(key), [CHALLENGE] + [extensions()] * 2))),
                ("subject-33-parts", pkcs10(key, info(public(key), subject=seq(*[tlv(0x31, seq(oid("2.5.4.3"), printable("x")))] * 33)))),
                ("subject-oid", pkcs10(key, info(public(key), subject=seq(tlv(0x31, seq(tlv(6, b"\x80"), printable("x"))))))),
                ("algorithm-md5", seq(body, alg("1.2.840.113549.1.1.4"), tlv(3, b"\0" + bytes(256)))),
                ("algorithm-unknown", seq(body, alg("1.2.3.4"), tlv(3, b"\0" + bytes(256)))),
                ("key-dsa", pkcs10(key, info(seq(alg("1.2.840.10040.4.1"), tlv(3, b"\0" + integer(7)))))),
                ("key-even", pkcs10(key, info(rsa_public(1 << 2047, 65537)))),
                ("key-1024", pkcs10(key, info(rsa_public((1 << 1023) + 1, 65537)))),
                ("key-exponent-1", pkcs10(key, info(rsa_public((1 << 2047) + 1, 1)))),
                ("key-unreadable", pkcs10(key, info(seq(alg(m.RSA), tlv(3, b"\0\5\0")))))):
            self.add(f"one-answer-{name}", self.one(plain), REQUEST)

    def keys(self):
        """A signer's key that is refused before anything is done with it."""
        large = (1 << 2047) + 0x10001
        for name, public_key, answer in (
                ("rsa-512", rsa_public((1 << 511) + 1, 65537), ALG), ("rsa-1024", rsa_public((1 << 1023) + 1, 65537), ALG),
                ("rsa-2047", rsa_public((1 << 2046) + 1, 65537), ALG), ("rsa-8193", rsa_public((1 << 8192) + 1, 65537), ALG),
                ("rsa-16384", rsa_public((1 << 16383) + 1, 65537), ALG), ("rsa-65536", rsa_public((1 << 65535) + 1, 65537), ALG),
                ("exponent-1", rsa_public(large, 1), ALG), ("exponent-0", rsa_public(large, 0), ALG), ("exponent-2", rsa_public(large, 2), ALG),
                ("exponent-33-bits", rsa_public(large, (1 << 32) + 1), ALG), ("exponent-huge", rsa_public(large, large), ALG),
                ("modulus-even", rsa_public(large + 1, 65537), ALG), ("modulus-0", rsa_public(0, 65537), ALG),
                ("modulus-negative", rsa_public(-large, 65537), CHECK), ("exponent-negative", rsa_public(large, -3), CHECK),
                ("dsa", seq(alg("1.2.840.10040.4.1"), tlv(3, b"\0" + integer(7))), ALG), ("unknown", seq(alg("1.2.3"), tlv(3, b"\0")), ALG),
                ("bits-empty", seq(alg(m.RSA), tlv(3, b"\0")), CHECK), ("bits-unused", seq(alg(m.RSA), tlv(3, b"\7\0")), CHECK),
                ("rsa-other-way", seq(alg(m.RSA), tlv(3, b"\0" + seq(integer(65537), integer(large)))), ALG),
                ("rsa-trailing", seq(alg(m.RSA), tlv(3, b"\0" + seq(integer(large), integer(3)) + b"\0")), CHECK)):
            by = Signer(self.me.key, certificate(self.me.key, public_key))
            self.add(f"key-{name}", self.one(pkcs10(self.me.key, info(public_key)), by=by), answer)
        for curve in (ec.SECP256K1(), ec.BrainpoolP256R1(), ec.SECP192R1(), ec.SECT283K1(), ec.SECP224R1()):
            self.add(f"curve-{curve.name.lower()}", self._of(ec.generate_private_key(curve)), ALG)
        for name, public_key in (("off-curve", public(self.ecc.key)[:-64] + b"\1" * 64), ("point-infinite", _point(b"\0")),
                                 ("point-short", _point(b"\4" + b"\1" * 20)), ("point-compressed", _point(b"\2" + b"\1" * 32)),
                                 ("curve-explicit", seq(seq(oid("1.2.840.10045.2.1"), seq(integer(1))), tlv(3, b"\0\4")))):
            by = Signer(self.me.key, certificate(self.me.key, public_key))
            self.add(f"key-{name}", self.one(by=by), ALG if name in ("curve-explicit", "off-curve") else CHECK)

    def _of(self, key):
        by = Signer(key, certificate(self.me.key, public(key)))
        return self.one(pkcs10(key, info(public(key))), by=by)

    def wishes(self):
        """A PKCS#10 that is right, and asks for what nobody gets."""
        key, spki = self.me.key, public(self.me.key)

        def asks(*requested, **how):
            return self.one(pkcs10(key, info(spki, [CHALLENGE, extensions(*requested)], **how)))

        self.add("wish-ca", asks(extension("2.5.29.19", seq(tlv(1, b"\xff")), True)), REQUEST)
        self.add("wish-ca-not-critical", asks(extension("2.5.29.19", seq(tlv(1, b"\xff")))), REQUEST)
        self.add("wish-ca-path-length", asks(extension("2.5.29.19", seq(tlv(1, b"\xff"), integer(0)))), REQUEST)
        self.add("wish-ca-not-der", asks(extension("2.5.29.19", seq(tlv(1, b"\1")))), REQUEST)
        self.add("wish-constraints-garbage", asks(extension("2.5.29.19", b"\5\0")), REQUEST)
        self.add("wish-names-garbage", asks(extension("2.5.29.17", b"\5\0")), REQUEST)
        self.add("wish-names-cut", asks(extension("2.5.29.17", seq(b"\x82\x05ab"))), REQUEST)
        self.add("wish-names-101", asks(extension("2.5.29.17", seq(*[tlv(0x82, b"a.example")] * 101))), REQUEST)
        self.add("subject-empty", self.one(pkcs10(key, info(spki, subject=seq()))), REQUEST)
        self.add("subject-long", self.one(pkcs10(key, info(spki, subject=seq(*[tlv(0x31, seq(oid("2.5.4.3"), printable("x" * 1000)))] * 9)))),
                 REQUEST)
        self.add("challenge-missing", self.one(pkcs10(key, info(spki, []))), REQUEST)
        self.add("challenge-wrong", self.one(pkcs10(key, info(spki, [attr("1.2.840.113549.1.9.7", tlv(0x0c, b"made-challengf"))]))), REQUEST)
        self.add("challenge-longer", self.one(pkcs10(key, info(spki, [attr("1.2.840.113549.1.9.7", tlv(0x0c, b"made-challenge "))]))), REQUEST)
        self.add("challenge-empty", self.one(pkcs10(key, info(spki, [attr("1.2.840.113549.1.9.7", tlv(0x0c))]))), REQUEST)
        self.add("key-of-the-ra", self.one(pkcs10(self.ra.key, info(public(self.ra.key))), by=self.ra), REQUEST)
        self.add("key-of-the-ca", self.one(pkcs10(self.ca.key, info(public(self.ca.key))), by=self.ca), REQUEST)
        self.add("key-of-another", self.one(pkcs10(self.ecc.key, info(public(self.ecc.key)))), REQUEST)

    def dates(self):
        """The signer's certificate may say what it likes about time (P-58); what it may not do is renew."""
        times = {"before-1950": tlv(0x17, b"490101000000Z"), "year-0": tlv(0x18, b"00000101000000Z"), "year-1949": tlv(0x18, b"19490101000000Z"),
                 "year-9999": tlv(0x18, b"99991231235959Z"), "after-9999": tlv(0x18, b"99991231235960Z"),
                 "year-10000": tlv(0x18, b"100000101000000Z"), "month-13": tlv(0x17, b"251301000000Z"), "day-0": tlv(0x17, b"250100000000Z"),
                 "no-seconds": tlv(0x17, b"2501010000Z"), "fraction": tlv(0x18, b"20250101000000.5Z"), "offset": tlv(0x17, b"250101000000+0100"),
                 "empty": tlv(0x17), "text": tlv(0x17, b"whenever"), "integer": integer(0)}
        for name, time in times.items():
            der = certificate(self.me.key, public(self.me.key), time, time, name=self.ca.issuer, serial=1 << 126)
            by = Signer(self.me.key, der, self.ca.issuer, 1 << 126)
            self.add(f"renewal-{name}", self.one(by=by, type=17), REQUEST)


def _point(octets):
    return seq(alg("1.2.840.10045.2.1", oid("1.2.840.10045.3.1.7")), tlv(3, b"\0" + octets))


def _replace(tree, old, new):
    return [[tag, _replace(content, old, new) if isinstance(content, list) else new if content == old else content]
            for tag, content in tree]


# What the reader of BER and of old clients takes, each for a reason; they are not bad input.
TOLERATED = {
    "envelope-emptied-0.1.0.0", "envelope-emptied-0.1.0.1.0.0",	# version numbers: any is taken (P-88)
    "envelope-emptied-0.1.0.1.0.2.1", "envelope-lost-0.1.0.1.0.2.1", "envelope-retagged-0.1.0.1.0.2.1",	# parameters of rsaEncryption (P-180)
    "envelope-twice-0.1.0.1.0",					# the same recipient twice: the first one counts (P-49)
    "request-emptied-0.0",						# version of the PKCS#10 (P-119)
    "request-emptied-0.2.0.1", "request-lost-0.2.0.1",		# parameters of the key: NULL is empty anyway, absent is met (P-180)
    "request-twice-0.1.0.0", "request-twice-0.1.0",			# a name may stand twice
}


def main():
    data = pathlib.Path(sys.argv[1])
    folder = data / "bad" / "messages"
    folder.mkdir(exist_ok=True)
    ra, ca = m.load(data / "good/scep", "ra"), m.load(data / "good/scep", "ca")
    me = m.self_signed(m.client_key(data / "good/scep", "client", None), "made-device")
    ecc = m.self_signed(m.client_key(data / "good/scep", "client-ec", None), "made-device")
    maker = Maker(me, ecc, ra, ca)
    for step in (maker.truncated, maker.reshaped, maker.attributes, maker.swapped, maker.algorithms, maker.one_answer, maker.keys,
                 maker.wishes, maker.dates):
        step()
    lines = []
    for name, (message, answer) in maker.cases.items():
        path = folder / f"{name}.der"
        if not path.exists():
            path.write_bytes(message)
        lines.append(f"{name}.der {answer}\n")
    (folder / "manifest").write_text("".join(sorted(lines)))


if __name__ == "__main__":
    main()
