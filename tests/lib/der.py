"""DER and BER written and read by hand: messages that no library would write, and checks that no library makes."""

SEQUENCE, SET, INTEGER, OCTETS, NULL, OID, UTF8, PRINTABLE, IA5 = 0x30, 0x31, 0x02, 0x04, 0x05, 0x06, 0x0C, 0x13, 0x16


def tlv(tag, body=b""):
    n = len(body)
    if n < 0x80:
        return bytes([tag, n]) + body
    size = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def shell(tag, body, ber):
    """A constructed value; `ber`: of indefinite length."""
    return bytes([tag, 0x80]) + body + b"\0\0" if ber else tlv(tag, body)


def octets(tag, body, ber, piece=1000):
    """An OCTET STRING (or an implicitly tagged one); `ber`: constructed, in pieces, as BouncyCastle streams it."""
    if not ber:
        return tlv(tag, body)
    pieces = [tlv(OCTETS, body[i:i + piece]) for i in range(0, len(body), piece)]
    return bytes([tag | 0x20, 0x80]) + b"".join(pieces) + b"\0\0"


def seq(*parts):
    return tlv(SEQUENCE, b"".join(parts))


def set_of(*parts, sort=True):
    return tlv(SET, b"".join(sorted(parts) if sort else parts))


def integer(n):
    return tlv(INTEGER, n.to_bytes(n.bit_length() // 8 + 1, "big", signed=True))


def oid(dotted):
    first, second, *rest = (int(a) for a in dotted.split("."))
    out = bytearray()
    for arc in [first * 40 + second, *rest]:
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(arc & 0x7F | 0x80)
        out += bytes(reversed(septets))
    return tlv(OID, bytes(out))


NULL_TLV = tlv(NULL)


def algorithm(dotted, parameters=b""):
    return seq(oid(dotted), parameters)


def read(data, at=0):
    """One strict DER element at `at`: (tag, start of content, end). Anything that is not DER raises ValueError."""
    if len(data) < at + 2:
        raise ValueError(f"element cut at {at}")
    tag, n, at = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F:
        raise ValueError(f"multi-octet tag at {at - 2}")
    if n == 0x80:
        raise ValueError(f"indefinite length at {at - 1}")
    if n > 0x80:
        size = data[at:at + (n & 0x7F)]
        at += n & 0x7F
        n = int.from_bytes(size, "big")
        if len(size) == 0 or size[0] == 0 or n < 0x80:
            raise ValueError(f"length not minimal at {at}")
    if at + n > len(data):
        raise ValueError(f"element longer than its parent at {at}")
    return tag, at, at + n


def children(data):
    """The elements of one constructed element `data`, each with its header."""
    _, at, end = read(data)
    out = []
    while at < end:
        _, _, stop = read(data[:end], at)
        out.append(data[at:stop])
        at = stop
    return out


def content(data):
    _, start, end = read(data)
    return data[start:end]


def assert_der(data):
    """The whole of `data` is one strict DER element; constructed strings are refused."""
    tag, start, end = read(data)
    assert end == len(data), f"{len(data) - end} octets after the element"
    if tag & 0x20:
        assert tag & 0x1F not in (4, 12, 19, 22) or tag & 0xC0, "constructed string"
        for child in children(data):
            assert_der(child)
