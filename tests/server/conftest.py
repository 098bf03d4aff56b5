import os
import pathlib
import re
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


DEADLINE = 60		# seconds until what should happen counts as not happening; never a measure of how quick something is


def wait_for(what, text="it did not happen", seconds=DEADLINE):
    """Polls until `what()` is true, and gives its value."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        assert time.monotonic() < end, f"{text} within {seconds} s"
        time.sleep(0.01)


class Server:
    """A process that serves FastCGI on a socket, in a session of its own."""

    started = []

    def __init__(self, argv, where, log, **popen):
        self.where, self.log_path = where, log
        how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "start_new_session": True, **popen}
        with open(log, "ab") as errors:
            self.process = subprocess.Popen([str(a) for a in argv], stderr=errors, **how)
        Server.started.append(self)

    def ask(self, *args, **kw):
        return fcgi_client.ask(self.where, *args, **kw)

    def connect(self):
        return fcgi_client.connect(self.where)

    def send(self, *args, **kw):
        """A connection with a whole request on it. Who only connects is not waited for: so nothing comes in between."""
        octets = fcgi_client.request(*args, **kw)
        s = self.connect()
        s.sendall(octets)
        return s

    def answers(self):
        try:
            return self.ask().status != 0
        except (ConnectionError, FileNotFoundError, PermissionError):
            assert self.process.poll() is None, self.log()
            return False

    def ready(self):
        wait_for(self.answers, "no answer")
        return self

    def log(self):
        return self.log_path.read_text(errors="replace")

    def children(self):
        return children(self.process.pid)

    def workers(self, n):
        """The children, as soon as there are n: the first one may answer before the last one is forked."""
        return wait_for(lambda: len(c := self.children()) == n and c, f"not {n} workers")

    def new_workers(self, before):
        """As many others, of whom no signal and no connection can be waiting for those before."""
        return wait_for(lambda: len(c := self.children()) == len(before) and not set(before) & set(c) and c, "the workers were not replaced")

    def delays(self):
        """How many ms the master waited after each death, as its log says."""
        return [int(ms) for ms in re.findall(r"the next one starts in (\d+) ms", self.log())]

    def holding(self, n):
        """Until so many requests with hold=1 are under way."""
        wait_for(lambda: self.log().count(" holding\n") >= n, f"not {n} requests under way")

    def busy(self):
        """Who holds a connection besides the socket that it listens on."""
        return [pid for pid in self.children() or [self.process.pid] if len(sockets(pid)) > 1]

    def signal(self, number):
        os.kill(self.process.pid, number)

    def stop(self):
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(DEADLINE)
            finally:
                self.kill()
        return self.process.returncode

    def kill(self):
        """Nobody is left of it, however the test ended."""
        Server.started.remove(self)
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


@pytest.fixture(autouse=True)
def nobody_stays():
    yield
    while Server.started:
        Server.started[-1].kill()


def sockets(pid):
    """The descriptors of a process that are sockets."""
    found = []
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            if os.readlink(fd).startswith("socket:"):
                found.append(fd.name)
        except FileNotFoundError:
            pass
    return found


def halt(pid):
    """SIGSTOP, and it has stopped: until then it may still see what happens."""
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: "\nState:\tT" in pathlib.Path(f"/proc/{pid}/status").read_text())


def pending(pid, number):
    """Has the signal reached the process, and waits until it lets it in?"""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return any(int(mask, 16) >> number - 1 & 1 for mask in re.findall(r"^(?:Shd|Sig)Pnd:\t(\w+)", status, re.M))


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
