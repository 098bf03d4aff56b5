"""`scepter enroll` and `scepter bench` against a server that answers well, badly and not at all."""
import json
import os
import pathlib
import subprocess
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

import scep_server
import scepmsg
from scep_server import Server, issue, issue_under, pending, refuse

BUILD = pathlib.Path(os.environ.get("top_builddir", "."))


@pytest.fixture(scope="module")
def pki():
    return scep_server.Pki()


@pytest.fixture(scope="module")
def key_file(tmp_path_factory):
    """Made once: keys are slow."""
    path = tmp_path_factory.mktemp("key") / "key.pem"
    path.touch(0o600)
    path.write_bytes(scepmsg.new_key().private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                     serialization.NoEncryption()))
    return path


def run(verb, server, *args, pin=True, stdin=""):
    command = [BUILD / "scepter", verb, server.url, *map(str, args)]
    if pin:
        command += ["--fingerprint", server.pki.fingerprint()]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, input=stdin)


def enroll(server, key_file, tmp_path, *args, **how):
    return run("enroll", server, "--subject", "CN=device,O=Example", "--key", key_file, "--cert", tmp_path / "cert.pem", *args, **how)


def test_certificate_and_new_key(pki, tmp_path):
    with Server([issue], pki) as server:
        done = run("enroll", server, "--subject", "CN=device", "--san", "dns:a.example", "--san", "ip:192.0.2.7", "--out",
                   tmp_path / "out", "--challenge-file", "-", "--json", stdin="secret\n")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    key = tmp_path / "out/key.pem"
    assert told["status"] == "issued" and told["key_file"] == str(key)
    assert key.stat().st_mode & 0o777 == 0o600
    cert = x509.load_pem_x509_certificate((tmp_path / "out/cert.pem").read_bytes())
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    assert cert.public_key().public_numbers() == private.public_key().public_numbers()
    assert int(told["serial"], 16) == cert.serial_number
    got = server.received[0]
    assert (got.method, got.type, got.cipher, got.digest) == ("POST", "19", "aes128", "sha256")
    csr = got.csr()
    assert csr.is_signature_valid and csr.subject.rfc4514_string() == "CN=device"
    assert csr.attributes.get_attribute_for_oid(x509.oid.AttributeOID.CHALLENGE_PASSWORD).value == b"secret"
    san = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(n.value) for n in san] == ["a.example", "192.0.2.7"]


def test_get_and_algorithms(pki, key_file, tmp_path):
    with Server([issue], pki) as server:
        done = enroll(server, key_file, tmp_path, "--get", "--digest", "sha512", "--cipher", "aes256")
        assert done.returncode == 0, done.stderr
        server.bodies["GetCACaps"] = b"DES3\nSHA-1\n"		# nothing else, not even POST
        assert enroll(server, key_file, tmp_path).returncode == 0
    assert [(g.method, g.digest, g.cipher) for g in server.received] == [("GET", "sha512", "aes256"), ("GET", "sha1", "des3")]


def test_nothing_is_sent_without_trust(pki, key_file, tmp_path):
    with Server([issue], pki) as server:
        done = enroll(server, key_file, tmp_path, pin=False)
        assert done.returncode == 1 and pki.fingerprint() in done.stderr
        done = enroll(server, key_file, tmp_path, "--fingerprint", "00" * 32, pin=False)
        assert done.returncode == 1 and "fingerprint" in done.stderr
        done = enroll(server, key_file, tmp_path, "--fingerprint", "00" * 20, pin=False)
        assert done.returncode == 2 and "64 hexadecimal digits" in done.stderr
        assert server.received == []
        done = enroll(server, key_file, tmp_path, "--trust-first", pin=False)
        assert done.returncode == 0 and pki.fingerprint() in done.stderr


def test_polls_until_decided(pki, key_file, tmp_path):
    with Server([pending, pending, issue], pki) as server:
        done = enroll(server, key_file, tmp_path, "--poll-interval", "1s")
    assert done.returncode == 0, done.stderr
    assert [g.type for g in server.received] == ["19", "20", "20"]
    assert len({g.txid for g in server.received}) == 1 and len({g.nonce for g in server.received}) == 3
    issuer_and_subject = server.received[1].plain
    assert pki_name("Fake CA") in issuer_and_subject and b"device" in issuer_and_subject


def pki_name(common_name):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)]).public_bytes()


def test_waits_and_is_asked_again(pki, key_file, tmp_path):
    with Server([pending, pending, issue], pki) as server:
        done = enroll(server, key_file, tmp_path, "--poll-max", "0", "--json")
        assert done.returncode == 4 and not (tmp_path / "cert.pem").exists()
        txid = json.loads(done.stdout)["transaction"]
        assert f"--poll {txid}" in done.stderr
        assert enroll(server, key_file, tmp_path, "--poll", txid, "--poll-max", "1").returncode == 4
        assert enroll(server, key_file, tmp_path, "--poll", txid).returncode == 0
        assert [(g.type, g.txid) for g in server.received] == [("19", txid), ("20", txid), ("20", txid)]


@pytest.mark.parametrize("lost", [lambda *_: (500, b""), lambda *_: (200, b"garbage"), lambda pki, got: (issue(pki, got), (502, b"gone"))[1]],
                         ids=["500", "garbage", "502"])
def test_an_answer_that_was_lost_can_be_asked_for(pki, key_file, tmp_path, lost):
    with Server([lost, issue], pki) as server:
        done = enroll(server, key_file, tmp_path, "--challenge", "secret")
        assert done.returncode == 1 and not (tmp_path / "cert.pem").exists()
        assert f"--poll {server.received[0].txid}" in done.stderr
        done = enroll(server, key_file, tmp_path, "--challenge", "secret", "--poll", server.received[0].txid)
    assert done.returncode == 0 and (tmp_path / "cert.pem").exists(), done.stderr
    assert [got.type for got in server.received] == ["19", "20"]


@pytest.mark.parametrize("answer", [refuse, lambda *_: (400, b"no"), lambda *_: (429, b"later")], ids=["failure", "400", "429"])
def test_what_was_refused_is_not_asked_for(pki, key_file, tmp_path, answer):
    with Server([answer], pki) as server:
        done = enroll(server, key_file, tmp_path)
    assert done.returncode == 1 and "--poll" not in done.stderr


def test_nothing_is_sent_when_the_certificate_could_not_be_written(pki, key_file, tmp_path):
    with Server([issue], pki) as server:
        for cert in (tmp_path / "nowhere/cert.pem", tmp_path, "/proc/cert.pem"):
            done = enroll(server, key_file, tmp_path, "--cert", cert)
            assert done.returncode == 3 and str(cert) in done.stderr, done.stderr
        assert server.received == [] and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fail_info,name", enumerate(["badAlg", "badMessageCheck", "badRequest", "badTime", "badCertId", "unknown"]))
def test_refused(pki, key_file, tmp_path, fail_info, name):
    with Server([lambda p, got: refuse(p, got, fail_info=fail_info, fail_text="not \x1b[31mtoday")], pki) as server:
        done = enroll(server, key_file, tmp_path)
    assert done.returncode == 1 and name in done.stderr
    assert r"not \x1b[31mtoday" in done.stderr and "\x1b" not in done.stderr


def stranger():
    key = scepmsg.new_key()
    return {"key": key, "cert": scepmsg.self_signed(key, "stranger")}


def other_key(p, got):
    cert = scep_server.certificate("issued", None, "Fake CA", p.ca_key, public=p.ra_key.public_key())
    return scep_server.certrep(p, got, 0, scepmsg.enveloped(scep_server.certs_only(cert), [got.cert]))


def other_ca(p, got):
    public = x509.load_der_x509_certificate(got.cert).public_key()
    cert = scep_server.certificate("issued", None, "Fake CA", scepmsg.new_key(), public=public)
    return scep_server.certrep(p, got, 0, scepmsg.enveloped(scep_server.certs_only(cert), [got.cert]))


LIES = {
    "is not one of the server's": lambda p, got: issue(p, got, **stranger()),
    "signature": lambda p, got: issue(p, got, break_signature=True),
    "another transactionID": lambda p, got: issue(p, got, txid="another"),
    "recipientNonce": lambda p, got: issue(p, got, recipient_nonce=bytes(16)),
    "not a CertRep": lambda p, got: issue(p, got, message_type="19"),
    "for our key": other_key,
    "does not chain": other_ca,
    "carries no certificate": lambda p, got: scep_server.certrep(p, got, 0),
    "pkiStatus 1": lambda p, got: scep_server.certrep(p, got, 1),
    "HTTP 503: \"come back\\x1b\"": lambda p, got: (503, b"come back\x1b\nlater"),
    "the server's answer": lambda p, got: b"<html>200, but no</html>",
    "the server's answer: ": lambda p, got: b"",
    "larger than": lambda p, got: bytes(5 << 20),
}


@pytest.mark.parametrize("sentence", LIES)
def test_not_believed(pki, key_file, tmp_path, sentence):
    with Server([LIES[sentence]], pki) as server:
        done = enroll(server, key_file, tmp_path)
    assert done.returncode == 1 and sentence in done.stderr, done.stderr
    assert not (tmp_path / "cert.pem").exists()


def enroll_ec(server, tmp_path, key_type, challenge="secret\n"):
    return run("enroll", server, "--subject", "CN=device", "--out", tmp_path / "out", "--key-type", key_type, "--challenge-file", "-",
               stdin=challenge)


@pytest.mark.parametrize("key_type", ["ec:p256", "ec:p384", "ec:p521", "ed25519"])
@pytest.mark.parametrize("prf", ["sha1", "sha256", "sha512"])
def test_answer_under_the_challenge(pki, tmp_path, key_type, prf):
    with Server([pending, issue_under(b"secret", prf=prf)], pki) as server:
        done = run("enroll", server, "--subject", "CN=device", "--out", tmp_path / "out", "--key-type", key_type, "--challenge-file", "-",
                   "--poll-interval", "1s", stdin="secret\n")
    assert done.returncode == 0, done.stderr
    assert [got.type for got in server.received] == ["19", "20"]
    cert = x509.load_pem_x509_certificate((tmp_path / "out/cert.pem").read_bytes())
    key = serialization.load_pem_private_key((tmp_path / "out/key.pem").read_bytes(), None)
    assert scepmsg.spki(cert.public_key()) == scepmsg.spki(key)


@pytest.mark.parametrize("answer", [issue_under(b"another"), issue_under(b"secret", iterations=100001), issue_under(b"secret", params=b"")])
def test_answer_under_something_else(pki, tmp_path, answer):
    with Server([answer], pki) as server:
        done = enroll_ec(server, tmp_path, "ec:p256")
    assert done.returncode == 1 and "the server's answer" in done.stderr and not (tmp_path / "out/cert.pem").exists()


def test_no_challenge_for_a_key_that_cannot_decrypt(pki, tmp_path):
    with Server([issue_under(b"")], pki) as server:
        done = run("enroll", server, "--subject", "CN=device", "--out", tmp_path / "out", "--key-type", "ec:p256")
    assert done.returncode == 3 and "--challenge-file" in done.stderr and server.received == []


def test_strange_servers(pki, key_file, tmp_path):
    with Server([issue], pki, caps=None) as server:
        done = enroll(server, key_file, tmp_path)
        assert done.returncode == 1 and 'GetCACaps: the server answered HTTP 404: "nothing here"' in done.stderr
        assert enroll(server, key_file, tmp_path, "--digest", "sha256", "--cipher", "aes128").returncode == 0
        server.bodies["GetCACaps"] = b"Renewal\n"
        done = enroll(server, key_file, tmp_path)
        assert done.returncode == 1 and "--digest" in done.stderr
        server.bodies.update(GetCACaps=scep_server.CAPS, GetCACert=b"<html>")
        done = enroll(server, key_file, tmp_path)
        assert done.returncode == 1 and "is this a SCEP URL?" in done.stderr
        server.bodies["GetCACert"] = scep_server.certs_only(pki.ra)	# without its CA
        assert enroll(server, key_file, tmp_path).returncode == 1
    done = enroll(server, key_file, tmp_path)	# gone
    assert done.returncode == 1 and "connect" in done.stderr


def test_https(pki, key_file, tmp_path):
    tls = scepmsg.new_key()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    cert = x509.load_der_x509_certificate(scep_server.certificate("localhost", tls, "localhost", tls, usage=False))
    assert cert.subject == name
    builder = x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=tls.public_key(), serial_number=7,
                                      not_valid_before=cert.not_valid_before, not_valid_after=cert.not_valid_after)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
    pem = builder.sign(tls, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    (tmp_path / "tls.pem").write_bytes(pem)
    (tmp_path / "tls.key").write_bytes(tls.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                         serialization.NoEncryption()))
    with Server([issue], pki, tls=(tmp_path / "tls.pem", tmp_path / "tls.key")) as server:
        done = enroll(server, key_file, tmp_path)
        assert done.returncode == 1 and "certificate" in done.stderr and "--cacert" in done.stderr and server.received == []
        done = enroll(server, key_file, tmp_path, "--cacert", tmp_path / "tls.pem")
        assert done.returncode == 0, done.stderr


def test_options(pki, key_file, tmp_path):
    with Server([issue], pki) as server:
        assert run("enroll", server, "--subject", "CN=x").returncode == 2
        assert run("enroll", server, "--out", tmp_path / "o").returncode == 2
        assert run("enroll", server, "--subject", "CN=x", "--out", tmp_path, "--challenge", "x", "--challenge-file", "x").returncode == 2
        assert run("enroll", server, "--subject", "nonsense", "--out", tmp_path / "o").returncode == 1
        assert run("enroll", server, "--subject", "CN=x", "--out", tmp_path / "o", "--key-type", "ec:p256").returncode == 3
        key_file.chmod(0o644)
        done = enroll(server, key_file, tmp_path)
        key_file.chmod(0o600)
        assert done.returncode == 3 and "chmod" in done.stderr
        assert enroll(server, key_file, tmp_path, "--digest", "md4").returncode == 2
        assert enroll(server, key_file, tmp_path, "--cipher", "rot13").returncode == 2
        for url in ("ftp://localhost/x", server.url + "?operation=PKIOperation"):
            server.url = url
            assert enroll(server, key_file, tmp_path).returncode == 2
            assert run("bench", server).returncode == 2
        assert server.received == []


def bench(server, *args, **how):
    done = run("bench", server, "--json", "--keys", "2", *args, **how)
    return done, json.loads(done.stdout) if done.stdout else None


def test_bench(pki, tmp_path):
    challenges = tmp_path / "challenges"
    challenges.write_text("".join(f"secret-{i}\n" for i in range(12)))
    with Server([issue], pki) as server:
        done, told = bench(server, "--requests", "12", "--concurrency", "3", "--challenge-file", challenges, "--responder-pid", os.getpid())
    assert done.returncode == 0, done.stderr
    assert (told["requests"], told["ok"], told["broken"], told["device_keys"]) == (12, 12, 0, 2)
    assert 0 < told["latency_ms"]["p50"] <= told["latency_ms"]["p99"] <= told["latency_ms"]["max"]
    assert told["enrolments_per_second"] > 0 and told["responder_cpu_ms"] > 0
    assert told["responder_processes"][0]["pss_kib"] > 0
    assert len({g.txid for g in server.received}) == 12
    csrs = [g.csr() for g in server.received]
    assert len({c.subject for c in csrs}) == 12
    said = {c.attributes.get_attribute_for_oid(x509.oid.AttributeOID.CHALLENGE_PASSWORD).value.decode() for c in csrs}
    assert said == {f"secret-{i}" for i in range(12)}


def test_bench_counts_what_is_wrong(pki, tmp_path):
    def again(p, got):		# one certificate for everybody: right for one key, of which there are two devices
        cert = scep_server.certificate("issued", None, "Fake CA", p.ca_key, public=x509.load_der_x509_certificate(got.cert).public_key())
        again.cert = getattr(again, "cert", cert)
        return scep_server.certrep(p, got, 0, scepmsg.enveloped(scep_server.certs_only(again.cert), [got.cert]))

    answers = [issue, refuse, pending, lambda p, got: (500, b"oops"), issue]
    with Server(answers, pki) as server:
        done, told = bench(server, "--requests", "6", "--concurrency", "1", "--challenge", "x")
        assert done.returncode == 1
        assert [told[k] for k in ("ok", "refused", "pending", "broken")] == [3, 1, 1, 1] and told["first_failure"]
        server.answers = [again]
        done, told = bench(server, "--requests", "4", "--concurrency", "1")
        assert done.returncode == 1 and told["ok"] == 1 and told["broken"] == 3
        assert "serial number" in told["first_failure"]
        done, told = bench(server, "--requests", "4", "--challenge-file", "-", stdin="one\ntwo\n")
        assert done.returncode == 3 and "holds 2 challenges" in done.stderr
