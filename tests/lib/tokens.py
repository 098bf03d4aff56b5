"""Signed challenges as an issuer makes them: by PyJWT and cryptography, not by the code under test."""
import base64
import datetime
import itertools
import json
import time

import der
import jwt
import scepmsg
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

PEM = serialization.Encoding.PEM
AUDIENCE = "https://scep.example/scep/default"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
serials = itertools.count(1)


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Issuer:
    """Whoever signs: a key, certificates of it, tokens."""

    def __init__(self, algorithm="ES256", key=None):
        self.algorithm = algorithm
        self.key = key or (ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256" else rsa.generate_private_key(65537, 2048))

    def public(self):
        return self.key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    def cert(self, begin=-3600, end=3600):
        """A certificate, PEM, valid from and until so many seconds from now."""
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Token issuer")])
        now = datetime.datetime.utcnow().replace(microsecond=0)
        builder = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(now + datetime.timedelta(seconds=begin))
                   .not_valid_after(now + datetime.timedelta(seconds=end)))
        return builder.sign(self.key, hashes.SHA256()).public_bytes(PEM).decode()

    @staticmethod
    def claims(**changes):
        """Right claims, changed; what is None is left out."""
        now = int(time.time())
        n = next(serials)
        all_of_them = {"version": "v1", "iss": "https://mdm.example", "sub": f"device-{n}", "aud": AUDIENCE, "iat": now, "exp": now + 600,
                       "nonce": f"nonce-{n}-{now}", **changes}
        return {name: value for name, value in all_of_them.items() if value is not None}

    def token(self, algorithm=None, key=None, headers=None, **changes):
        return self.sign(json.dumps(self.claims(**changes)).encode(), algorithm, key, headers)

    def sign(self, payload, algorithm=None, key=None, headers=None):
        """Any payload, as it is."""
        return jwt.PyJWS().encode(payload, key or self.key, algorithm or self.algorithm, headers)

    def with_header(self, header, encode=b64, **changes):
        """A right signature (SHA-256, ECDSA in DER) over whatever header."""
        text = f"{encode(header)}.{encode(json.dumps(self.claims(**changes)).encode())}"
        return f"{text}.{encode(scepmsg.sign(self.key, text.encode(), 'sha256'))}"

    def padded(self):
        """With the padding that base64url can do without: what is signed has it, too."""
        return self.with_header(json.dumps({"alg": self.algorithm, "x": "x"}).encode(), lambda data: base64.urlsafe_b64encode(data).decode())


def numbers(signature):
    """r and s of a raw ES256 signature."""
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")


def as_der(token):
    """The same ES256 token with its signature in DER."""
    head, _, signature = token.rpartition(".")
    return f"{head}.{b64(encode_dss_signature(*numbers(unb64(signature))))}"


def mirrored(token):
    """The same ES256 token with the other right signature, which anybody can compute: (r, n - s)."""
    head, _, signature = token.rpartition(".")
    r, s = numbers(unb64(signature))
    return f"{head}.{b64(r.to_bytes(32, 'big') + (P256_ORDER - s).to_bytes(32, 'big'))}"


def names(dns=(), email=(), upn=(), ip=(), uri=()):
    """An extensionRequest with a subjectAltName, for scepmsg.csr(attributes=...)."""
    def other(text):
        return der.tlv(0xA0, der.oid("1.3.6.1.4.1.311.20.2.3") + der.tlv(0xA0, der.tlv(der.UTF8, text.encode())))
    all_of_them = ([der.tlv(0x82, d.encode()) for d in dns] + [der.tlv(0x81, e.encode()) for e in email] + [other(u) for u in upn]
                   + [der.tlv(0x87, i) for i in ip] + [der.tlv(0x86, u.encode()) for u in uri])
    extensions = der.seq(der.seq(der.oid("2.5.29.17"), der.tlv(der.OCTETS, der.seq(*all_of_them))))
    return der.seq(der.oid(scepmsg.EXTENSION_REQUEST), der.set_of(extensions))


__all__ = ["AUDIENCE", "Issuer", "as_der", "b64", "mirrored", "names", "unb64"]
