"""Programs under test, started as an unprivileged user and stopped for sure."""
import ctypes
import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

SOURCE = Path(os.environ.get("top_srcdir") or Path(__file__).resolve().parents[2]).resolve()
BUILD = Path(os.environ.get("top_builddir") or SOURCE / "build" / "plain").resolve()
USER = "www-data" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
DEADLINE = 300		# seconds until what should happen counts as hung: it tells that from slow, and nothing else
SANITIZER = re.compile(rb"ERROR: (Address|Leak)Sanitizer|runtime error:")


# Who runs the tests may have an environment of their own: it is not what is tested.
for variable in [v for v in os.environ if v.startswith(("PG", "LC_", "SCEPTER_")) or v.lower().endswith("_proxy")]:
    del os.environ[variable]
os.environ["LC_ALL"] = "C.UTF-8"
os.umask(0o022)
# Orphans, as a PostgreSQL server is one, become ours: process 1 of many a container reaps nobody, and a dead postmaster would stay for ever.
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)	# PR_SET_CHILD_SUBREAPER


def wait_for(condition, what, deadline=DEADLINE):
    """Polls until `condition` gives something true, and returns that."""
    end = time.monotonic() + deadline
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < end, f"waited {deadline} s for: {what}"
        time.sleep(0.01)


def as_user(command):
    """`command` run by USER; for root through setpriv, which keeps the process id."""
    command = [str(c) for c in command]
    if os.getuid() != 0:
        return command
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "--", *command]


def run(*command, check=True, user=True, stdin=None, env=None, timeout=DEADLINE, cwd="/"):
    """Runs a program to its end; CompletedProcess with text streams."""
    command = as_user(command) if user else [str(c) for c in command]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout, cwd=cwd,
                          env={**os.environ, **(env or {})})
    assert not check or done.returncode == 0, f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def server_ports():
    """Ports in random order, without those that the kernel gives to clients, whose closed connections keep them for a minute."""
    first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    ports = [p for p in range(10000, 65536) if not first <= p <= last] or range(10000, 65536)
    return iter(random.SystemRandom().sample(ports, len(ports)))


PORTS = server_ports()


def free_port():
    """A port of 127.0.0.1, no port twice."""
    for port in PORTS:
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is left")


def port_open(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def new_folder(prefix, parent=None):
    """A folder with a short path that USER owns and other users may pass."""
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    give(path)
    path.chmod(0o755)
    return path


def give(path):
    if os.getuid() == 0:
        shutil.chown(path, USER, USER)


def write(path, text, mode=0o644):
    """A file that belongs to USER."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    give(path.parent)
    data = text.encode() if isinstance(text, str) else text
    path.write_bytes(data)
    path.chmod(mode)
    give(path)
    return path


def children(pid):
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def gone(pid):
    """Whether there is no trace of an orphan any more; where it is ours to reap it is reaped."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
    return not Path(f"/proc/{pid}").exists()


class Service:
    """A program that runs in the foreground until it is stopped; its output goes to a file."""

    def __init__(self, command, log, ready, env=None, cwd="/"):
        self.log, self.killed = Path(log), False
        self.command = as_user(command)
        write(self.log, "")
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=cwd,
                                            start_new_session=True, env={**os.environ, **(env or {})})
        try:
            wait_for(lambda: ready() or self.process.poll() is not None, f"{self.command} to be ready")
            assert self.process.poll() is None, f"{self.command} ended:\n{self.text()}"
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self):
        return self.process.pid

    def text(self):
        return self.log.read_text(errors="replace")

    def stop(self, sig=signal.SIGTERM):
        """Ends it in an orderly way, and then whatever is left of its process group."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            status = self.process.wait(DEADLINE)
        finally:
            self.kill()
        data = self.log.read_bytes()
        assert not SANITIZER.search(data), f"{self.log}:\n{self.text()[-4000:]}"
        return status

    def kill(self):
        if self.killed:		# its process id may be another's by now
            return
        self.killed = True
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        if self.process.poll() is None:
            self.process.wait(DEADLINE)
