"""GetCACaps, GetCACert, and HTTP's own errors."""
import pytest
import rawhttp
import scepmsg
from cryptography import x509


def test_capabilities(shared):
    answer = shared.get("operation=GetCACaps")
    assert (answer.status, answer.type) == (200, "text/plain")
    lines = answer.body.decode("ascii").split("\n")
    assert lines.pop() == "" and "" not in lines and len(answer.body) < 1024
    assert set(lines) >= {"AES", "POSTPKIOperation", "SCEPStandard", "SHA-256", "SHA-384", "SHA-512"}
    assert not set(lines) & {"DES3", "SHA-1", "GetNextCACert", "DES", "MD5"}, "off by default"


def test_ca_certificates_with_an_ra(shared):
    answer = shared.get("operation=GetCACert")
    assert (answer.status, answer.type) == (200, "application/x-x509-ca-ra-cert")
    assert scepmsg.read_certs_only(answer.body) == [shared.site.authority.ra, shared.site.authority.ca]


def test_ca_certificate_alone(make_site, client_of):
    site = make_site("rsa:2048", "--scep-peer")
    site.profiles["default"] = site.profile(ra=None)
    client = client_of(site, site.start("lighttpd-socket"))
    answer = client.get("operation=GetCACert")
    assert (answer.status, answer.type) == (200, "application/x-x509-ca-cert")
    assert answer.body == site.authority.ca
    client.to = client.trusted = [site.authority.ca]
    client.enrol()
    site.stop()


@pytest.mark.parametrize("query", [
    "operation=GetCACert&message=0", "operation=GetCACert&message=", "message=CAIdentifier&operation=GetCACert",
    "operation=getcacert", "a=b&operation=GetCACert&c", "operation=GetCACert&message=%zz",
])
def test_queries_that_clients_send(shared, query):
    assert shared.get(query).status == 200


@pytest.mark.parametrize("path", ["/scep", "/scep/", "/scep/default", "/scep/default/", "/scep/pkiclient.exe",
                                  "/scep/default/pkiclient.exe", "/scep/cgi-bin/../default"])
def test_paths(shared, path):
    assert rawhttp.get(shared.front.port, f"{path}?operation=GetCACaps").status == 200


@pytest.mark.parametrize("path", ["/scep/nowhere", "/scep/default/x", "/scep/Default", "/scep/%00", "/scep/%64efault%2f..%2fx"])
def test_paths_that_are_none(shared, path):
    assert rawhttp.get(shared.front.port, f"{path}?operation=GetCACaps").status in (400, 404)


def test_plain_http_1_0(shared):
    answer = rawhttp.exchange(shared.front.port, b"GET /scep?operation=GetCACaps HTTP/1.0\r\n\r\n")
    assert answer.status == 200 and int(answer.headers["content-length"]) == len(answer.body)


def test_head(shared):
    answer = rawhttp.exchange(shared.front.port, rawhttp.request("HEAD", "/scep?operation=GetCACaps"))
    assert answer.status == 200 and answer.type == "text/plain"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods(shared, method):
    answer = rawhttp.exchange(shared.front.port, rawhttp.request(method, "/scep?operation=GetCACaps", body=b""))
    if method == "OPTIONS" and answer.status == 200:
        return			# lighttpd answers it by itself
    assert answer.status == 405
    assert {m.strip() for m in answer.headers["allow"].split(",")} >= {"GET", "POST"}


@pytest.mark.parametrize("query", ["", "operation=", "operation=GetNothing", "operation", "message=x"])
def test_unknown_operation(shared, query):
    assert shared.get(query).status == 400


def test_no_next_ca(shared):
    assert shared.get("operation=GetNextCACert").status in (400, 404, 501)


@pytest.mark.parametrize("operation", ["GetCACaps", "GetCACert", "Nothing"])
def test_post_of_another_operation(shared, operation):
    assert rawhttp.post(shared.front.port, f"/scep?operation={operation}", b"x").status == 400


@pytest.mark.parametrize("body", [b"", b"x", b"0", b"\x30\x80", b"\x30\x82\xff\xff", bytes(65536), b"\x30" * 65536,
                                  b"\x30\x80" * 32768, scepmsg.self_signed(scepmsg.new_key(), "x")],
                         ids=["empty", "text", "one", "cut", "long", "zeros", "nested", "indefinite", "certificate"])
def test_no_message(shared, body):
    answer = shared.post_raw(body)
    assert answer.status == 400 and answer.type.startswith("text/plain") and len(answer.body) < 200


def test_body_too_large(site, client_of):
    site.server["server"]["max_body"] = 100000
    client = client_of(site, site.start("lighttpd-socket"))
    assert client.post_raw(bytes(100001)).status == 413
    assert client.post_raw(bytes(100000)).status == 400
    assert client.get("operation=GetCACaps").status == 200


def test_a_mebibyte_by_default(shared):
    assert shared.post_raw(bytes(1024 * 1024 + 1)).status == 413
    assert shared.post_raw(bytes(1024 * 1024)).status == 400


def test_ec_ca(make_site, client_of):
    site = make_site("ec:p256")
    client = client_of(site, site.start("lighttpd-socket"))
    reply = client.enrol(label="ec-ca")
    assert isinstance(x509.load_der_x509_certificate(site.authority.ca).public_key(), scepmsg.ec.EllipticCurvePublicKey)
    assert reply.cert.signature_hash_algorithm.name.startswith("sha")
    site.stop()
