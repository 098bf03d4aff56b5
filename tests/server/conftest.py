import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))

import fcgi_client  # noqa: E402

TOP = HERE.parent.parent
BUILD = pathlib.Path(os.environ.get("top_builddir", TOP))
ECHO = BUILD / "tests/server/echo"
RESPONDER = BUILD / "cgi-bin/scep.fcgi"


def wait_for(what, seconds=10, text="it did not happen"):
    """Polls until `what()` is true, and gives its value."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        assert time.monotonic() < end, f"{text} within {seconds} s"
        time.sleep(0.01)


class Server:
    """A process that serves FastCGI on a socket."""

    def __init__(self, argv, where, log, **popen):
        self.where, self.log_path = where, log
        self.process = subprocess.Popen([str(a) for a in argv], stderr=open(log, "ab"), **popen)

    def ask(self, *args, **kw):
        return fcgi_client.ask(self.where, *args, **kw)

    def connect(self, timeout=10):
        return fcgi_client.connect(self.where, timeout)

    def answers(self):
        try:
            return self.ask(timeout=5).status != 0
        except (ConnectionError, FileNotFoundError, PermissionError):
            assert self.process.poll() is None, self.log()
            return False

    def ready(self):
        wait_for(self.answers, 10, "no answer")
        return self

    def log(self):
        return self.log_path.read_text(errors="replace")

    def children(self):
        return children(self.process.pid)

    def workers(self, n):
        """The children, as soon as there are n: the first one may answer before the last one is forked."""
        return wait_for(lambda: len(c := self.children()) == n and c, 5, f"not {n} workers")

    def signal(self, number):
        os.kill(self.process.pid, number)

    def stop(self):
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise
        return self.process.returncode


def children(pid):
    """The living children of a process."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            state, parent = pathlib.Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(entry))
    return found


@pytest.fixture
def start_echo(tmp_path):
    """Starts echo programs; stops them all afterwards."""
    running = []

    def start(*options, where=None, wait=True, **popen):
        where = where or tmp_path / f"s{len(running)}"
        spelled = where if not isinstance(where, tuple) else "%s:%d" % where
        server = Server([ECHO, "--listen", spelled, *options], where, tmp_path / f"log{len(running)}", **popen)
        running.append(server)
        return server.ready() if wait else server

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def echo(start_echo):
    return start_echo("--workers", 2)
