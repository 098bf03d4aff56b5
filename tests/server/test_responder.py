"""scep.fcgi itself: paths, methods, operations, --check, reload, log lines. No database: what needs one answers 503."""
import base64
import hashlib
import os
import pathlib
import re
import signal
import subprocess
from datetime import datetime, timedelta
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

import fcgi_client as fc
import scepmsg
from conftest import RESPONDER, Server, wait_for

SECRET = "correct-horse"


def certificate(name, key, issuer=None, issuer_key=None, ca=False, days=30):
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.utcnow()
    usage = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
                           "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)
    usage.update({"key_cert_sign": True, "crl_sign": True} if ca else {"digital_signature": True, "key_encipherment": True})
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.subject if issuer else subject)
               .public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(now - timedelta(days=40)).not_valid_after(now + timedelta(days=days))
               .add_extension(x509.BasicConstraints(ca=ca, path_length=None), True)
               .add_extension(x509.KeyUsage(**usage), True)
               .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
               .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key((issuer_key or key).public_key()), False))
    return builder.sign(issuer_key or key, hashes.SHA256())


def write(path, data, mode=0o600):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    path.chmod(mode)


def write_pair(folder, name, cert, key):
    write(folder / f"{name}.pem", cert.public_bytes(serialization.Encoding.PEM), 0o644)
    write(folder / f"{name}.key", key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                    serialization.NoEncryption()))


@pytest.fixture(scope="session")
def authority():
    ca_key, ra_key = scepmsg.new_key(), scepmsg.new_key()
    ca = certificate("Test CA", ca_key, ca=True)
    return ca, ca_key, certificate("Test RA", ra_key, ca, ca_key), ra_key


PROFILE = """[ca]
certificate = ../ca.pem
key = ../ca.key
[ra]
certificate = ../ra.pem
key = ../ra.key
[enrol]
static_challenge_file = ../secrets
"""


@pytest.fixture
def site(tmp_path, authority):
    """A folder with scepter.ini, the profiles default and ra1, and a database that is not there."""
    ca, ca_key, ra, ra_key = authority
    write_pair(tmp_path, "ca", ca, ca_key)
    write_pair(tmp_path, "ra", ra, ra_key)
    write(tmp_path / "secrets", SECRET + "\n")
    write(tmp_path / "pepper", os.urandom(32))
    write(tmp_path / "scepter.ini", f"[server]\nworkers = 2\nread_timeout = 10m\nmax_body = 64k\n"
          f"[database]\nconninfo = host={tmp_path}/nowhere dbname=scepter\npepper_file = pepper\ntimeout = 1s\n")
    (tmp_path / "profiles.d").mkdir()
    write(tmp_path / "profiles.d" / "default.ini", PROFILE)
    write(tmp_path / "profiles.d" / "ra1.ini", PROFILE)
    return tmp_path


def run(*args, env=None, data=b""):
    return subprocess.run([str(RESPONDER), *map(str, args)], env={"PATH": "/bin", **(env or {})}, input=data, capture_output=True, timeout=120)


@pytest.fixture
def responder(site):
    server = Server([RESPONDER, "--conf", site / "scepter.ini", "--listen", site / "s"], site / "s", site / "log").ready()
    yield server
    assert server.stop() == 0


def message(authority, challenge=SECRET):
    return scepmsg.Device.shared("dev").request([scepmsg.certificate(authority[2].public_bytes(serialization.Encoding.DER))], challenge=challenge)


# --- what is always the same ---

def test_get_ca_caps(responder):
    for op in ("operation=GetCACaps", "operation=getcacaps", "operation=GetCACaps&message=CAIdentifier", "message=0&operation=GetCACaps",
               "message=%zz&x&operation=GetCACaps&y=z"):
        a = responder.ask(query=op)
        assert (a.status, a.headers["content-type"]) == (200, "text/plain"), op
        assert {"AES", "SHA-256", "POSTPKIOperation", "SCEPStandard"} <= set(a.text.split("\n"))
        assert a.headers["content-length"] == str(len(a.body)) and a.headers["cache-control"] == "no-store"


def test_get_ca_cert(responder, authority):
    a = responder.ask(query="operation=GetCACert&message=ca%20ident")
    assert (a.status, a.headers["content-type"]) == (200, "application/x-x509-ca-ra-cert")
    found = scepmsg.read_certs_only(a.body)
    assert len(found) == 2


def test_get_next_ca_cert_is_not_there(responder):
    a = responder.ask(query="operation=GetNextCACert")
    assert (a.status, a.headers["content-type"]) == (404, "text/plain") and a.body


@pytest.mark.parametrize("path,status", [
    ("/scep", 200), ("/scep/", 200), ("/scep/pkiclient.exe", 200), ("/scep/default", 200), ("/scep/ra1", 200), ("/scep/ra1/", 200),
    ("/scep/ra1/pkiclient.exe", 200), ("/scep/ra%31", 200), ("/cgi-bin/pkiclient.exe", 200),
    ("/scep/ra2", 404), ("/scep/ra1/x", 404), ("/sceptre", 404), ("/", 404), ("", 404), ("/scep/%00", 404), ("/scep/%", 404),
])
def test_paths(responder, path, status):
    assert responder.ask(path=path, query="operation=GetCACaps").status == status
    split = path.find("/", 1)
    if split > 0:
        a = responder.ask(path=path[:split], PATH_INFO=path[split:], query="operation=GetCACaps")
        assert a.status == status


@pytest.mark.parametrize("method,query,status", [
    ("GET", "", 400), ("GET", "operation=", 400), ("GET", "operation=GetCACapsX", 400), ("GET", "operation=GetCA", 400), ("GET", "message=x", 400),
    ("GET", "Operation=GetCACaps", 400), ("GET", "operation=PKIOperation", 400), ("GET", "operation=PKIOperation&message=*", 400),
    ("GET", "operation=PKIOperation&message=", 400), ("GET", "operation=PKIOperation&message=AAAA", 400),
    ("POST", "", 400), ("POST", "operation=PKIOperation", 400), ("POST", "operation=GetCACaps", 400), ("POST", "operation=x", 400),
    ("HEAD", "operation=GetCACaps", 200), ("HEAD", "operation=PKIOperation&message=AAAA", 405), ("HEAD", "operation=x", 400),
    ("PUT", "operation=GetCACaps", 405), ("OPTIONS", "", 405), ("get", "operation=GetCACaps", 405), ("", "operation=GetCACaps", 405),
])
def test_methods_and_operations(responder, method, query, status):
    a = responder.ask(method, query=query)
    assert a.status == status
    assert ("allow" in a.headers) == (status == 405)
    if method == "HEAD":
        assert a.body == b"" and int(a.headers["content-length"]) > 0
    elif status != 200:
        assert a.headers["content-type"] == "text/plain" and 0 < len(a.body) < 100


def test_post_of_base64_text_is_refused(responder, authority):
    assert responder.ask("POST", body=base64.b64encode(message(authority).encode())).status == 400


def test_limits(responder):
    assert responder.ask("POST", body=b"x" * 65537).status == 413
    assert responder.ask("GET", query="operation=PKIOperation&message=" + "A" * 25000).status == 414


def test_read_timeout(site):
    """Half a body, and then nothing."""
    ini = (site / "scepter.ini").read_text().replace("read_timeout = 10m", "read_timeout = 1s")
    (site / "scepter.ini").write_text(ini)
    server = Server([RESPONDER, "--conf", site / "scepter.ini", "--listen", site / "s"], site / "s", site / "log").ready()
    octets = fc.begin() + fc.stream(fc.PARAMS, fc.pairs(fc.variables("POST", body=b"xx"))) + fc.record(fc.STDIN, b"x")
    with server.connect() as s:
        s.sendall(octets)
        assert fc.receive(s).status == 408
    assert server.stop() == 0


# --- messages, without a database ---

def spellings(data):
    text = base64.b64encode(data).decode()
    lines = "\n".join(text[i:i + 64] for i in range(0, len(text), 64)) + "\n"
    return {"escaped": quote(text, safe=""), "raw": text, "blanks": text.replace("+", "%20"), "lines": quote(lines, safe="/"),
            "crlf": quote(lines.replace("\n", "\r\n"), safe=""), "no padding": text.rstrip("="),
            "url": base64.urlsafe_b64encode(data).decode()}


def test_every_spelling_of_a_message_reaches_the_database(responder, authority):
    """503: the message was read, opened, and only the database is away. Retry-After asks the device to come back."""
    data = message(authority).encode()
    answers = {"post": responder.ask("POST", query="operation=PKIOperation", body=data), "bare post": responder.ask("POST", body=data)}
    for name, text in spellings(data).items():
        answers[name] = responder.ask(query="operation=PKIOperation&message=" + text)
    for name, a in answers.items():
        assert a.status == 503 and int(a.headers["retry-after"]) > 0, (name, a.text)


def test_log_lines(responder, authority):
    request = message(authority)
    responder.ask("POST", path="/scep/ra1", query="operation=PKIOperation", body=request.encode(), REMOTE_ADDR='1.2.3.4" serial="99\nfake')
    responder.ask(query="operation=GetCACert")
    responder.ask(path="/scep/%0aevil")
    responder.stop()
    lines = [line for line in responder.log().splitlines() if "http=" in line]
    enrol = next(line for line in lines if "http=503" in line)
    for part in ('profile="ra1"', 'op="PKIOperation"', "type=PKCSReq(19)", "err=db", 'why="', "ms=", r'peer="1.2.3.4\x22 serial=\x2299\x0afake"'):
        assert part in enrol, (part, enrol)
    assert SECRET not in responder.log()
    assert any('op="GetCACert"' in line and "http=200" in line and "err=" not in line for line in lines)
    assert not any(line.startswith("evil") or line.startswith("fake") for line in responder.log().splitlines())


def test_fingerprint_is_logged_at_start(responder, authority):
    digest = hashlib.sha256(authority[0].public_bytes(serialization.Encoding.DER)).hexdigest()
    assert digest in responder.log()


# --- start, check, reload ---

def test_check_says_everything(site):
    p = run("--check", "--conf", site / "scepter.ini")
    assert p.returncode == 1 and b"[database]" in p.stdout     # only the database is missing
    assert p.stdout.count(b"error: ") == 1, p.stdout
    (site / "profiles.d" / "ra1.ini").write_text(PROFILE.replace("[enrol]", "[enroll]"))
    (site / "profiles.d" / "mixed.ini").write_text(PROFILE.replace("../ra.key", "../ca.key"))
    (site / "profiles.d" / "two.ini").write_text(PROFILE.replace("../ca.pem", "../missing.pem"))
    (site / "secrets").chmod(0o644)
    p = run("--check", "--conf", site / "scepter.ini")
    text = p.stdout.decode()
    assert p.returncode == 1
    for part in ("[enroll]", "'enrol'", "mixed.ini", "missing.pem", "secrets", "[database]"):
        assert part in text, (part, text)
    assert re.search(r"\d+ errors, \d+ warnings?", text)


def test_check_goes_on_after_a_bad_scepter_ini(site):
    (site / "scepter.ini").write_text((site / "scepter.ini").read_text().replace("max_body = 64k", "max_bdy = 64k"))
    (site / "ra.key").chmod(0o644)
    text = run("--check", "--conf", site / "scepter.ini").stdout.decode()
    for part in ("max_bdy", "'max_body'", "ra.key", "[database]"):
        assert part in text, (part, text)


def test_check_without_a_configuration(tmp_path):
    p = run("--check", "--conf", tmp_path / "none.ini")
    assert p.returncode == 1 and b"none.ini" in p.stdout
    assert run("--check", env={"SCEPTER_CONF": str(tmp_path / "env.ini")}).stdout.count(b"env.ini")


def test_bad_configuration_does_not_serve(site):
    (site / "profiles.d" / "ra1.ini").write_text("[ca]\ncertificte = x\n")
    p = run("--conf", site / "scepter.ini", "--listen", site / "s")
    assert p.returncode == 78 and b"certificte" in p.stderr and b"--check" in p.stderr
    assert not (site / "s").exists()


def test_listen_from_the_configuration(site):
    ini = (site / "scepter.ini").read_text().replace("[server]\n", "[server]\nlisten = %s/conf.sock\nlisten_mode = 0600\n" % site)
    (site / "scepter.ini").write_text(ini)
    server = Server([RESPONDER, "--conf", site / "scepter.ini"], site / "conf.sock", site / "log").ready()
    assert (site / "conf.sock").stat().st_mode & 0o777 == 0o600
    assert server.stop() == 0


def test_nothing_to_serve(site):
    p = run("--conf", site / "scepter.ini")
    assert p.returncode == 64 and b"--listen" in p.stderr and b"--check" in p.stderr


def test_options():
    assert b"scepter" in run("--version").stdout
    assert b"--listen" in run("--help").stdout
    for wrong in (["--workers", "0"], ["--workers", "x"], ["--workers", "1025"], ["--nonsense"], ["word"]):
        assert run(*wrong).returncode == 64, wrong


def cgi(site, data=b"", args=(), conf=None, **more):
    env = {**fc.variables("POST" if data else "GET", body=data), "SCEPTER_CONF": str(conf or site / "scepter.ini"), **more}
    return fc.Answer(run(*args, env=env, data=data).stdout, True)


def test_cgi(site, authority):
    assert "SCEPStandard" in cgi(site, QUERY_STRING="operation=GetCACaps", PATH_INFO="/ra1").text
    assert cgi(site, message(authority).encode()).status == 503
    assert cgi(site, b"x" * 70_000).status == 413
    assert cgi(site, conf=site / "none.ini", QUERY_STRING="operation=GetCACaps").status == 500


def test_cgi_takes_no_options_from_the_client(site):
    """A query without '=' reaches a CGI program as its arguments (RFC 3875, 4.4)."""
    for words in (["--check"], ["--help"], ["--conf", "/etc/passwd"], ["--listen", str(site / "evil")]):
        a = cgi(site, args=words, QUERY_STRING="+".join(words))
        assert a.status == 400, words
    assert not (site / "evil").exists()


def test_descriptor_0(site):
    import socket
    for workers, forks in ((None, 0), ("1", 0), ("3", 3)):
        with socket.socket(socket.AF_UNIX) as s:
            path = site / f"fd0-{workers}"
            s.bind(str(path))
            s.listen(128)
            ini = (site / "scepter.ini").read_text().replace("workers = 2\n", "")
            (site / "plain.ini").write_text(ini)
            options = [] if workers is None else ["--workers", workers]
            server = Server([RESPONDER, "--conf", site / "plain.ini", *options], path, site / "log0", stdin=s)
        server.ready()
        wait_for(lambda: len(server.children()) == forks)
        server.signal(signal.SIGHUP)
        wait_for(lambda: "was reloaded" in server.log())
        assert server.ask(query="operation=GetCACaps").status == 200
        assert server.stop() == 0
        (site / "log0").unlink()


def test_reload_adds_a_profile(responder, site):
    (site / "profiles.d" / "new.ini").write_text(PROFILE)
    assert responder.ask(path="/scep/new", query="operation=GetCACaps").status == 404
    responder.signal(signal.SIGHUP)
    wait_for(lambda: responder.ask(path="/scep/new", query="operation=GetCACaps").status == 200)


def test_bad_reload_keeps_the_old_and_says_why(responder, site):
    before = set(responder.workers(2))
    (site / "profiles.d" / "ra1.ini").write_text(PROFILE.replace("key = ../ra.key", "key = ../nokey.pem"))
    responder.signal(signal.SIGHUP)
    wait_for(lambda: "not reloaded" in responder.log())
    assert "ra1.ini" in responder.log() and "nokey.pem" in responder.log()
    assert set(responder.children()) == before
    assert responder.ask(path="/scep/ra1", query="operation=GetCACaps").status == 200


@pytest.mark.plain
def test_memory_of_a_worker(responder, authority):
    """At most 12 MB of its own, after work and large bodies."""
    data = message(authority).encode()
    for i in range(40):
        responder.ask("POST", query="operation=PKIOperation", body=b"\x30" * 65000 if i % 2 else data)
    for pid in responder.children():
        smaps = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        pss = int(re.search(r"^Pss:\s+(\d+) kB", smaps, re.M).group(1))
        assert pss < 12 * 1024, pss


def test_stop_needs_no_force(responder):
    assert responder.stop() == 0
    assert "did not stop" not in responder.log()
