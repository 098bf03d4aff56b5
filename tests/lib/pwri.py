"""Password recipients of an envelope (RFC 3211, RFC 5652, 6.2.4), without the code under test."""
import os

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

import der
import scepmsg as sm

PBKDF2, PWRI_KEK = "1.2.840.113549.1.5.12", "1.2.840.113549.1.9.16.3.9"
PRFS = {name: f"1.2.840.113549.2.{n}" for name, n in (("sha1", 7), ("sha256", 9), ("sha384", 10), ("sha512", 11))}


def cbc(cipher, key, iv, data, encrypting):
    """CBC over whole blocks, no padding."""
    c = Cipher(sm.CIPHERS[cipher][3](key), modes.CBC(iv))
    c = c.encryptor() if encrypting else c.decryptor()
    return c.update(data) + c.finalize()


def derive(password, salt, iterations, prf, size):
    return PBKDF2HMAC(sm.DIGESTS[prf].hash(), size, salt, iterations).derive(password)


def wrap(cek, password, cipher="aes128", prf="sha256", iterations=10000, salt=b"0123456789abcdef", text=None, params=None,
         kek=None, key_size=None):
    """PasswordRecipientInfo. text: what is wrapped, whole blocks; params: PBKDF2's; kek: PWRI-KEK's parameter."""
    oid, size, block, _ = sm.CIPHERS[cipher]
    iv = os.urandom(block)
    if text is None:
        text = bytes([len(cek)]) + bytes(0xFF ^ b for b in cek[:3]) + cek
        text += os.urandom(max(-len(text) % block, 2 * block - len(text)))
    key = derive(password, salt, iterations, prf, size)
    wrapped = cbc(cipher, key, iv, text, True)
    wrapped = cbc(cipher, key, wrapped[-block:], wrapped, True)
    if params is None:
        named = b"" if key_size is None else der.integer(key_size)
        params = der.seq(der.tlv(der.OCTETS, salt), der.integer(iterations), named,
                         b"" if prf == "sha1" else der.algorithm(PRFS[prf], der.NULL_TLV))
    kek = der.algorithm(oid, der.tlv(der.OCTETS, iv)) if kek is None else kek
    derivation = der.tlv(0xA0, der.oid(PBKDF2) + params)
    return der.tlv(0xA3, der.integer(0) + derivation + der.algorithm(PWRI_KEK, kek) + der.tlv(der.OCTETS, wrapped))


def unwrap(info, password):
    """The content key of a PasswordRecipientInfo, and how it was wrapped: (key, cipher, prf, iterations, salt)."""
    version, kdf, kek, wrapped = der.children(info)
    assert info[0] == 0xA3 and version == der.integer(0) and kdf[0] == 0xA0
    kdf_oid, params = der.children(kdf)
    assert kdf_oid == der.oid(PBKDF2)
    salt, iterations, *prf = der.children(params)
    iterations = int.from_bytes(der.content(iterations), "big")
    prf = next(n for n, o in PRFS.items() if prf == [der.algorithm(o, der.NULL_TLV)]) if prf else "sha1"
    kek_oid, inner = der.children(kek)
    assert kek_oid == der.oid(PWRI_KEK)
    cipher_oid, iv = der.children(inner)
    cipher = next(n for n, c in sm.CIPHERS.items() if der.oid(c[0]) == cipher_oid)
    _, size, block, _ = sm.CIPHERS[cipher]
    wrapped, iv, salt = der.content(wrapped), der.content(iv), der.content(salt)
    key = derive(password, salt, iterations, prf, size)
    last = cbc(cipher, key, wrapped[-2 * block:-block], wrapped[-block:], False)
    text = cbc(cipher, key, iv, cbc(cipher, key, last, wrapped[:-block], False) + last, False)
    cek = text[4:4 + text[0]]
    assert text[1:4] == bytes(0xFF ^ b for b in cek[:3]), "the password does not unwrap the content key"
    return cek, cipher, prf, iterations, salt
