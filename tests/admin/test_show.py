"""scepter show: any file, through the responder's parsers."""
import base64
import subprocess

import pytest

from conftest import CONFIG, DATA, FAILED, OK, USAGE, bad, ok, scepter

import scepmsg
import tokens

SCEP = DATA / "good/scep"
SECRET = "open sesame and more"


def show(path, *args, code=OK, **how):
    result = scepter("show", path, "--json", *args, **how)
    assert result.code == code, result
    assert len(result.json) == 1
    return result.json[0]


@pytest.fixture(scope="module")
def ra(tmp_path_factory):
    """The RA of tests/data, its key with the mode that a checkout does not keep."""
    key = tmp_path_factory.mktemp("ra") / "ra.key"
    key.write_bytes((SCEP / "ra.key").read_bytes())
    key.chmod(0o600)
    return ["--cert", SCEP / "ra.pem", "--key", key]


# --- files of tests/data


@pytest.mark.parametrize("path", sorted((DATA / "good/scep").glob("*.der")), ids=lambda p: p.name)
def test_good_messages(path):
    """What the scep layer takes is shown with all its attributes; only algorithms and types that are off are told as problems."""
    result = scepter("show", path, "--json")
    shown = result.json[0]
    assert shown["kind"] == "SCEP message" and shown["transaction_id"] and shown["sender_nonce"] and shown["signer"]["key"]
    labels = {problem.split(":")[0] for problem in shown.get("problems", [])}
    assert labels <= {"alg", "type"}, result
    assert result.code == (FAILED if labels else OK)
    assert ("signature" in shown) == (shown.get("problems", [""])[0][:4] != "alg:" or "cannot decrypt" in str(shown["problems"]))


@pytest.mark.parametrize("path", sorted((DATA / "bad/scep").glob("*.der")), ids=lambda p: p.name)
def test_bad_messages(path, ra):
    """The error in the file's name is what is shown, and what the responder would answer fits it."""
    label = path.name.split("-")[0]
    result = scepter("show", path, "--json", *ra)
    shown = result.json[0]
    if label == "alg" and result.code == OK or label == "syntax" and shown["kind"] not in ("signed data (CMS)", "unknown", "SCEP message"):
        return		# an algorithm that the file's test alone turns off; a file of another kind, which is told as what it is
    assert result.code == FAILED, result
    problem, answer = shown["problems"][0], shown.get("responder_would_answer", "")
    assert problem.startswith(label + ":"), result
    assert answer.startswith({"syntax": "HTTP 400", "attribute": "HTTP 400", "no_signer": "HTTP 400", "msg_check": "CertRep FAILURE, badMessageCheck",
                              "alg": "CertRep FAILURE, badAlg", "key_weak": "CertRep FAILURE, badAlg"}.get(label, "CertRep FAILURE, badRequest")
                             if shown["kind"] != "unknown" else ""), result


@pytest.mark.parametrize("kind", ["cert", "csr", "cms/signed", "cms/enveloped"])
def test_other_files(kind):
    """Nothing that is in the tree upsets it: every file gives JSON and a status that says whether something is wrong."""
    for quality in ("good", "bad"):
        for path in sorted((DATA / quality / kind).glob("*.der")):
            result = scepter("show", path, "--json")
            assert result.code in (OK, FAILED) and len(result.json) == 1, (path, result)
            assert result.json[0]["kind"] != "unknown" or quality == "bad", (path, result)
            assert ("problems" in str(result.json)) == (result.code == FAILED), (path, result)
            text = scepter("show", path)
            assert text.code == result.code and text.out.startswith("Kind: "), (path, text)


# --- what a message says


@pytest.fixture(scope="module")
def parties(authority):
    return tuple(scepmsg.certificate((authority / f).read_bytes()) for f in ("ra.pem", "ca.pem"))


def request(parties, tmp_path, challenge=SECRET, **changes):
    path = tmp_path / "request.der"
    path.write_bytes(scepmsg.Device.shared("shown").request([parties[0]], challenge, dns=["a.example"], **changes).encode())
    return path


@pytest.fixture(scope="module")
def judged(site):
    secrets = site.folder / "static"
    secrets.write_text(SECRET + "\n")
    secrets.chmod(0o600)
    site.profile.write_text(site.profile.read_text() + f"[enrol]\nstatic_challenge_file = {secrets}\n")
    return site


def test_opened_by_the_profile(judged, parties, tmp_path):
    shown = show(request(parties, tmp_path), "--profile", "default", env=judged.env())
    content = shown["content"]
    assert (shown["message_type"], shown["signature"], shown["digest"]) == ("PKCSReq (19)", "right", "SHA-256")
    assert shown["envelope"]["cipher"] == "AES-128-CBC" and shown["envelope"]["recipients"][0]["by"] == "key transport"
    assert content["subject"] == "CN=shown,O=Example" and content["asked_subject_alt_name"] == "DNS:a.example" and content["key"] == "RSA 2048"
    assert shown["responder_would_answer"] == "SUCCESS: the challenge is a static secret of the profile"


def test_opened_by_a_key(authority, parties, tmp_path):
    shown = show(request(parties, tmp_path), "--cert", authority / "ra.pem", "--key", authority / "ra.key")
    assert shown["content"]["subject"] == "CN=shown,O=Example" and "SUCCESS" in shown["responder_would_answer"]
    sealed = show(request(parties, tmp_path))
    assert "sealed" in sealed["content"]


def test_challenge_is_hidden(judged, parties, tmp_path):
    path = request(parties, tmp_path)
    for form in ([], ["--json"]):
        result = ok("show", path, "--profile", "default", *form, env=judged.env())
        assert SECRET not in result.out + result.err and f"(hidden, {len(SECRET)} octets" in result.out
        assert SECRET in ok("show", path, "--profile", "default", "--show-secrets", *form, env=judged.env()).out


@pytest.mark.parametrize("changes, answer", [
    (dict(challenge="not one of them"), "SUCCESS, if the database knows the challenge"),
    (dict(challenge=None), "CertRep FAILURE, badRequest: request not authorised"),
    (dict(break_signature=True), "CertRep FAILURE, badMessageCheck: integrity check failed"),
    (dict(message_type="23"), "CertRep FAILURE, badRequest: message type not supported"),
    (dict(digest="sha1"), "CertRep FAILURE, badAlg: algorithm not accepted"),
    (dict(cipher="des3"), "CertRep FAILURE, badAlg: algorithm not accepted"),
    (dict(plain=b"0\x03\x02\x01\x00"), "CertRep FAILURE, badRequest: message content could not be read"),
    (dict(message_type="17"), "CertRep FAILURE, badRequest"),
    (dict(certs=[]), "HTTP 400: no signer certificate in the message"),
])
def test_what_the_responder_would_answer(judged, parties, tmp_path, changes, answer):
    path = request(parties, tmp_path, **changes)
    shown = show(path, "--profile", "default", code=OK if "SUCCESS" in answer else FAILED, env=judged.env())
    assert shown["responder_would_answer"].startswith(answer), shown
    assert len(shown.get("problems", [])) == ("SUCCESS" not in answer)


def test_would_wait(judged, parties, tmp_path):
    """A profile whose requests people approve."""
    text = judged.profile.read_text()
    judged.profile.write_text(text + "[approval]\nmode = manual\n")
    try:
        for challenge, condition in ((SECRET, ": the challenge is a static"), (None, ": there is no challenge"), ("other", ", if the database")):
            answer = show(request(parties, tmp_path, challenge=challenge), "--profile", "default", env=judged.env())["responder_would_answer"]
            assert answer.startswith("PENDING until operators approve it" + condition)
    finally:
        judged.profile.write_text(text)


@pytest.mark.parametrize("section, challenge, condition", [
    ("[webhook]\nurl = http://127.0.0.1:1/\nrole = challenge\n", "any", ", if the web hook accepts it"),
    ("[command]\npath = /bin/true\nrole = challenge\n", "any", ", if the command accepts it"),
    ("[webhook]\nurl = http://127.0.0.1:1/\nrole = challenge\nwithout_challenge = yes\n", None, ", if the web hook accepts it"),
    ("[signed_challenge]\nanchors = {anchors}\naudience = {audience}\n", tokens.Issuer.token, ", if the signed challenge was not used before"),
])
def test_would_be_judged_elsewhere(judged, parties, tmp_path, section, challenge, condition):
    """By those who are not asked here."""
    issuer = tokens.Issuer("ES256")
    anchors = tmp_path / "anchors.pem"
    anchors.write_text(issuer.public())
    text = judged.profile.read_text()
    judged.profile.write_text(text + "one_time_challenge = no\n" + section.format(anchors=anchors, audience=tokens.AUDIENCE))
    try:
        path = request(parties, tmp_path, challenge=challenge(issuer) if callable(challenge) else challenge)
        assert show(path, "--profile", "default", env=judged.env())["responder_would_answer"] == "SUCCESS" + condition
    finally:
        judged.profile.write_text(text)


def test_signed_by_another_key(judged, parties, tmp_path):
    """Windows does so: refused, unless the profile says otherwise."""
    asked = scepmsg.csr(scepmsg.Device.shared("other").key, "other", SECRET)
    path = request(parties, tmp_path, plain=asked)
    shown = show(path, "--profile", "default", code=FAILED, env=judged.env())
    assert shown["problems"][0].startswith("signer_key:") and "badRequest" in shown["responder_would_answer"]
    text = judged.profile.read_text()
    judged.profile.write_text(text + "signer_key = any\n")
    try:
        assert "SUCCESS" in show(path, "--profile", "default", env=judged.env())["responder_would_answer"]
    finally:
        judged.profile.write_text(text)


def test_answers_of_the_responder_agree(judged, parties, tmp_path):
    """What show foretells is what happens: the same messages, handled by the responder itself."""
    from test_cert import post
    for changes, status in ((dict(), 0), (dict(challenge=None), 2), (dict(break_signature=True), 2), (dict(message_type="23"), 2)):
        made = scepmsg.Device.shared("shown").request([parties[0]], changes.pop("challenge", SECRET), **changes)
        path = tmp_path / "m.der"
        path.write_bytes(made.encode())
        shown = scepter("show", path, "--profile", "default", "--json", env=judged.env()).json[0]
        reply = scepmsg.read_reply(post(judged, made.encode()), made, list(parties))
        assert reply.status == status and ("SUCCESS" in shown["responder_would_answer"]) == (status == 0)


def test_reply(judged, parties, tmp_path):
    """A CertRep, sealed and opened with the device's key."""
    from cryptography.hazmat.primitives import serialization
    from test_cert import post
    device = scepmsg.Device.shared("shown")
    made = device.request([parties[0]], SECRET)
    path, key, cert = tmp_path / "reply", tmp_path / "key", tmp_path / "cert"
    path.write_bytes(post(judged, made.encode()))
    key.write_bytes(device.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    key.chmod(0o600)
    cert.write_bytes(device.cert)
    shown = show(path)
    assert (shown["message_type"], shown["status"]) == ("CertRep (3)", "SUCCESS (0)") and shown["transaction_id"] == made.txid
    assert shown["recipient_nonce"] == made.nonce.hex() and "responder_would_answer" not in shown
    opened = show(path, "--cert", cert, "--key", key)["content"]
    assert opened["kind"] == "certificates only (CMS)" and opened["certificates"][0]["subject"] == "CN=shown,O=Example"
    path.write_bytes(post(judged, made.but(message_type="23", txid="other").encode()))
    shown = show(path)
    assert (shown["status"], shown["fail_info"]) == ("FAILURE (2)", "badRequest (2)")


# --- forms of files


def test_forms(tmp_path, parties):
    der = request(parties, tmp_path).read_bytes()
    expected = show(tmp_path / "request.der")
    forms = {
        "base64": base64.b64encode(der), "base64-lines": base64.encodebytes(der), "base64-url": base64.urlsafe_b64encode(der).rstrip(b"="),
        "pem": b"text before\n-----BEGIN PKCS7-----\n" + base64.encodebytes(der) + b"-----END PKCS7-----\n",
    }
    for name, content in forms.items():
        (tmp_path / name).write_bytes(content)
        assert show(tmp_path / name) == expected, name
    assert show("-", stdin=forms["base64"].decode()) == expected


def test_several_certificates(authority, tmp_path):
    both = tmp_path / "both.pem"
    both.write_bytes((authority / "ca.pem").read_bytes() + (authority / "ra.pem").read_bytes())
    shown = ok("show", both, "--json").json
    assert [c["subject"] for c in shown] == ["CN=Test CA,O=Example", "CN=SCEP RA"]
    assert [(c["ca"], c["self_signed"]) for c in shown] == [(True, True), (False, False)]
    assert ok("show", both).out.count("Kind: ") == 2


def test_private_key_is_not_shown(authority):
    result = scepter("show", authority / "ca.key")
    assert result.code == FAILED and "private key, which is not shown" in result.err
    lines = [line for line in (authority / "ca.key").read_text().splitlines() if not line.startswith("-")]
    assert not any(line in result.out + result.err for line in lines)


def test_certs_only(tmp_path, authority):
    p7 = tmp_path / "p7"
    subprocess.run(["openssl", "crl2pkcs7", "-nocrl", "-certfile", authority / "ca.pem", "-certfile", authority / "ra.pem", "-outform", "DER", "-out", p7],
                   check=True)
    shown = show(p7)
    assert shown["kind"] == "certificates only (CMS)"
    assert {c["subject"] for c in shown["certificates"]} == {"CN=Test CA,O=Example", "CN=SCEP RA"}


def test_crl():
    shown = show(DATA / "good/crl/number-and-key-id.der")
    assert (shown["kind"], shown["issuer"], shown["number"]) == ("certificate revocation list", "CN=Some CA", 7)
    assert (shown["this_update"], shown["next_update"]) == ("2026-01-31T12:00:00Z", "2026-02-01T12:00:00Z")
    assert [int(e["serial"], 16) for e in shown["entries"]] == [5, 2**127] and shown["revoked_certificates"] == 2
    reasons = show(DATA / "good/crl/all-reasons.der")["entries"]
    assert {"keyCompromise", "superseded", "certificateHold", "aACompromise"} < {e["reason"] for e in reasons}
    entry = show(DATA / "good/crl/invalidity-date.der")["entries"][0]
    assert (entry["reason"], entry["invalid_since"]) == ("unspecified", "2026-01-22T12:00:00Z")
    assert "Some CA" in scepter("show", DATA / "good/crl/empty.der").out


@pytest.mark.parametrize("name", sorted(p.name for p in (DATA / "bad/crl").glob("syntax-entry-*.der")))
def test_bad_crl(name):
    shown = show(DATA / "bad/crl" / name, code=FAILED)
    assert shown["kind"] == "certificate revocation list" and shown["problems"] == ["syntax: not an X.509 certificate revocation list"]


def test_crl_only(tmp_path):
    p7 = tmp_path / "p7"
    subprocess.run(["openssl", "crl2pkcs7", "-inform", "DER", "-in", DATA / "good/crl/number-and-key-id.der", "-outform", "DER", "-out", p7], check=True)
    shown = show(p7)
    assert shown["kind"] == "revocation list only (CMS)" and shown["revocation_list"]["number"] == 7


def test_terminal_is_safe(tmp_path):
    """Names that want to move the cursor do not reach the terminal as they are."""
    result = ok("ca", "init", "-s", r"CN=a\1b[2Jb\0ac", "-t", "ec:p256", "-o", tmp_path)
    assert "\x1b" not in result.out
    shown = scepter("show", tmp_path / "ca.pem")
    assert "\x1b" not in shown.out and all(line.startswith((" ", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ")) for line in shown.out.splitlines())


@pytest.mark.parametrize("content", [b"", b"0", b"0\x80", b"0\x80\x00\x00", b"\x30\x84\xff\xff\xff\xff", b"hello", b"\xff" * 100, b"0\x0b\x06\x09*\x86H\x86\xf7\r\x01\x07\x02",
                                     b"0\x0b\x06\x09*\x86H\x86\xf7\r\x01\x07\x03", b"-----BEGIN CERTIFICATE-----\nx\n"])
def test_nonsense(tmp_path, content):
    path = tmp_path / "f"
    path.write_bytes(content)
    assert show(path, code=FAILED)["problems"]


def test_options(tmp_path, authority):
    bad(CONFIG, "/nonexistent/file", "show", "/nonexistent/file")
    bad(USAGE, "--cert and --key go together", "show", "x", "--cert", "y")
    bad(CONFIG, "is not the key of", "show", authority / "ca.pem", "--cert", authority / "ca.pem", "--key", authority / "ra.key")
    bad(CONFIG, "/nonexistent/scepter.ini", "show", authority / "ca.pem", "--profile", "x", "--conf", "/nonexistent/scepter.ini")
