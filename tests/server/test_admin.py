"""scep-admin.fcgi itself: who is served, paths, methods, bodies, start modes, log lines. No database: what needs one answers 503."""
import json
import os
import signal
import socket
import subprocess

import pytest

import fcgi_client as fc
from conftest import BUILD, Server, wait_for

ADMIN = BUILD / "cgi-bin/scep-admin.fcgi"
PATH = "/scep-admin/api/challenges"
# Certificates and keys are named and not there: this program has no business with them.
PROFILE = "[ca]\ncertificate = nowhere.pem\nkey = nowhere.key\n[ra]\ncertificate = nowhere.pem\nkey = nowhere.key\n"


def write(path, text):
    path.write_text(text)
    path.chmod(0o600)


def configure(folder, admin="users = mdm\nworkers = 2\n", read_timeout="10m"):
    write(folder / "scepter.ini", f"[server]\nread_timeout = {read_timeout}\n[database]\nconninfo = dbname=unused\npepper_file = pepper\ntimeout = 100ms\n"
          f"[admin]\nconninfo = host={folder}/nowhere dbname=scepter\n{admin}")


@pytest.fixture
def site(tmp_path):
    (tmp_path / "profiles.d").mkdir()
    write(tmp_path / "profiles.d" / "default.ini", PROFILE)
    write(tmp_path / "pepper", os.urandom(32).hex())
    configure(tmp_path)
    return tmp_path


def run(*args, env=None, data=b""):
    return subprocess.run([str(ADMIN), *map(str, args)], env={"PATH": "/bin", **(env or {})}, input=data, capture_output=True, timeout=120)


@pytest.fixture
def admin(site):
    server = Server([ADMIN, "--conf", site / "scepter.ini", "--listen", site / "s"], site / "s", site / "log").ready()
    yield server
    assert server.stop() == 0


def post(admin, body=b"{}", path=PATH, **more):
    return admin.ask("POST", path=path, body=body, **{"CONTENT_TYPE": "application/json", "REMOTE_USER": "mdm", **more})


def told(answer):
    assert answer.headers["content-type"] == "application/json" and answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-length"] == str(len(answer.body))
    return json.loads(answer.body)


def test_holds_nothing_that_signs():
    """Neither of our functions that sign nor the libraries' are in it."""
    symbols = subprocess.run(["nm", ADMIN], capture_output=True, text=True, check=True).stdout
    for name in ("admin_route", "onetime_make"):
        assert f" {name}\n" in symbols		# it is not stripped
    for name in ("key_sign", "key_unwrap", "crl_build", "site_load", "profile_open_keys", "gnutls_privkey_sign_data2", "gnutls_privkey_decrypt"):
        assert f" {name}" not in symbols, name


def test_remote_user(admin):
    assert post(admin).status == 503			# as far as the database, which is away
    for user in (None, ""):
        a = post(admin, REMOTE_USER=user)
        assert a.status == 401 and told(a)["error"] == "login" and "REMOTE_USER" in told(a)["message"]
    for user in ("alice", "MDM", "mdm ", "mdm,alice", "any", "mdm\n"):
        a = post(admin, REMOTE_USER=user)
        assert a.status == 403 and told(a)["error"] == "forbidden", user


def test_two_users_are_none(admin):
    for pair in (("mdm", "alice"), ("alice", "mdm"), ("mdm", "mdm"), ("mdm", "")):
        params = fc.pairs(fc.variables("GET", PATH)) + b"".join(fc.pairs({"REMOTE_USER": user}) for user in pair)
        with admin.connect() as s:
            s.sendall(fc.begin() + fc.stream(fc.PARAMS, params) + fc.stream(fc.STDIN, b""))
            assert fc.receive(s).status == 401, pair


@pytest.mark.parametrize("name", ["HTTP_REMOTE_USER", "REDIRECT_REMOTE_USER", "HTTP_X_REMOTE_USER", "AUTH_USER", "LOGON_USER", "remote_user",
                                  "HTTP_X_FORWARDED_USER", "HTTP_AUTHORIZATION", "REMOTE_IDENT"])
def test_nothing_else_names_the_user(admin, name):
    assert post(admin, REMOTE_USER=None, **{name: "mdm"}).status == 401
    assert post(admin, REMOTE_USER="alice", **{name: "mdm"}).status == 403


@pytest.mark.parametrize("method,path,status", [
    ("GET", PATH, 503), ("HEAD", PATH, 503), ("POST", PATH, 503), ("DELETE", PATH + "/abc", 503),
    ("PUT", PATH, 405), ("DELETE", PATH, 405), ("PATCH", PATH, 405), ("OPTIONS", PATH, 405), ("GET", PATH + "/abc", 405), ("POST", PATH + "/abc", 405),
    ("GET", PATH + "/", 404), ("DELETE", PATH + "/a/b", 404), ("GET", PATH + "x", 404), ("GET", "/scep-admin", 404), ("GET", "/scep-admin/", 404),
    ("GET", "/scep-admin/api", 404), ("GET", "/scep", 404), ("GET", "/", 404), ("GET", "", 404), ("GET", "/scep-adminx/api/challenges", 404),
    ("GET", "/SCEP-ADMIN/api/challenges", 404), ("GET", "/scep-admin/api/challenges%00", 404), ("GET", "/scep-admin/api/%63hallenges", 503),
])
def test_paths_and_methods(admin, method, path, status):
    body = {"body": b"{}", "CONTENT_TYPE": "application/json"} if method == "POST" else {}
    a = admin.ask(method, path=path, REMOTE_USER="mdm", **body)
    assert a.status == status, a.raw
    assert (a.body == b"") == (method == "HEAD")
    assert a.headers.get("allow") == (None if status != 405 else "DELETE" if path != PATH else "GET, HEAD, POST")
    if path.startswith("/scep-admin/"):
        assert admin.ask(method, path=path[:11], PATH_INFO=path[11:], REMOTE_USER="mdm", **body).status == status
    assert admin.ask(method, path=path, **body).status == (404 if status == 404 and ("%00" in path or not path.startswith("/scep-admin")) else 401)


def test_bad_queries_are_explained(admin):
    for query, said in (("profile=a%00b", "NUL"), ("limit=0", "from 1 to"), ("all=1", "yes or no"), ("profil=a", "did you mean 'profile'"), ("x%zz", "percent")):
        a = admin.ask(path=PATH, query=query, REMOTE_USER="mdm")
        assert a.status == 400 and said in told(a)["message"], a.raw


def test_our_trouble_is_not_told(admin, site):
    a = post(admin)
    assert (a.status, told(a)) == (503, {"error": "db", "message": "try again later"}) and int(a.headers["retry-after"]) > 0
    assert "nowhere" in admin.log()


def test_content_type(admin):
    for kind in ("application/json", "application/json; charset=utf-8", "APPLICATION/JSON"):
        assert post(admin, CONTENT_TYPE=kind).status == 503, kind
    for kind in (None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json-patch+json", "application/jso"):
        a = post(admin, CONTENT_TYPE=kind)
        assert a.status == 415 and "application/json" in told(a)["message"], kind


@pytest.mark.parametrize("origin,host,ok", [
    (None, "a.example", True), ("https://a.example", "a.example", True), ("https://A.example", "a.EXAMPLE", True),
    ("http://a.example", "a.example", True), ("https://a.example", "a.example:443", True), ("https://a.example:8443", "a.example:8443", True),
    ("https://a.example:443", "a.example", True), ("http://[::1]:8080", "[::1]:8080", True),
    ("https://b.example", "a.example", False), ("https://a.example.evil", "a.example", False), ("https://evil-a.example", "a.example", False),
    ("https://a.example:8443", "a.example", False), ("https://a.example", "a.example:8443", False), ("null", "a.example", False),
    ("null", "null", False), ("https://", "", False), ("https://a.example", None, False), ("a.example", "a.example", False),
    ("ftp://a.example", "a.example", False), ("https://a.example/", "a.example", False), ("https://a.example, https://b.example", "a.example", False),
])
def test_origin(admin, origin, host, ok):
    a = post(admin, HTTP_ORIGIN=origin, HTTP_HOST=host)
    assert a.status == (503 if ok else 403)
    assert admin.ask("DELETE", path=PATH + "/x", REMOTE_USER="mdm", **{k: v for k, v in (("HTTP_ORIGIN", origin), ("HTTP_HOST", host)) if v is not None}
                     ).status == (503 if ok else 403)
    assert admin.ask("GET", path=PATH, REMOTE_USER="mdm", **({"HTTP_ORIGIN": origin} if origin else {})).status == 503	# changes nothing


def test_limits(admin):
    assert post(admin, b'{"device": "' + b"a" * 65536 + b'"}').status == 413
    assert post(admin, b"{}", CONTENT_LENGTH="3").status == 400
    assert post(admin, b"[" * 60000).status == 400
    assert post(admin, b'{"values": ' + b'{"a":' * 9000 + b"1").status == 400
    assert admin.ask(path=PATH, query="a" * 100_000, REMOTE_USER="mdm").status == 414


def test_read_timeout(site):
    """Half a body, and then nothing."""
    configure(site, read_timeout="1s")
    server = Server([ADMIN, "--conf", site / "scepter.ini", "--listen", site / "s"], site / "s", site / "log").ready()
    octets = fc.begin() + fc.stream(fc.PARAMS, fc.pairs(fc.variables("POST", PATH, body=b"12345", REMOTE_USER="mdm"))) + fc.record(fc.STDIN, b"12")
    with server.connect() as s:
        s.sendall(octets)
        assert fc.receive(s).status == 408
    assert server.stop() == 0


def test_bad_bodies_are_explained(admin):
    for body, said in ((b"", "is empty"), (b" ", "ends too early"), (b"{", "ends too early"), (b"null", "no object"), (b"\xff", "not UTF-8"), (b"{'a':1}", "a quote '"),
                       (b"{\"expires_in\": 0}", ', "1h"'), (b"{\"sans\": []}", '["dns:a.example"]'), (b"{\"profile\": \"\xc3\xa4\\\\\"}", "'\\xc3\\xa4\\'"),
                       (b"{\"profile\": \"a" + b"\xc3\xa4" * 50 + b"\"}", "there is no profile 'a\\xc3"),
                       (b"{\"profle\": \"x\"}", "did you mean 'profile'?"), (b"{\"profile\": \"defalt\"}", "did you mean 'default'?"),
                       (b"{\"profile\": \"a\\u001b[2J\"}", "\\x1b"), (b"{\"uses\": \"1\"}", "uses: "), (b"\xff", "not JSON")):
        a = post(admin, body)
        assert a.status == 400 and (said in told(a)["message"] or "\\x1b" in said), a.body
        assert b"\x1b" not in a.body
    plain = post(admin, b"[]", HTTP_ACCEPT="text/plain")
    assert plain.headers["content-type"] == "text/plain" and plain.body.count(b"\n") == 1 and b"JSON object" in plain.body


def test_log_lines(admin):
    post(admin, b'{"device": "the-device"}', HTTP_AUTHORIZATION="Basic c2VjcmV0")
    admin.ask(path=PATH, REMOTE_USER='eve"\n')
    log = admin.log()
    line = next(line for line in log.splitlines() if 'op="challenge.new"' in line)
    assert 'http=503 method="POST"' in line and 'user="mdm"' in line and "err=db" in line and 'peer="192.0.2.7"' in line and " ms=" in line
    assert 'user="eve\\x22\\x0a"' in log and "c2VjcmV0" not in log


# --- start, reload, stop ---

def test_check(site):
    done = run("--check", "--conf", site / "scepter.ini")
    assert done.returncode == 1 and b"[admin]" in done.stdout and b"nowhere" in done.stdout


@pytest.mark.parametrize("admin,said", [
    ("conninfo =\n", b"conninfo"), ("users = any alice\n", b"users"), ("users = a\nchallenge_profiles = b:default\n", b"challenge_profiles"),
    ("users = a\nchallenge_profiles = a:wifi\n", b"challenge_profiles"), ("users = a\nusrs = b\n", b"did you mean 'users'?"), ("", b"users"),
])
def test_bad_configuration_does_not_serve(site, admin, said):
    configure(site, admin)
    for options in (["--check"], ["--listen", site / "s"]):
        done = run("--conf", site / "scepter.ini", *options)
        assert done.returncode == (1 if options == ["--check"] else 78) and said in done.stdout + done.stderr


def test_without_admin_section(site):
    write(site / "scepter.ini", "[database]\nconninfo = dbname=x\npepper_file = pepper\n")
    done = run("--conf", site / "scepter.ini", "--listen", site / "s")
    assert done.returncode == 78 and b"[admin] conninfo" in done.stderr


def test_pepper_of_its_own(site):
    """[admin] pepper_file goes before that of [database]; without any it does not serve."""
    (site / "pepper").unlink()
    configure(site, "users = mdm\nworkers = 1\npepper_file = copy\n")
    write(site / "copy", os.urandom(32).hex())
    server = Server([ADMIN, "--conf", site / "scepter.ini", "--listen", site / "s"], site / "s", site / "log").ready()
    assert post(server).status == 503
    assert server.stop() == 0
    configure(site)
    done = run("--check", "--conf", site / "scepter.ini")
    assert done.returncode == 1 and b"pepper" in done.stdout


def test_nothing_to_serve(site):
    done = run("--conf", site / "scepter.ini")
    assert done.returncode == 64 and b"scep-admin.fcgi: nothing to serve" in done.stderr and b"[admin]" in done.stderr


def test_listen_from_the_configuration(site):
    configure(site, f"users = mdm\nlisten = {site}/own\nlisten_mode = 0600\n")
    server = Server([ADMIN, "--conf", site / "scepter.ini"], site / "own", site / "log").ready()
    assert post(server).status == 503 and len(server.children()) == 1 and (site / "own").stat().st_mode & 0o777 == 0o600
    assert server.stop() == 0


def test_descriptor_0(site):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(site / "s"))
        s.listen(8)
        configure(site, "users = mdm\n")
        server = Server([ADMIN, "--conf", site / "scepter.ini"], site / "s", site / "log", stdin=s)
    server.ready()
    assert post(server).status == 503 and server.children() == []
    assert server.stop() == 0


def test_cgi(site):
    env = fc.variables("POST", PATH, body=b"{}", CONTENT_TYPE="application/json", REMOTE_USER="mdm", SCEPTER_CONF=str(site / "scepter.ini"))
    a = fc.Answer(run(env=env, data=b"{}").stdout, True)
    assert a.status == 503 and json.loads(a.body)["error"] == "db"
    del env["REMOTE_USER"]
    assert fc.Answer(run(env=env, data=b"{}").stdout, True).status == 401


def test_reload(admin, site):
    configure(site, "users = alice\nworkers = 2\n")
    before = admin.workers(2)
    admin.signal(signal.SIGHUP)
    admin.new_workers(before)
    assert post(admin, REMOTE_USER="alice").status == 503 and post(admin).status == 403
    configure(site, "users = \n")
    mark = len(admin.log())
    admin.signal(signal.SIGHUP)
    wait_for(lambda: "was not reloaded" in admin.log()[mark:], text="the log does not say that the reload failed")
    assert post(admin, REMOTE_USER="alice").status == 503


def test_options():
    assert run("--version").stdout.startswith(b"scep-admin.fcgi (scepter)")
    assert run("--nonsense").returncode == 64
