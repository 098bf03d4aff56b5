"""Bodies of a mebibyte that are dear to a careless reader: from strangers, and signed and sealed properly."""
import der
import scepmsg

SIZE = (1 << 20) - 100


def many(piece, n):
    return piece * (n // len(piece))


def from_strangers():
    """Name and body of messages that are refused before anybody decrypts anything."""
    device = scepmsg.Device.shared("hostile")
    request = device.request([device.cert], content=b"x")
    attribute = scepmsg.attribute("1.2.3", der.NULL_TLV)
    yield "tiny elements", der.tlv(der.SEQUENCE, many(der.NULL_TLV, SIZE - 10))
    yield "tiny attributes", der.tlv(der.SEQUENCE, many(attribute, SIZE - 10))
    yield "zeros", bytes(SIZE)
    yield "nested indefinite sequences", many(b"\x30\x80", SIZE)
    yield "nested indefinite strings", many(b"\x24\x80", SIZE)
    yield "nested definite sequences", b"".join(b"\x30\x83" + (SIZE - 5 * (i + 1)).to_bytes(3, "big") for i in range(SIZE // 5))
    yield "end of contents only", b"\x30\x80" + bytes(SIZE - 2)
    yield "a length of 4 GiB", b"\x30\x84\xff\xff\xff\xff" + bytes(SIZE - 6)
    yield "a length of 8 EiB", b"\x30\x88\x7f" + b"\xff" * 7 + bytes(SIZE - 10)
    yield "thousands of attributes", request.but(extra=(attribute,) * (SIZE // len(attribute) - 200)).encode()
    yield "thousands of certificates", request.but(certs=[device.cert] * (SIZE // len(device.cert) - 2)).encode()
    yield "a certificate of a mebibyte", request.but(certs=[der.seq(bytes(SIZE - 3000)), device.cert]).encode()
    signed = der.seq(der.integer(1), der.set_of(), der.seq(der.tlv(der.OID, b"\1" * (SIZE - 100))), der.set_of())
    yield "an object identifier of a mebibyte", der.seq(der.oid(scepmsg.ID_SIGNED), der.tlv(0xA0, signed))
    yield "200 recipients", request.but(content=None, recipients=[device.cert] * 200, plain=b"x" * (SIZE // 2)).encode()
    yield "a mebibyte of content", request.but(content=bytes(SIZE - 3000)).encode()
    yield "a mebibyte of content in BER", request.but(content=bytes(SIZE - 60000), ber=True).encode()


def sealed(to):
    """Name and body of messages to the certificate `to` that decrypt and hold something odd."""
    device = scepmsg.Device.shared("hostile")
    room = SIZE - 4000
    attribute = scepmsg.attribute("1.2.3", der.NULL_TLV)
    rdn = der.set_of(der.seq(der.oid("2.5.4.3"), der.tlv(der.PRINTABLE, b"x")))
    names = many(der.tlv(0x82, b"x"), room)
    extension = der.seq(der.seq(der.oid("2.5.29.17"), der.tlv(der.OCTETS, der.seq(names))))
    for name, plain in (
            ("zeros, sealed", bytes(room)),
            ("a mebibyte of challenge, sealed", scepmsg.csr(device.key, "x", "c" * room)),
            ("RDNs, sealed", scepmsg.csr(device.key, "x", "c", subject=der.seq(many(rdn, room)))),
            ("attributes, sealed", scepmsg.csr(device.key, "x", "c", attributes=[many(attribute, room)])),
            ("DNS names, sealed", scepmsg.csr(device.key, "x", "c", attributes=[scepmsg.attribute(scepmsg.EXTENSION_REQUEST, extension)]))):
        yield name, device.request([to], plain=plain).encode()
    yield "as large as a request may be, sealed", device.request([to], plain=scepmsg.csr(device.key, "x", "c" * 60000)).encode()
