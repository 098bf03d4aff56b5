"""The tests' own message module against OpenSSL, and against replies wrong in one thing: a checker must be able to fail."""
import os
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization

import der
import scepmsg
from scepmsg import Device, Request


@pytest.fixture(scope="module")
def ra():
    return Device("RA")


def openssl(*args, data):
    return subprocess.run(["openssl", *args], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True).stdout


def write(path, data):
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize("ber", [False, True], ids=["der", "ber"])
@pytest.mark.parametrize("digest,cipher", [("sha256", "aes128"), ("sha512", "aes256"), ("sha1", "des3")])
def test_openssl_reads_our_requests(ra, tmp_path, digest, cipher, ber):
    request = Device.shared("a").request([ra.cert], challenge="secret", digest=digest, cipher=cipher, ber=ber)
    envelope = openssl("cms", "-verify", "-noverify", "-binary", "-inform", "DER", data=request.encode())
    key = write(tmp_path / "ra.key", ra.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    cert = write(tmp_path / "ra.der", ra.cert)
    plain = openssl("cms", "-decrypt", "-binary", "-inform", "DER", "-inkey", key, "-recip", cert, data=envelope)
    assert plain == request.plain
    text = openssl("req", "-inform", "DER", "-noout", "-text", "-verify", data=plain).decode()
    assert "secret" in text and "CN = a" in text


def test_ber_message_is_not_der():
    message = Device.shared("a").request([Device.shared("b").cert], ber=True).encode()
    with pytest.raises(ValueError):
        der.assert_der(message)


def certrep(ra, request, *, status="0", certs=None, **changes):
    """A CertRep as a server would make it, by the client's means."""
    content = b""
    if status == "0":
        certs_only = der.seq(der.oid(scepmsg.ID_SIGNED), der.tlv(0xA0, der.seq(
            der.integer(1), der.set_of(), der.seq(der.oid(scepmsg.ID_DATA)), der.tlv(0xA0, b"".join(certs)), der.set_of())))
        content = scepmsg.enveloped(certs_only, [request.cert], request.cipher)
    extra = [
        scepmsg.attribute(scepmsg.PKI_STATUS, der.tlv(der.PRINTABLE, status.encode())),
        scepmsg.attribute(scepmsg.RECIPIENT_NONCE, der.tlv(der.OCTETS, request.nonce)),
    ]
    if status == "2":
        extra.append(scepmsg.attribute(scepmsg.FAIL_INFO, der.tlv(der.PRINTABLE, b"2")))
    fields = dict(content=content, message_type="3", txid=request.txid, extra=tuple(extra), digest=request.digest)
    return Request(ra.key, ra.cert, [], **(fields | changes)).encode()


def test_a_right_reply_is_read(ra):
    request = Device.shared("a").request([ra.cert])
    reply = scepmsg.read_reply(certrep(ra, request, certs=[ra.cert]), request, [ra.cert])
    assert (reply.status, reply.certs, reply.digest, reply.cipher) == (0, [ra.cert], "sha256", "aes128")
    reply = scepmsg.read_reply(certrep(ra, request, status="2"), request, [ra.cert])
    assert (reply.status, reply.fail_info, reply.empty_content) == (2, 2, True)


@pytest.mark.parametrize("changes", [
    dict(sort=False), dict(break_signature=True), dict(txid="other"), dict(message_type="19"), dict(message_digest=bytes(32)),
    dict(omit=(scepmsg.SENDER_NONCE,)), dict(extra=()), dict(signature_oid="1.2.840.113549.1.1.11"), dict(certs=[]),
    dict(ber=True), dict(txid_tag=der.UTF8), dict(content=os.urandom(64)),
], ids=lambda c: next(iter(c)))
def test_a_wrong_reply_is_refused(ra, changes):
    request = Device.shared("a").request([ra.cert], txid="T1")
    with pytest.raises(Exception):
        scepmsg.read_reply(certrep(ra, request, certs=[ra.cert], **changes), request, [ra.cert])


def test_a_stranger_s_reply_is_refused(ra):
    request = Device.shared("a").request([ra.cert])
    with pytest.raises(AssertionError, match="stranger"):
        scepmsg.read_reply(certrep(Device.shared("b"), request, certs=[ra.cert]), request, [ra.cert])
