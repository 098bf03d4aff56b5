"""./quickstart: once and serving, as the user who runs the tests; what it leaves for scripts, and that it leaves no process."""
import base64
import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest
import rawhttp
import scepmsg
from processes import DEADLINE, SOURCE, alive, free_port, wait_for

pytestmark = pytest.mark.plain


def quickstart(*args, **how):
    return subprocess.run([SOURCE / "quickstart", *map(str, args)], capture_output=True, text=True, timeout=3600, cwd="/", **how)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A quick start that was run once: its folder."""
    folder = tmp_path_factory.mktemp("quick start")		# a blank in the path
    try:
        done = quickstart("--once", "--dir", folder, "--port", free_port())
        assert done.returncode == 0, done.stdout + done.stderr
        assert "6/6" in done.stdout and "issue" in done.stdout and "CN=demo-" in done.stdout
        yield folder
    finally:
        place = (folder / "place").read_text().strip() if (folder / "place").exists() else folder
        subprocess.run([SOURCE / "tests" / "lib" / "private-postgres", "remove", place], check=True)
        subprocess.run(["rm", "-rf", place], check=True)


def environment(folder):
    script = '. "$1"; printf "%s\\n" "$SCEP_URL" "$SCEP_CA_FINGERPRINT" "$SCEP_CHALLENGE_CMD" "$SCEPTER_CONF"'
    text = subprocess.run(["bash", "-c", script, "-", folder / "env"], check=True, capture_output=True, text=True).stdout
    return text.splitlines()


def test_nothing_is_left_running(demo):
    assert not (demo / "responder.pid").exists()
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert str(demo).encode() not in process.read_bytes(), process
        except OSError:
            pass


def test_serving(demo):
    port = free_port()
    with open(demo / "output", "w+") as output:
        process = subprocess.Popen([SOURCE / "quickstart", f"--dir={demo}", f"--port={port}"], stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=output, start_new_session=True,
                                   preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))	# as in a terminal
        try:
            wait_for(lambda: "Ctrl-C" in (demo / "output").read_text() or process.poll() is not None, "the quick start to serve")
            assert process.poll() is None, (demo / "output").read_text()
            url, fingerprint, challenge_command, conf = environment(demo)
            master = int((demo / "responder.pid").read_text())
            assert url == f"http://127.0.0.1:{port}/scep" and Path(conf).exists() and alive(master)
            ra, ca = scepmsg.read_certs_only(rawhttp.get(port, "/scep?operation=GetCACert").body)
            assert fingerprint == scepmsg.digest_of("sha256", ca).hex()
            challenge = subprocess.run(challenge_command, shell=True, check=True, capture_output=True, text=True).stdout.strip()
            request = scepmsg.Device.shared("script").request([ra], challenge)
            answer = rawhttp.post(port, "/scep?operation=PKIOperation", request.encode())
            assert scepmsg.read_reply(answer.body, request, [ra]).status == scepmsg.SUCCESS
            place = Path(conf).parent
            login = base64.b64encode(b"demo:" + (place / "password").read_bytes().strip()).decode()
            made = rawhttp.post(port, "/scep-admin/api/challenges", b'{"profile": "default"}', "application/json", headers=[f"Authorization: Basic {login}"])
            assert made.status == 201, made
            request = scepmsg.Device.shared("managed").request([ra], json.loads(made.body)["challenge"])
            answer = rawhttp.post(port, "/scep?operation=PKIOperation", request.encode())
            assert scepmsg.read_reply(answer.body, request, [ra]).status == scepmsg.SUCCESS
            assert rawhttp.post(port, "/scep-admin/api/challenges", b"{}", "application/json").status == 401
            again = quickstart("--dir", demo, "--port", free_port())
            assert again.returncode == 1 and "running" in again.stderr
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(DEADLINE) == 130
            assert not alive(master)
            assert not (demo / "responder.pid").exists()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), timeout=1)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(DEADLINE)


def test_port_taken(demo):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        done = quickstart("--once", "--dir", demo, "--port", s.getsockname()[1])
    assert done.returncode == 1 and "taken" in done.stderr and "--port" in done.stderr


@pytest.mark.parametrize("args,said", [
    (["--dir", "/proc/nowhere"], "--dir"), (["--port", "0"], "--port"), (["--port", "http"], "--port"), (["--port"], "--port"),
])
def test_wrong_arguments(args, said):
    done = quickstart("--once", *args)
    assert done.returncode != 0 and said in done.stderr and len(done.stderr.splitlines()) == 1


def test_help():
    done = quickstart("--help")
    assert done.returncode == 0 and "--once" in done.stdout
