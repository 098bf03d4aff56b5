"""SCEP messages made and taken apart without the code under test: asn1crypto, cryptography and der.py.

Everything about a request can be made wrong (Request's fields); a reply is checked against RFC 8894, RFC 5652 and the
project's own rules (read_reply), and an AssertionError names what is not right.
"""
import datetime
import os
from dataclasses import dataclass, field, replace

from asn1crypto import cms, core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

import der
import pwri

ID_DATA, ID_SIGNED, ID_ENVELOPED = (f"1.2.840.113549.1.7.{n}" for n in (1, 2, 3))
CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME = (f"1.2.840.113549.1.9.{n}" for n in (3, 4, 5))
CHALLENGE, EXTENSION_REQUEST = "1.2.840.113549.1.9.7", "1.2.840.113549.1.9.14"
MESSAGE_TYPE, PKI_STATUS, FAIL_INFO, SENDER_NONCE, RECIPIENT_NONCE, TXID = (f"2.16.840.1.113733.1.9.{n}" for n in range(2, 8))
FAIL_INFO_TEXT, RANDOM_NONCE = "1.3.6.1.5.5.7.24.1", "1.2.840.113549.1.9.25.3"
RSA, EC_KEY, ED25519 = "1.2.840.113549.1.1.1", "1.2.840.10045.2.1", "1.3.101.112"

BAD_ALG, BAD_MESSAGE_CHECK, BAD_REQUEST, BAD_TIME, BAD_CERT_ID = range(5)
SUCCESS, FAILURE, PENDING = 0, 2, 3


@dataclass(frozen=True)
class Digest:
    hash: type
    oid: str
    rsa_oid: str
    ecdsa_oid: str = ""


DIGESTS = {
    "md5": Digest(hashes.MD5, "1.2.840.113549.2.5", "1.2.840.113549.1.1.4"),
    "sha1": Digest(hashes.SHA1, "1.3.14.3.2.26", "1.2.840.113549.1.1.5", "1.2.840.10045.4.1"),
    "sha256": Digest(hashes.SHA256, "2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.1.11", "1.2.840.10045.4.3.2"),
    "sha384": Digest(hashes.SHA384, "2.16.840.1.101.3.4.2.2", "1.2.840.113549.1.1.12", "1.2.840.10045.4.3.3"),
    "sha512": Digest(hashes.SHA512, "2.16.840.1.101.3.4.2.3", "1.2.840.113549.1.1.13", "1.2.840.10045.4.3.4"),
}
# name: (object identifier, key octets, block octets, cryptography's class)
CIPHERS = {
    "aes128": ("2.16.840.1.101.3.4.1.2", 16, 16, algorithms.AES),
    "aes192": ("2.16.840.1.101.3.4.1.22", 24, 16, algorithms.AES),
    "aes256": ("2.16.840.1.101.3.4.1.42", 32, 16, algorithms.AES),
    "des3": ("1.2.840.113549.3.7", 24, 8, algorithms.TripleDES),
    "des": ("1.3.14.3.2.7", 8, 8, algorithms.TripleDES),	# one key thrice is single DES
}


def digest_of(name, data):
    h = hashes.Hash(DIGESTS[name].hash())
    h.update(data)
    return h.finalize()


def sign(key, data, digest):
    algorithm = DIGESTS[digest].hash()
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), algorithm)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    return key.sign(data, ec.ECDSA(algorithm))


def signature_algorithm(key, digest):
    if isinstance(key, rsa.RSAPrivateKey):
        return der.algorithm(DIGESTS[digest].rsa_oid, der.NULL_TLV)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return der.algorithm(ED25519)
    return der.algorithm(DIGESTS[digest].ecdsa_oid)


def spki(key):
    public = key if hasattr(key, "public_bytes") else key.public_key()
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def new_key(bits=2048, curve=None):
    if curve is ed25519:
        return ed25519.Ed25519PrivateKey.generate()
    if curve is not None:
        return ec.generate_private_key(curve)
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def name(common_name, organisation="Example"):
    def rdn(dotted, text):
        return der.set_of(der.seq(der.oid(dotted), der.tlv(der.UTF8, text.encode())))
    return der.seq(*([rdn("2.5.4.10", organisation)] if organisation else []), rdn("2.5.4.3", common_name))


def self_signed(key, common_name, digest="sha256"):
    """The signer certificate of a first request; its own digest is never what the message's is."""
    begin = datetime.datetime.utcnow() - datetime.timedelta(days=30)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
               .serial_number(x509.random_serial_number()).not_valid_before(begin)
               .not_valid_after(begin + datetime.timedelta(days=3650)))
    hash_ = None if isinstance(key, ed25519.Ed25519PrivateKey) else DIGESTS[digest].hash()
    return builder.sign(key, hash_).public_bytes(serialization.Encoding.DER)


def forged(key, ca, serial, common_name=None):
    """A certificate that names the CA as issuer and has this serial number (and the CA's name, or another), but signed itself."""
    begin = datetime.datetime.utcnow() - datetime.timedelta(days=30)
    issuer = x509.load_der_x509_certificate(ca).subject
    subject = issuer if common_name is None else x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key()).serial_number(serial)
               .not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=3650)))
    return builder.sign(key, DIGESTS["sha256"].hash()).public_bytes(serialization.Encoding.DER)


def pem(cert):
    return x509.load_der_x509_certificate(cert).public_bytes(serialization.Encoding.PEM).decode()


def csr(key, common_name, challenge=None, dns=(), digest="sha256", signed_by=None, attributes=(), subject=None,
        challenge_tag=der.UTF8):
    """PKCS#10, DER. signed_by: another key, for a signature that is wrong."""
    attrs = list(attributes)
    if challenge is not None:
        coded = challenge.encode("utf-16-be" if challenge_tag == 0x1E else "utf-8")
        attrs.append(der.seq(der.oid(CHALLENGE), der.set_of(der.tlv(challenge_tag, coded))))
    if dns:
        names = der.seq(*(der.tlv(0x82, d.encode()) for d in dns))
        extensions = der.seq(der.seq(der.oid("2.5.29.17"), der.tlv(der.OCTETS, names)))
        attrs.append(der.seq(der.oid(EXTENSION_REQUEST), der.set_of(extensions)))
    subject = name(common_name) if subject is None else subject
    info = der.seq(der.integer(0), subject, spki(key), der.tlv(0xA0, b"".join(sorted(attrs))))
    signature = sign(signed_by or key, info, digest)
    return der.seq(info, signature_algorithm(key, digest), der.tlv(0x03, b"\0" + signature))


def encrypt(cipher, key, iv, plain):
    _, _, block, algorithm = CIPHERS[cipher]
    n = block - len(plain) % block
    enc = Cipher(algorithm(key), modes.CBC(iv)).encryptor()
    return enc.update(plain + bytes([n]) * n) + enc.finalize()


def decrypt(cipher, key, iv, data):
    _, _, block, algorithm = CIPHERS[cipher]
    dec = Cipher(algorithm(key), modes.CBC(iv)).decryptor()
    plain = dec.update(data) + dec.finalize()
    n = plain[-1]
    assert 1 <= n <= block and plain[-n:] == bytes([n]) * n, "CBC padding is wrong"
    return plain[:-n]


def issuer_and_serial(cert):
    tbs = der.children(der.children(cert)[0])
    if tbs[0][0] == 0xA0:
        tbs = tbs[1:]
    return der.seq(tbs[2], tbs[0])


def enveloped(plain, recipients, cipher="aes128", ber=False, garbage=False, more=()):
    """EnvelopedData in its ContentInfo. garbage: an encrypted key that holds nothing sensible; more: functions that make further
    RecipientInfos of the content key."""
    cipher_oid, key_size, block, _ = CIPHERS[cipher]
    key, iv = os.urandom(key_size), os.urandom(block)
    infos = []
    for cert in recipients:
        public = x509.load_der_x509_certificate(cert).public_key()
        wrapped = os.urandom(public.key_size // 8) if garbage else public.encrypt(key, padding.PKCS1v15())
        if garbage:
            wrapped = b"\0" + wrapped[1:]
        infos.append(der.seq(der.integer(0), issuer_and_serial(cert), der.algorithm(RSA, der.NULL_TLV),
                             der.tlv(der.OCTETS, wrapped)))
    infos += [make(key) for make in more]
    encrypted = der.shell(der.SEQUENCE, der.oid(ID_DATA) + der.algorithm(cipher_oid, der.tlv(der.OCTETS, iv))
                          + der.octets(0x80, encrypt(cipher, key, iv, plain), ber), ber)
    body = der.shell(der.SEQUENCE, der.integer(0) + der.shell(der.SET, b"".join(infos), ber) + encrypted, ber)
    return der.shell(der.SEQUENCE, der.oid(ID_ENVELOPED) + der.shell(0xA0, body, ber), ber)


def attribute(dotted, *values):
    return der.seq(der.oid(dotted), der.set_of(*values))


@dataclass
class Request:
    """A pkiMessage to be. Every field may be set to something wrong."""
    key: object				# signs
    cert: bytes				# the signer's certificate
    recipients: list			# certificates to encrypt to
    plain: bytes = b""			# CSR, IssuerAndSubject...
    message_type: str = "19"
    txid: str = ""
    txid_tag: int = der.PRINTABLE
    nonce: bytes = field(default_factory=lambda: os.urandom(16))
    digest: str = "sha256"
    cipher: str = "aes128"
    ber: bool = False
    sort: bool = True			# signed attributes in DER order
    signature_oid: str = None		# None: rsaEncryption, or ecdsa-with-...
    message_digest: bytes = None	# None: the right one
    break_signature: bool = False
    garbage_envelope: bool = False
    more_recipients: tuple = ()		# functions that make further RecipientInfos of the content key
    content: bytes = None		# in place of the envelope
    omit: tuple = ()			# attributes left out
    extra: tuple = ()			# attributes added
    certs: list = None			# in place of [cert]
    sid: bytes = None			# in place of the signer's issuer and serial
    password: str = None		# the challenge: opens the answer to a key that cannot decrypt

    def __post_init__(self):
        if not self.txid:
            self.txid = digest_of("sha256", spki(self.key) + os.urandom(8)).hex().upper()[:40]

    def but(self, **changes):
        return replace(self, **changes)

    def encode(self):
        envelope = self.content
        if envelope is None:
            envelope = enveloped(self.plain, self.recipients, self.cipher, self.ber, self.garbage_envelope, self.more_recipients)
        values = {
            CONTENT_TYPE: der.oid(ID_DATA),
            MESSAGE_DIGEST: der.tlv(der.OCTETS, self.message_digest or digest_of(self.digest, envelope)),
            MESSAGE_TYPE: der.tlv(der.PRINTABLE, self.message_type.encode()),
            SENDER_NONCE: der.tlv(der.OCTETS, self.nonce),
            TXID: der.tlv(self.txid_tag, self.txid.encode()),
        }
        attrs = [attribute(k, v) for k, v in values.items() if k not in self.omit] + list(self.extra)
        attrs = b"".join(sorted(attrs) if self.sort else sorted(attrs, reverse=True))
        signature = sign(self.key, der.tlv(der.SET, attrs), self.digest)
        if self.break_signature:
            signature = signature[:-1] + bytes([signature[-1] ^ 1])
        digest_algorithm = der.algorithm(DIGESTS[self.digest].oid, der.NULL_TLV)
        if self.signature_oid:
            signature_alg = der.algorithm(self.signature_oid, der.NULL_TLV)
        elif isinstance(self.key, rsa.RSAPrivateKey):
            signature_alg = der.algorithm(RSA, der.NULL_TLV)
        else:
            signature_alg = signature_algorithm(self.key, self.digest)
        signer = der.seq(der.integer(1), self.sid or issuer_and_serial(self.cert), digest_algorithm, der.tlv(0xA0, attrs),
                         signature_alg, der.tlv(der.OCTETS, signature))
        certs = [self.cert] if self.certs is None else self.certs
        inner = der.oid(ID_DATA) + der.shell(0xA0, der.octets(der.OCTETS, envelope, self.ber), self.ber)
        body = (der.integer(1) + der.set_of(digest_algorithm) + der.shell(der.SEQUENCE, inner, self.ber)
                + (der.shell(0xA0, b"".join(certs), self.ber) if certs else b"") + der.set_of(signer))
        signed = der.shell(der.SEQUENCE, body, self.ber)
        return der.shell(der.SEQUENCE, der.oid(ID_SIGNED) + der.shell(0xA0, signed, self.ber), self.ber)


class Device:
    """A key and its self-signed certificate; makes requests."""

    _keys = {}				# RSA keys are dear to make: one for each label and process

    def __init__(self, label="device", bits=2048, curve=None, cert_digest="sha256"):
        self.label = label
        self.key = new_key(bits, curve)
        self.cert = self_signed(self.key, label, cert_digest)

    @classmethod
    def shared(cls, label):
        """The same key for the same label: for tests to which the key does not matter."""
        if label not in cls._keys:
            cls._keys[label] = cls(label)
        return cls._keys[label]

    def request(self, recipients, challenge=None, common_name=None, dns=(), **changes):
        plain = changes.pop("plain", None)
        if plain is None:
            plain = csr(self.key, common_name or self.label, challenge, dns)
        changes.setdefault("password", challenge)
        return Request(self.key, self.cert, list(recipients), plain, **changes)


@dataclass
class Reply:
    status: int
    fail_info: int = None
    fail_text: str = None
    certs: list = field(default_factory=list)	# DER, of SUCCESS
    signer: bytes = b""
    digest: str = ""
    cipher: str = ""
    prf: str = ""				# of a password recipient; "": key transport
    empty_content: bool = None			# PENDING, FAILURE: eContent present and empty

    @property
    def cert(self):
        return x509.load_der_x509_certificate(self.certs[0])


def read_reply(data, request, trusted, recipient_key=None):
    """Takes a CertRep to `request` apart and checks what the standards and the project ask of it. trusted: RA or CA certificates."""
    der.assert_der(data)
    info = cms.ContentInfo.load(data, strict=True)
    assert info["content_type"].dotted == ID_SIGNED
    signed = info["content"]
    assert signed["version"].native == "v1"
    assert signed["encap_content_info"]["content_type"].dotted == ID_DATA
    assert len(signed["signer_infos"]) == 1
    signer = signed["signer_infos"][0]
    attributes = _read_attributes(signer)
    reply = Reply(status=int(_text(attributes, PKI_STATUS)))

    certs = [c.dump() for c in signed["certificates"]]
    named = [c for c in certs if issuer_and_serial(c) == signer["sid"].chosen.dump()]
    assert signer["version"].native == "v1" and len(named) == 1, "the signer's certificate is not in the message"
    reply.signer = named[0]
    assert reply.signer in trusted, "signed by a stranger"

    reply.digest = next(n for n, d in DIGESTS.items() if d.oid == signer["digest_algorithm"]["algorithm"].dotted)
    assert [a["algorithm"].dotted for a in signed["digest_algorithms"]] == [DIGESTS[reply.digest].oid]
    _verify_signature(signer, reply)
    inner = der.children(signed["encap_content_info"].dump())
    present = len(inner) == 2
    content = der.content(der.content(inner[1])) if present else b""
    assert attributes[MESSAGE_DIGEST] == der.tlv(der.OCTETS, digest_of(reply.digest, content)), "messageDigest"

    assert attributes[CONTENT_TYPE] == der.oid(ID_DATA)
    assert _text(attributes, MESSAGE_TYPE) == "3"
    assert attributes[TXID] == der.tlv(request.txid_tag, request.txid.encode()), "transactionID is not the request's"
    assert attributes[RECIPIENT_NONCE] == der.tlv(der.OCTETS, request.nonce), "recipientNonce is not the request's senderNonce"
    nonce = der.content(attributes[SENDER_NONCE])
    assert len(nonce) == 16 and nonce != request.nonce
    assert reply.status in (SUCCESS, FAILURE, PENDING)
    assert (FAIL_INFO in attributes) == (reply.status == FAILURE)
    if reply.status == FAILURE:
        reply.fail_info = int(_text(attributes, FAIL_INFO))
        assert 0 <= reply.fail_info <= 4
        if FAIL_INFO_TEXT in attributes:
            assert attributes[FAIL_INFO_TEXT][0] == der.UTF8
            reply.fail_text = der.content(attributes[FAIL_INFO_TEXT]).decode()
            assert len(reply.fail_text) <= 255
    if reply.status == SUCCESS:
        key = recipient_key or request.key
        if isinstance(key, rsa.RSAPrivateKey):
            reply.certs, reply.cipher = open_envelope(content, request.cert, key)
        else:
            reply.certs, reply.cipher, reply.prf = open_password_envelope(content, request.password)
    else:
        assert content == b"", "FAILURE and PENDING have no envelope"
        reply.empty_content = present
    return reply


def _read_attributes(signer):
    raw = signer["signed_attrs"].dump()
    assert raw[0] == 0xA0
    parts = der.children(raw)
    assert parts == sorted(parts), "signed attributes are not in DER order"
    out = {}
    for part in parts:
        kind, values = der.children(part)
        dotted = core.ObjectIdentifier.load(kind).dotted
        values = der.children(values)
        assert dotted not in out and len(values) == 1, f"attribute {dotted} twice, or not one value"
        out[dotted] = values[0]
    for dotted in (CONTENT_TYPE, MESSAGE_DIGEST, MESSAGE_TYPE, PKI_STATUS, SENDER_NONCE, RECIPIENT_NONCE, TXID):
        assert dotted in out, f"attribute {dotted} is missing"
    return out


def _text(attributes, dotted):
    value = attributes[dotted]
    assert value[0] == der.PRINTABLE, f"{dotted} is not a PrintableString"
    return der.content(value).decode("ascii")


def _verify_signature(signer, reply):
    public = x509.load_der_x509_certificate(reply.signer).public_key()
    algorithm = signer["signature_algorithm"]
    raw = signer["signed_attrs"].dump()
    signed = bytes([der.SET]) + raw[1:]
    hash_ = DIGESTS[reply.digest].hash()
    signature = signer["signature"].native
    if isinstance(public, ed25519.Ed25519PublicKey):
        assert algorithm.dump() == der.algorithm(ED25519) and reply.digest == "sha512"
        public.verify(signature, signed)
    elif isinstance(public, rsa.RSAPublicKey):
        assert algorithm.dump() == der.algorithm(RSA, der.NULL_TLV), "signatureAlgorithm is not plain rsaEncryption"
        public.verify(signature, signed, padding.PKCS1v15(), hash_)
    else:
        assert algorithm.dump() == der.algorithm(DIGESTS[reply.digest].ecdsa_oid)
        public.verify(signature, signed, ec.ECDSA(hash_))


def open_envelope(content, cert, key):
    """A SUCCESS's envelope, sent to `cert` whose key is `key`: (certificates, cipher)."""
    der.assert_der(content)
    env = _enveloped(content)
    assert env["version"].native == "v0"
    ktri = env["recipient_infos"][0].chosen
    assert isinstance(ktri, cms.KeyTransRecipientInfo) and ktri["version"].native == "v0"
    assert ktri["rid"].chosen.dump() == issuer_and_serial(cert), "recipient is not the request's signer, octet for octet"
    assert ktri["key_encryption_algorithm"].dump() == der.algorithm(RSA, der.NULL_TLV)
    return _decrypt_certs(env, key.decrypt(ktri["encrypted_key"].native, padding.PKCS1v15()))


def open_password_envelope(content, password):
    """The same under a password: (certificates, cipher, HMAC of the derivation). P-91."""
    der.assert_der(content)
    env = _enveloped(content)
    assert env["version"].native == "v3"
    recipient, = der.children(env["recipient_infos"].dump())
    cek, kek_cipher, prf, iterations, salt = pwri.unwrap(recipient, password.encode())
    assert iterations >= 10000 and len(salt) == 16
    certs, cipher = _decrypt_certs(env, cek)
    assert kek_cipher == cipher
    return certs, cipher, prf


def _enveloped(content):
    info = cms.ContentInfo.load(content, strict=True)
    assert info["content_type"].dotted == ID_ENVELOPED, "the envelope is not in a ContentInfo"
    assert len(info["content"]["recipient_infos"]) == 1
    return info["content"]


def _decrypt_certs(env, cek):
    encrypted = env["encrypted_content_info"]
    assert encrypted["content_type"].dotted == ID_DATA
    algorithm = encrypted["content_encryption_algorithm"]
    cipher = next(n for n, c in CIPHERS.items() if c[0] == algorithm["algorithm"].dotted)
    assert len(cek) == CIPHERS[cipher][1]
    plain = decrypt(cipher, cek, algorithm["parameters"].native, encrypted["encrypted_content"].native)
    return read_certs_only(plain), cipher


def read_certs_only(data):
    """What a degenerate SignedData (RFC 8894, 3.4) holds: certificates, in their order, or one CRL; never both (P-126)."""
    _, start, end = der.read(data)
    assert end == len(data)
    info = cms.ContentInfo.load(data, strict=True)
    assert info["content_type"].dotted == ID_SIGNED
    signed = info["content"]
    assert signed["version"].native == "v1"
    assert len(signed["digest_algorithms"]) == 0 and len(signed["signer_infos"]) == 0
    inner = der.children(signed["encap_content_info"].dump())
    assert inner == [der.oid(ID_DATA)], "eContent of a certs-only message must be absent"
    certs, crls = ([] if isinstance(signed[field], core.Void) else [c.dump() for c in signed[field]] for field in ("certificates", "crls"))
    assert (len(crls) == 1 and not certs) or (certs and not crls)
    return certs or crls


def certificate(der_or_pem):
    """DER of a certificate given as DER or PEM."""
    if der_or_pem.lstrip().startswith(b"-----"):
        return x509.load_pem_x509_certificate(der_or_pem).public_bytes(serialization.Encoding.DER)
    return asn1_x509.Certificate.load(der_or_pem, strict=True).dump()


def check_issued(cert, ca, request):
    """An issued certificate: the CA's signature, the CSR's key and subject, and RFC 5280's demands."""
    der.assert_der(cert)
    issued, issuer = x509.load_der_x509_certificate(cert), x509.load_der_x509_certificate(ca)
    _, subject, key, *_ = der.children(der.children(request.plain)[0])
    assert spki(issued.public_key()) == key, "another key's certificate"
    assert issued.subject.public_bytes() == subject
    assert issued.issuer.public_bytes() == issuer.subject.public_bytes()
    public = issuer.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        public.verify(issued.signature, issued.tbs_certificate_bytes, padding.PKCS1v15(), issued.signature_hash_algorithm)
    elif isinstance(public, ed25519.Ed25519PublicKey):
        public.verify(issued.signature, issued.tbs_certificate_bytes)
    else:
        public.verify(issued.signature, issued.tbs_certificate_bytes, ec.ECDSA(issued.signature_hash_algorithm))
    assert issued.signature_hash_algorithm is None or issued.signature_hash_algorithm.name not in ("md5", "sha1")
    assert issued.version is x509.Version.v3 and 0 < issued.serial_number < 1 << 159
    assert issued.not_valid_before <= datetime.datetime.utcnow() < issued.not_valid_after <= issuer.not_valid_after
    extensions = issued.extensions
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    theirs = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier == theirs
