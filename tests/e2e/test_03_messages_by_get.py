"""PKIOperation by GET, in all the spellings of base64 that clients send; and by POST with odd headers."""
import base64
import os
from urllib.parse import quote

import pytest
import rawhttp
import scepmsg


def plain(message):
    return base64.b64encode(message).decode()


def wrapped(message, line_end):
    text = plain(message)
    return quote("".join(text[i:i + 64] + line_end for i in range(0, len(text), 64)), safe="/")


SPELLINGS = {
    "escaped": lambda m: quote(plain(m), safe=""),
    "raw": plain,				# '+', '/' and '=' as they are: macOS, jscep
    "space": lambda m: plain(m).replace("+", "%20"),
    "slash-raw": lambda m: quote(plain(m), safe="/"),	# sscep
    "lf": lambda m: wrapped(m, "\n"),
    "crlf": lambda m: wrapped(m, "\r\n"),
    "no-padding": lambda m: quote(plain(m).rstrip("="), safe=""),
    "base64url": lambda m: base64.urlsafe_b64encode(m).decode(),	# micromdm
    "base64url-no-padding": lambda m: base64.urlsafe_b64encode(m).decode().rstrip("="),
    "lower-case-escapes": lambda m: quote(plain(m), safe="").replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d"),
}


def message_with_plus(shared, **how):
    """A request whose base64 has '+', '/' and padding, so that each spelling matters."""
    for n in range(200):
        request = shared.request(challenge=None, txid=f"{os.urandom(16).hex()}{n % 3 * 'x'}", **how)	# of every length
        request.plain = scepmsg.csr(request.key, "device", shared.challenge())
        data = request.encode()
        if len(data) % 3 and "+" in plain(data) and "/" in plain(data):
            return request, data
    raise AssertionError("no such message")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_spelling(shared, spelling):
    request, data = message_with_plus(shared)
    answer = shared.get(f"operation=PKIOperation&message={SPELLINGS[spelling](data)}")
    assert answer.status == 200, shared.front.logs()[-1000:]
    reply = scepmsg.read_reply(answer.body, request, shared.trusted)
    assert reply.status == scepmsg.SUCCESS
    shared.check_cert(reply, request)


def test_message_before_operation(shared):
    request, data = message_with_plus(shared)
    answer = shared.get(f"message={SPELLINGS['escaped'](data)}&operation=PKIOperation")
    assert scepmsg.read_reply(answer.body, request, shared.trusted).status == scepmsg.SUCCESS


@pytest.mark.parametrize("text", ["", "!", "AAA!", "%00", "AAAA%3DAAA", "%"], ids=repr)
def test_not_base64(shared, text):
    assert shared.get(f"operation=PKIOperation&message={text}").status == 400


def long_query(shared, length):
    """A request by GET whose whole query has about `length` octets, and the query."""
    request = shared.request(digest="sha256")
    filler = (length - 3800) * 3 // 4
    request.certs = [request.cert]
    request.extra = (scepmsg.attribute("1.2.840.113549.1.9.52", scepmsg.der.tlv(4, bytes(filler))),)
    return request, "operation=PKIOperation&message=" + quote(plain(request.encode()), safe="/+")


def test_long_query(shared):
    request, query = long_query(shared, 15800)
    assert 14000 < len(query) < 16000
    answer = shared.get(query)
    assert answer.status == 200, shared.front.logs()[-1000:]
    assert scepmsg.read_reply(answer.body, request, shared.trusted).status == scepmsg.SUCCESS


def test_query_beyond_the_limit(shared):
    _, query = long_query(shared, 40000)
    before = len(shared.site.certs())
    try:
        assert shared.get(query).status in (400, 414, 431)
    except ConnectionError:
        pass
    assert len(shared.site.certs()) == before


@pytest.mark.parametrize("content_type", [None, "application/octet-stream", "application/x-www-form-urlencoded",
                                          "text/plain; charset=x", ""])
def test_post_content_type(shared, content_type):
    request = shared.request()
    answer = rawhttp.post(shared.front.port, "/scep?operation=PKIOperation", request.encode(), content_type)
    assert scepmsg.read_reply(answer.body, request, shared.trusted).status == scepmsg.SUCCESS


@pytest.mark.parametrize("target", ["/scep", "/scep?message=&operation=PKIOperation",
                                    "/scep/pkiclient.exe?operation=PKIOperation", "/scep/default?operation=PkiOperation"])
def test_post_target(shared, target):
    request = shared.request()
    answer = rawhttp.post(shared.front.port, target, request.encode())
    assert scepmsg.read_reply(answer.body, request, shared.trusted).status == scepmsg.SUCCESS


def test_post_http_1_0_without_any_header(shared):
    request = shared.request()
    body = request.encode()
    data = b"POST /scep?operation=PKIOperation HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    answer = rawhttp.exchange(shared.front.port, data)
    assert scepmsg.read_reply(answer.body, request, shared.trusted).status == scepmsg.SUCCESS


def test_post_chunked(shared):
    request = shared.request()
    body = request.encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 700]), body[i:i + 700]) for i in range(0, len(body), 700)) + b"0\r\n\r\n"
    answer = rawhttp.exchange(shared.front.port, rawhttp.request("POST", "/scep?operation=PKIOperation",
                                                                 ["Transfer-Encoding: chunked"], chunks))
    assert scepmsg.read_reply(answer.body, request, shared.trusted).status == scepmsg.SUCCESS


def test_expect_continue(shared):
    request = shared.request()
    answer = shared.post_raw(request.encode(), headers=["Expect: 100-continue"])
    assert scepmsg.read_reply(answer.body, request, shared.trusted).status == scepmsg.SUCCESS


@pytest.mark.parametrize("tail", [b"\0\0\0", b"\r\n"], ids=["zeros", "crlf"])
def test_octets_after_the_message(shared, tail):
    request = shared.request()
    assert shared.send(request, request.encode() + tail).status == scepmsg.SUCCESS
