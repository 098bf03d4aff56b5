"""The ways to be started, and the sockets that are made or taken over."""
import os
import socket
import stat
import subprocess

import pytest

import fcgi_client as fc
from conftest import ECHO, Server, sockets, wait_for
from processes import free_port


def run(options=(), env=None, stdin=subprocess.DEVNULL, data=None, timeout=60):
    how = {"input": data} if data is not None else {"stdin": stdin}
    return subprocess.run([str(ECHO), *map(str, options)], env=env or {"PATH": "/bin"}, capture_output=True, timeout=timeout, **how)


def cgi(data=b"", options=(), **more):
    env = {"PATH": "/bin", **fc.variables("POST" if data else "GET", body=data), **more}
    a = fc.Answer(run(options, {k: v for k, v in env.items() if v is not None}, data=data).stdout, True)
    return a


def unix_listener(path):
    s = socket.socket(socket.AF_UNIX)
    s.bind(str(path))
    s.listen(128)
    return s


def test_cgi():
    a = cgi()
    assert (a.status, a.field("method"), a.field("peer")) == (200, "GET", "192.0.2.7")
    body = os.urandom(200_000)
    assert cgi(body).body.endswith(body)
    assert cgi(b"abc" + b"more than announced", CONTENT_LENGTH="3").body.endswith(b"\nabc")


def test_cgi_reads_a_chunked_body_to_its_end():
    assert cgi(b"abcdef", CONTENT_LENGTH=None, HTTP_TRANSFER_ENCODING="chunked").body.endswith(b"\nabcdef")
    assert cgi(b"abcdef", CONTENT_LENGTH=None).field("body") == "0"


def test_cgi_refuses_what_is_cut_or_too_large():
    assert cgi(b"abc", CONTENT_LENGTH="4").status == 400
    assert cgi(b"abc", CONTENT_LENGTH="x").status == 400
    assert cgi(b"x" * 3000, ["--max-body", 2000]).status == 413


def test_cgi_does_not_wait_for_ever():
    """The web server holds its end of the pipe open and sends nothing."""
    r, w = os.pipe()
    env = {"PATH": "/bin", **fc.variables("POST", body=b"abc")}
    p = run(["--read-ms", 300], env, stdin=r)
    os.close(w)
    os.close(r)
    assert fc.Answer(p.stdout, True).status == 408


def test_descriptor_0_is_a_listening_socket(tmp_path):
    """As mod_fcgid, lighttpd and spawn-fcgi do it."""
    with unix_listener(tmp_path / "s") as listener:
        server = Server([ECHO], tmp_path / "s", tmp_path / "log", stdin=listener)
    try:
        server.ready()
        assert server.ask().field("pid") == str(server.process.pid)
        assert server.children() == []
    finally:
        assert server.stop() == 0
    assert (tmp_path / "s").exists()


def test_descriptor_0_with_workers(tmp_path):
    with unix_listener(tmp_path / "s") as listener:
        server = Server([ECHO, "--workers", 3], tmp_path / "s", tmp_path / "log", stdin=listener)
    try:
        server.ready()
        assert int(server.ask().field("pid")) in server.workers(3)
    finally:
        assert server.stop() == 0


def activate(tmp_path, *options, fds=1, pid=None, **env):
    """systemd's protocol: descriptors from 3 on, LISTEN_PID is the process's own."""
    path, log = tmp_path / "s", tmp_path / "log"
    listener = unix_listener(path)
    script = 'exec 3<&0 </dev/null; export LISTEN_PID=%s; exec "$@"' % (pid or "$$")
    return Server(["/bin/sh", "-c", script, "sh", ECHO, *options], path, log, stdin=listener,
                  env={"PATH": "/bin", "LISTEN_FDS": str(fds), "LISTEN_FDNAMES": "fcgi", **env})


def test_systemd(tmp_path):
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(tmp_path / "notify"))
    notify.settimeout(60)
    server = activate(tmp_path, "--workers", 2, NOTIFY_SOCKET=str(tmp_path / "notify"))
    try:
        server.ready()
        assert notify.recv(100) == b"READY=1"
        for pid in [server.process.pid, *server.workers(2)]:
            wait_for(lambda: len(sockets(pid)) == 1, "a second socket is held")	# that of ready() is closed after its answer
        server.signal(1)
        assert notify.recv(100).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        assert notify.recv(100) == b"READY=1"
    finally:
        assert server.stop() == 0
    assert notify.recv(100) == b"STOPPING=1"


def test_abstract_notify_socket(tmp_path):
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind("\0scepter-test-%d" % os.getpid())
    notify.settimeout(60)
    server = activate(tmp_path, "--workers", 1, NOTIFY_SOCKET="@scepter-test-%d" % os.getpid())
    try:
        assert notify.recv(100) == b"READY=1"
    finally:
        server.stop()


def test_systemd_variables_meant_for_another_process(tmp_path):
    """LISTEN_PID is somebody else: the descriptor is not ours, and then there is nothing to serve."""
    server = activate(tmp_path, pid=1)
    assert server.process.wait(60) == 1
    assert "nothing to serve" in server.log()


def test_systemd_with_two_sockets(tmp_path):
    server = activate(tmp_path, fds=2)
    assert server.process.wait(60) == 1
    assert "systemd passed 2 sockets" in server.log()


def test_nothing_to_serve():
    p = run()
    assert p.returncode == 1 and b"nothing to serve" in p.stderr


def test_a_connected_socket_on_descriptor_0_is_no_listener():
    a, b = socket.socketpair()
    p = run(stdin=a)
    assert p.returncode == 1 and b"nothing to serve" in p.stderr


def there_is(address):
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as s:
            s.bind((address, 0))
        return True
    except OSError:
        return False


@pytest.mark.parametrize("address,spelled", [("127.0.0.1", "127.0.0.1:%d"), ("::1", "[::1]:%d"), ("127.0.0.1", "%d")])
def test_inet(tmp_path, address, spelled):
    port = free_port()
    if not there_is(address):		# a machine without IPv6
        p = run(["--listen", spelled % port])
        assert p.returncode == 1 and b"cannot listen on " + (spelled % port).encode() in p.stderr
        return
    server = Server([ECHO, "--listen", spelled % port, "--workers", 1], (address, port), tmp_path / "log")
    try:
        server.ready()
        assert server.ask("POST", body=b"hello").body.endswith(b"hello")
        second = run(["--listen", spelled % port])
        assert second.returncode == 1 and b"in use" in second.stderr
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize("where", ["", "relative/path", "localhost:9000", "127.0.0.1:", ":9000", "127.0.0.1:http", "/" + "x" * 108])
def test_bad_places(where):
    p = run(["--listen", where])
    assert p.returncode == 1 and (b"no place to listen" in p.stderr or b"too long" in p.stderr)


def test_mode_and_backlog(start_echo, tmp_path):
    server = start_echo("--workers", 1, umask=0o077)
    assert stat.S_IMODE(os.stat(server.where).st_mode) == 0o660
    backlog = subprocess.run(["ss", "-lxH", "src", str(server.where)], capture_output=True, text=True).stdout.split()
    assert int(backlog[3]) >= 128


def test_stale_socket_is_replaced(start_echo, tmp_path):
    unix_listener(tmp_path / "stale").close()
    assert start_echo(where=tmp_path / "stale").ask().status == 200


def test_served_socket_is_left_alone(start_echo):
    server = start_echo("--workers", 1)
    second = run(["--listen", server.where])
    assert second.returncode == 1 and b"is served by another process" in second.stderr
    assert server.ask().status == 200


def test_a_file_is_no_socket(tmp_path):
    (tmp_path / "precious").write_text("data")
    p = run(["--listen", tmp_path / "precious"])
    assert p.returncode == 1 and b"is no socket" in p.stderr
    assert (tmp_path / "precious").read_text() == "data"


def test_socket_stays_after_the_end(start_echo):
    """Removing it would hit a successor's: who starts next finds nobody answering and replaces it."""
    first = start_echo("--workers", 1)
    assert first.stop() == 0
    assert first.where.exists()
    assert start_echo("--workers", 1, where=first.where).ask().status == 200


def test_missing_folder(tmp_path):
    p = run(["--listen", tmp_path / "no" / "s"])
    assert p.returncode == 1 and b"No such file" in p.stderr
