"""Every web server of conf/, from the very files, by http and https."""
import base64
from urllib.parse import quote

import pytest
import rawhttp
import scepmsg
from frontends import FRONT_ENDS
from processes import DEADLINE, alive, children, wait_for
from reload import REFUSED, reload, reload_whole


@pytest.fixture(scope="module", params=list(FRONT_ENDS))
def client(request, make_site, client_of):
    site = make_site()
    client = client_of(site, site.start(request.param))
    client.kind = request.param
    yield client
    site.stop()


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_capabilities_and_certificates(client, tls):
    port = client.front.tls_port if tls else client.front.port
    caps = rawhttp.get(port, "/scep?operation=GetCACaps", tls)
    assert (caps.status, caps.type) == (200, "text/plain") and b"SCEPStandard" in caps.body
    certs = rawhttp.get(port, "/scep?operation=GetCACert", tls)
    assert scepmsg.read_certs_only(certs.body) == [client.site.authority.ra, client.site.authority.ca]
    assert "no-store" in certs.headers["cache-control"] and int(certs.headers["content-length"]) == len(certs.body)


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_enrol(client, tls):
    request = client.request()
    port = client.front.tls_port if tls else client.front.port
    answer = rawhttp.post(port, "/scep?operation=PKIOperation", request.encode(), tls=tls)
    assert answer.status == 200, client.front.logs()[-2000:]
    reply = scepmsg.read_reply(answer.body, request, client.trusted)
    assert reply.status == scepmsg.SUCCESS
    client.check_cert(reply, request)


@pytest.mark.parametrize("spelling", [lambda t: quote(t, safe=""), lambda t: t, lambda t: t.replace("+", "%20"),
                                      lambda t: quote("\n".join(t[i:i + 64] for i in range(0, len(t), 64)), safe="/")],
                         ids=["escaped", "raw", "space", "lf"])
def test_enrol_by_get(client, spelling):
    request = client.request()
    answer = client.get("operation=PKIOperation&message=" + spelling(base64.b64encode(request.encode()).decode()))
    assert answer.status == 200, client.front.logs()[-2000:]
    assert scepmsg.read_reply(answer.body, request, client.trusted).status == scepmsg.SUCCESS


@pytest.mark.parametrize("path", ["/scep/default", "/scep/default/pkiclient.exe", "/cgi-bin/pkiclient.exe"])
def test_paths(client, path):
    assert rawhttp.get(client.front.port, f"{path}?operation=GetCACaps").status == 200


def test_long_query(client):
    """16 KiB; mod_proxy_fcgi drops variables of that size, so that its snippet keeps them out from 16,000 octets on."""
    target = 15900 if client.kind == "mod_proxy_fcgi" else 16384
    for filler in (8600, 8600 + (target - 14730) * 3 // 4 - 12):
        request = client.request(extra=(scepmsg.attribute("1.2.840.113549.1.9.52", scepmsg.der.tlv(4, bytes(filler))),))
        query = "operation=PKIOperation&message=" + quote(base64.b64encode(request.encode()).decode(), safe="+/=")
    assert target - 60 <= len(query) <= target
    answer = client.get(query)
    assert answer.status == 200, client.front.logs()[-2000:]
    assert scepmsg.read_reply(answer.body, request, client.trusted).status == scepmsg.SUCCESS


def test_query_too_long(client):
    try:
        assert client.get("operation=PKIOperation&message=" + "A" * 100000).status in (400, 413, 414, 431)
    except ConnectionError:
        pass			# nginx and others may close while we still write


def test_errors(client):
    assert rawhttp.exchange(client.front.port, rawhttp.request("PUT", "/scep?operation=GetCACaps", body=b"x")).status == 405
    assert client.get("operation=Nothing").status == 400
    assert rawhttp.get(client.front.port, "/scep/nowhere?operation=GetCACaps").status == 404
    assert client.post_raw(b"no message").status == 400
    assert client.post_raw(bytes(1024 * 1024 + 1)).status == 413
    assert client.get("operation=GetCACaps").status == 200


def test_post_chunked(client):
    request = client.request()
    body = request.encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 700]), body[i:i + 700]) for i in range(0, len(body), 700)) + b"0\r\n\r\n"
    answer = rawhttp.exchange(client.front.port, rawhttp.request("POST", "/scep?operation=PKIOperation",
                                                                 ["Transfer-Encoding: chunked"], chunks))
    assert scepmsg.read_reply(answer.body, request, client.trusted).status == scepmsg.SUCCESS


def test_http_1_0(client):
    answer = rawhttp.exchange(client.front.port, b"GET /scep?operation=GetCACert HTTP/1.0\r\n\r\n")
    assert answer.status == 200


def test_refusal_is_signed(client):
    client.refused(client.request(challenge="wrong"), scepmsg.BAD_REQUEST)


@pytest.mark.parametrize("kind", ["lighttpd-socket", "lighttpd-spawned", "mod_fcgid", "mod_proxy_fcgi", "nginx"])
def test_nothing_is_left_behind(make_site, client_of, kind):
    site = make_site()
    front = site.start(kind)
    client = client_of(site, front)
    client.enrol()
    master = front.master()
    workers = children(master)
    front.server.process.send_signal(front.stop_signal)	# and nothing else: what it started is its own to end
    front.server.process.wait(DEADLINE)
    if front.responder:
        assert alive(master), "its life is not the web server's"
        assert front.responder.stop() == 0
    wait_for(lambda: not any(map(alive, [master, *workers])), "the responder to end with its web server")
    site.stop()


def test_reload(make_site, client_of):
    """SIGHUP: a new profile answers, a wrong configuration changes nothing."""
    site = make_site()
    front = site.start("lighttpd-socket")
    client = client_of(site, front)
    site.profiles["late"] = site.profile()
    site.write()

    def status(path):
        return rawhttp.get(front.port, f"{path}?operation=GetCACaps").status
    assert status("/scep/late") == 404
    reload_whole(front)
    assert status("/scep/late") == 200
    request = client.request()
    site.profiles["broken"] = site.profile(certificate={"validity": "for ever"})
    site.write()
    mark = len(front.responder.text())
    reload(front, REFUSED)
    assert "validity" in front.responder.text()[mark:], "the log says what is wrong"
    assert status("/scep/late") == 200 and status("/scep/broken") == 404
    client.enrol(request)
    site.stop()
