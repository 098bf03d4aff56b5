"""Light clients: a PKCS#10 without a SCEP message around it, where the profile serves that, and never instead of a SCEP message."""
import base64
import subprocess

import der
import pytest
import rawhttp
import scepmsg
from processes import write
from scepmsg import Device, csr


@pytest.fixture(scope="module")
def light(make_site, client_of):
    site = make_site()
    site.profiles["light"] = site.profile(scep={"raw_csr": "yes"})
    site.profiles["chain"] = site.profile(scep={"raw_csr": "yes", "include_chain": "yes"})
    site.profiles["strict"] = site.profile(scep={"raw_csr": "yes", "dialect": "strict"})
    site.profiles["waiting"] = site.profile(scep={"raw_csr": "yes"}, approval={"mode": "manual"})
    front = site.start("lighttpd-socket")
    yield lambda name="light": client_of(site, front, f"/scep/{name}", name)
    site.stop()


def post(client, body, content_type="application/pkcs10", query="?operation=PKIOperation"):
    return rawhttp.post(client.front.port, client.path + query, body, content_type)


def granted(client, answer, plain):
    assert answer.status == 200, f"{answer.status} {answer.body!r}\n{client.front.logs()[-1500:]}"
    assert answer.type == "application/pkcs7-mime" and "no-store" in answer.headers["cache-control"]
    certs = scepmsg.read_certs_only(answer.body)

    class Made:
        pass
    Made.plain = plain
    scepmsg.check_issued(certs[0], client.site.authority.ca, Made)
    return certs


def refused(client, answer, status, text):
    assert (answer.status, answer.type) == (status, "text/plain"), answer.body
    assert text in answer.body.decode()


def pem(data, label="CERTIFICATE REQUEST"):
    return f"-----BEGIN {label}-----\n".encode() + base64.encodebytes(data) + f"-----END {label}-----\n".encode()


def wrapped(device, plain, *, signed=True, extra=(), break_signature=False, key=None, ber=False):
    """SignedData around a PKCS#10, without SCEP attributes."""
    if not signed:
        inner = der.seq(der.oid(scepmsg.ID_DATA), der.tlv(0xA0, der.tlv(der.OCTETS, plain)))
        body = der.seq(der.integer(1), der.set_of(), inner, der.set_of())
        return der.seq(der.oid(scepmsg.ID_SIGNED), der.tlv(0xA0, body))
    omit = (scepmsg.MESSAGE_TYPE, scepmsg.SENDER_NONCE, scepmsg.TXID)
    return scepmsg.Request(key or device.key, device.cert, [], content=plain, omit=omit, extra=extra, break_signature=break_signature, ber=ber).encode()


FORMS = {
    "der": lambda d, p: p, "base64": lambda d, p: base64.b64encode(p), "lines": lambda d, p: base64.encodebytes(p),
    "pem": lambda d, p: pem(p), "line-end": lambda d, p: p + b"\r\n", "signed": lambda d, p: wrapped(d, p),
    "signed-ber": lambda d, p: wrapped(d, p, ber=True), "signed-base64": lambda d, p: base64.b64encode(wrapped(d, p)),
    "signed-pem": lambda d, p: pem(wrapped(d, p), "PKCS7"), "unsigned": lambda d, p: wrapped(d, p, signed=False),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(light, form):
    client, device = light(), Device.shared("light")
    plain = csr(device.key, "light", client.challenge())
    assert len(granted(client, post(client, FORMS[form](device, plain)), plain)) == 1


@pytest.mark.parametrize("content_type", [None, "application/octet-stream", "application/x-pki-message", "application/pkcs10"])
@pytest.mark.parametrize("query", ["", "?operation=PKIOperation"])
def test_headers_do_not_matter(light, content_type, query):
    client, device = light(), Device.shared("light")
    plain = csr(device.key, "light", client.challenge())
    granted(client, post(client, plain, content_type, query), plain)


def test_strict_serves_them_too(light):
    client = light("strict")
    plain = csr(Device.shared("light").key, "light", client.challenge())
    granted(client, post(client, pem(plain)), plain)


def test_ec_keys(light):
    client, device = light(), Device("light-ec", curve=scepmsg.ec.SECP256R1())
    for form in ("pem", "signed"):
        plain = csr(device.key, "light-ec", client.challenge())
        granted(client, post(client, FORMS[form](device, plain)), plain)


def test_chain(light):
    client = light("chain")
    plain = csr(Device.shared("light").key, "light", client.challenge())
    assert granted(client, post(client, plain), plain)[1:] == [client.site.authority.ca]


def test_a_resend_is_no_second_certificate(light):
    client = light()
    plain = csr(Device.shared("light").key, "light", client.challenge())
    first = granted(client, post(client, plain), plain)
    count = len(client.site.certs())
    for form in ("der", "pem", "unsigned", "signed"):
        assert granted(client, post(client, FORMS[form](Device.shared("light"), plain)), plain) == first
    assert len(client.site.certs()) == count


def test_recorded_as_what_it_is(light):
    client = light()
    plain = csr(Device.shared("light").key, "light-trail", client.challenge())
    cert = granted(client, post(client, plain), plain)[0]
    serial = scepmsg.x509.load_der_x509_certificate(cert).serial_number
    shown = client.site.json("cert", "show", f"{serial:032x}")
    assert "one-time challenge" in str(shown) and "as a bare request" in str(shown)
    assert " light=yes" in client.front.logs()


@pytest.mark.parametrize("profile", ["default", "light"])
def test_only_where_the_profile_says_so_and_by_post(light, profile):
    client = light(profile)
    device = Device.shared("light")
    plain = csr(device.key, "light", client.challenge())
    if profile == "default":
        for form in FORMS:
            refused(client, post(client, FORMS[form](device, plain)), 400, "")
    refused(client, client.get("operation=PKIOperation&message=" + base64.urlsafe_b64encode(plain).decode()), 400, "not a SCEP message")
    assert not client.site.execute("SELECT 1 FROM scep.cert WHERE profile = 'default'")


# --- refusals ---

@pytest.mark.parametrize("form", ["der", "pem", "signed", "unsigned"])
@pytest.mark.parametrize("challenge", [None, "wrong"])
def test_challenge(light, form, challenge):
    client, device = light(), Device.shared("light")
    refused(client, post(client, FORMS[form](device, csr(device.key, "light", challenge))), 403, "request not authorised")


def test_used_challenge(light):
    client, device = light(), Device.shared("light")
    challenge = client.challenge()
    plain = csr(device.key, "light", challenge)
    granted(client, post(client, plain), plain)
    refused(client, post(client, csr(device.key, "light-2", challenge)), 403, "request not authorised")


def test_what_a_csr_may_not_be(light):
    client, device, other = light(), Device.shared("light"), Device.shared("other")
    constraints = der.seq(der.oid("2.5.29.19"), der.tlv(1, b"\xff"), der.tlv(4, der.seq(der.tlv(1, b"\xff"))))
    wish = der.seq(der.oid(scepmsg.EXTENSION_REQUEST), der.set_of(der.seq(constraints)))
    good = csr(device.key, "light", client.challenge())
    for plain, status, text in (
            (csr(device.key, "d", client.challenge(), signed_by=other.key), 400, "signature is wrong"),
            (csr(scepmsg.new_key(1024), "d", client.challenge()), 403, "key not accepted"),
            (csr(device.key, "d", client.challenge(), attributes=[wish]), 400, "request not accepted"),
            (csr(device.key, "d", client.challenge(), digest="sha1"), 403, "algorithm not accepted"),
            (good[:-1], 400, ""), (good + b"x", 400, ""), (good + good, 400, ""), (pem(good) + b"x", 200, "")):
        answer = post(client, plain)
        assert answer.status == status and text in (answer.body.decode("latin-1") if status != 200 else ""), (status, text, answer)


def test_refusals_are_in_the_trail(light):
    client = light()
    post(client, csr(Device.shared("light").key, "light-refused", "wrong"))
    assert client.site.execute("SELECT reason FROM scep.audit WHERE kind = 'refuse' ORDER BY at DESC LIMIT 1") == [("challenge",)]


# --- the wrapping ---

def test_the_wrapping_is_verified(light):
    client, device, other = light(), Device.shared("light"), Device.shared("other")

    def plain():
        return csr(device.key, "light", client.challenge())
    refused(client, post(client, wrapped(device, plain(), break_signature=True)), 400, "integrity check failed")
    refused(client, post(client, wrapped(device, plain(), key=other.key)), 400, "integrity check failed")
    refused(client, post(client, wrapped(other, plain())), 403, "not signed by the requested key")


def test_openssl_wraps(light, tmp_path):
    client, device = light(), Device.shared("light")
    encoding, private = scepmsg.serialization.Encoding, scepmsg.serialization.PrivateFormat.PKCS8
    key = write(tmp_path / "key.pem", device.key.private_bytes(encoding.PEM, private, scepmsg.serialization.NoEncryption()))
    cert = write(tmp_path / "cert.pem", pem(device.cert, "CERTIFICATE").decode())
    config = write(tmp_path / "req.cnf", f"[req]\nprompt=no\ndistinguished_name=dn\nattributes=at\n[dn]\nCN=by-openssl\nO=Example\n"
                   f"[at]\nchallengePassword={client.challenge()}\n")

    def openssl(*args, data=None):
        return subprocess.run(["openssl", *map(str, args)], input=data, capture_output=True, check=True).stdout
    plain = openssl("req", "-new", "-key", key, "-config", config, "-outform", "DER")
    body = openssl("cms", "-sign", "-binary", "-nodetach", "-signer", cert, "-inkey", key, "-outform", "DER", data=plain)
    answer = post(client, body)
    granted(client, answer, plain)
    assert "by-openssl" in openssl("pkcs7", "-inform", "DER", "-print_certs", data=answer.body).decode()


# --- never instead of a SCEP message ---

ATTRIBUTES = [
    (scepmsg.MESSAGE_TYPE, der.tlv(der.PRINTABLE, b"19")), (scepmsg.TXID, der.tlv(der.PRINTABLE, b"x")),
    (scepmsg.SENDER_NONCE, der.tlv(der.OCTETS, bytes(16))),
]


@pytest.mark.parametrize("kept", range(3), ids=["messageType", "transactionID", "senderNonce"])
def test_one_scep_attribute_makes_it_a_scep_message(light, kept):
    client, device = light(), Device.shared("light")
    body = wrapped(device, csr(device.key, "light", client.challenge()), extra=(scepmsg.attribute(*ATTRIBUTES[kept]),))
    refused(client, post(client, body), 400, "SCEP attribute missing or malformed")


def test_a_scep_message_is_answered_as_one(light):
    client, device = light(), Device.shared("light")
    plain = csr(device.key, "light", client.challenge())
    client.enrol(client.request(plain=plain, device=device))
    bare = client.send(client.request(device=device, content=csr(device.key, "light-2", client.challenge())))	# not in an envelope
    assert (bare.status, bare.fail_info) == (scepmsg.FAILURE, scepmsg.BAD_REQUEST)
    broken = client.send(client.request(device=device, break_signature=True))
    assert (broken.status, broken.fail_info) == (scepmsg.FAILURE, scepmsg.BAD_MESSAGE_CHECK)


# --- waiting ---

def test_waiting_and_approved(light):
    client = light("waiting")
    plain = csr(Device.shared("light").key, "light-waits", None)
    for _ in range(2):
        answer = post(client, plain)
        assert answer.status == 202 and int(answer.headers["retry-after"]) > 0 and b"approval" in answer.body
    row = [r for r in client.site.json("request", "list") if "light-waits" in r["subject"]]
    assert len(row) == 1
    client.site.run("request", "approve", row[0]["id"])
    granted(client, post(client, pem(plain)), plain)


def test_waiting_and_rejected(light):
    client = light("waiting")
    plain = csr(Device.shared("light").key, "light-rejected", None)
    assert post(client, plain).status == 202
    row = next(r for r in client.site.json("request", "list") if "light-rejected" in r["subject"])
    client.site.run("request", "reject", row["id"], "--reason", "not one of ours")
    refused(client, post(client, plain), 403, "not one of ours")
    refused(client, post(light("waiting"), csr(Device.shared("light").key, "x", "wrong")), 403, "request not authorised")


def test_the_database_is_away(make_site, client_of):
    site = make_site()
    site.profiles["default"] = site.profile(scep={"raw_csr": "yes"})
    client = client_of(site, site.start("lighttpd-socket"))
    challenge = site.challenge()
    site.execute("ALTER FUNCTION scep.admit RENAME TO gone")
    answer = post(client, csr(Device.shared("light").key, "light", challenge))
    assert answer.status in (500, 503) and answer.type == "text/plain"
    site.stop()
