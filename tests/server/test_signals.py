"""Stopping, reloading and dying, at any instant and under load."""
import os
import pathlib
import socket
import signal
import threading
import time

import pytest

import fcgi_client as fc
from conftest import ECHO, Server, halt, pending, wait_for


class Load:
    """Clients that ask all the time; every request must be answered."""

    def __init__(self, server, n=3):
        self.server, self.stop_it, self.answers, self.failures = server, threading.Event(), [], []
        self.threads = [threading.Thread(target=self.run) for _ in range(n)]

    def run(self):
        while not self.stop_it.is_set():
            try:
                a = self.server.ask("POST", body=b"x" * 3000, query="sleep=5")
                if a.status == 200 and a.ended:
                    self.answers.append(a.field("state"))
                else:
                    self.failures.append((a.status, a.raw[:100]))
            except OSError as e:
                self.failures.append(repr(e))

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.stop_it.set()
        for t in self.threads:
            t.join()


@pytest.mark.parametrize("workers", [0, 2], ids=["alone", "master"])
def test_sigterm_at_many_instants(tmp_path, workers):
    """60 cycles with a request at a varying moment before: a signal lost between a check and a wait would hang one of them."""
    for i in range(60):
        server = Server([ECHO, "--listen", tmp_path / "s", "--workers", workers], tmp_path / "s", tmp_path / "log").ready()
        assert server.ask().status == 200
        time.sleep(i % 20 * 0.0002)
        assert server.stop() == 0
        assert "did not stop" not in server.log(), f"cycle {i}"


@pytest.fixture
def held(start_echo, tmp_path):
    """Starts echo programs whose requests with hold=1 are under way until release()."""
    gate = tmp_path / "gate"
    gate.touch()

    def start(*options):
        server = start_echo(*options, "--hold", gate)
        server.release = lambda: gate.unlink(missing_ok=True)
        return server

    yield start
    gate.unlink(missing_ok=True)


@pytest.mark.parametrize("workers", [0, 2], ids=["alone", "master"])
def test_sigterm_finishes_the_request_under_way(held, workers):
    server = held("--workers", workers)
    with server.send(query="hold=1") as s:
        server.holding(1)
        server.signal(signal.SIGTERM)
        wait_for(lambda: "stopping" in server.log() if workers else pending(server.process.pid, signal.SIGTERM))
        server.release()
        a = fc.receive(s)
        assert (a.status, a.ended) == (200, True)
    assert server.process.wait(60) == 0


def test_sigterm_before_the_connection_is_accepted(start_echo, tmp_path):
    """lighttpd, mod_fcgid and systemd own the socket: what waits in its queue is not ours to lose, the next process serves it."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "fd0"))
        listener.listen(8)
        first = Server([ECHO], tmp_path / "fd0", tmp_path / "log", stdin=listener).ready()
        wait_for(lambda: not first.busy())
        halt(first.process.pid)
        with first.send("POST", body=b"x" * 50_000) as s:
            first.signal(signal.SIGTERM)
            first.signal(signal.SIGCONT)
            assert first.process.wait(60) == 0
            second = Server([ECHO], tmp_path / "fd0", tmp_path / "log", stdin=listener)
            a = fc.receive(s)
            assert (a.status, a.field("body"), a.field("pid")) == (200, "50000", str(second.process.pid))


def test_sigterm_to_a_worker_before_it_accepts(start_echo):
    """The socket stays open in the master: another worker serves what waits there."""
    server = start_echo("--workers", 1)
    wait_for(lambda: not server.busy())
    worker, = server.workers(1)
    halt(worker)
    with server.send("POST", body=b"x" * 50_000) as s:
        os.kill(worker, signal.SIGTERM)
        os.kill(worker, signal.SIGCONT)
        a = fc.receive(s)
        assert a.status == 200 and a.field("pid") != str(worker)


def test_stragglers_are_killed_before_eight_seconds(held):
    """mod_fcgid kills the master 8 s after its SIGTERM; a worker that hangs must not survive it. Another SIGTERM puts nothing off."""
    server = held("--workers", 2)
    with server.send(query="hold=1"):
        server.holding(1)
        t = time.monotonic()
        while server.process.poll() is None:
            server.signal(signal.SIGTERM)
            time.sleep(0.2)
            assert time.monotonic() - t < 60
        assert server.process.returncode == 0 and time.monotonic() - t > 5
    assert "1 workers did not stop within 6500 ms: killed" in server.log()


def test_sigterm_to_a_worker_only_replaces_it(start_echo):
    server = start_echo("--workers", 2)
    before = set(server.workers(2))
    for pid in before:
        os.kill(pid, signal.SIGTERM)
    server.new_workers(before)
    assert server.ask().status == 200


def test_a_killed_worker_is_replaced_within_a_second(start_echo):
    """By what the master decides; how soon the machine then runs the new one is not its doing."""
    server = start_echo("--workers", 2)
    for i in range(2):
        before = set(server.workers(2))
        os.kill(min(before), signal.SIGKILL)
        wait_for(lambda: len(server.children()) == 2 and set(server.children()) != before, "not replaced")
        assert len(server.delays()) == i + 1
    assert "was killed by signal 9" in server.log() and max(server.delays()) < 1000


def test_a_worker_killed_again_and_again_is_replaced_within_a_second(start_echo):
    """Somebody has found a request that kills: the others are still served. Eight in a row, each as soon as it is there."""
    server = start_echo("--workers", 1)
    for _ in range(8):
        worker, = server.workers(1)
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: worker not in server.children() and server.children(), "not replaced")
    assert server.ask().status == 200
    assert len(server.delays()) == 8 and max(server.delays()) < 1000, server.delays()


def test_a_crash_in_a_request_lets_the_client_retry(start_echo):
    server = start_echo("--workers", 1)
    assert server.ask(query="crash=1").raw == b""
    assert server.ask().status == 200   # waits in the backlog meanwhile
    assert len(server.delays()) == 1 and server.delays()[0] < 1000


def test_workers_that_die_at_once_are_not_forked_in_a_storm(start_echo, tmp_path):
    """Each waits longer than the one before; only one that lived for a quarter of a second, on a machine that is busy, begins anew."""
    (tmp_path / "state").write_text("die")
    t = time.monotonic()
    server = start_echo("--workers", 2, "--state", tmp_path / "state", wait=False)
    wait_for(lambda: server.log().count("ended with status 1") >= 6, "they do not die")
    assert time.monotonic() - t > 0.3
    for before, delay in zip([0, *server.delays()], server.delays()):
        assert delay in (0, 50, 2 * before), server.delays()
    assert server.stop() == 0
    assert " started" not in server.log().partition("stopping")[2]


def test_workers_end_with_their_master(start_echo):
    server = start_echo("--workers", 3)
    workers = server.workers(3)
    server.process.kill()
    server.process.wait()
    wait_for(lambda: not any(pathlib.Path(f"/proc/{pid}/status").exists() and
                             "State:\tZ" not in pathlib.Path(f"/proc/{pid}/status").read_text() for pid in workers), "orphans serve on")


def test_reload_under_load_loses_nothing(start_echo, tmp_path):
    state = tmp_path / "state"
    state.write_text("0")
    server = start_echo("--workers", 2, "--state", state)
    with Load(server) as load:
        for i in range(1, 11):
            state.write_text(str(i))
            server.signal(signal.SIGHUP)
            n = len(load.answers)
            wait_for(lambda: str(i) in load.answers[n:], f"reload {i} did not take effect")
    assert load.failures == []
    wait_for(lambda: len(server.children()) == 2, "old workers stay")


def test_a_bad_reload_keeps_the_old(start_echo, tmp_path):
    state = tmp_path / "state"
    state.write_text("good")
    server = start_echo("--workers", 2, "--state", state)
    before = set(server.workers(2))
    with Load(server) as load:
        state.write_text("bad")
        server.signal(signal.SIGHUP)
        wait_for(lambda: "not reloaded" in server.log())
        n = len(load.answers)
        wait_for(lambda: len(load.answers) >= n + 20)
    assert load.failures == [] and set(load.answers) == {"good"}
    assert set(server.children()) == before


def test_reload_alone(start_echo, tmp_path):
    state = tmp_path / "state"
    state.write_text("a")
    server = start_echo("--state", state)
    with Load(server, 1) as load:
        state.write_text("b")
        server.signal(signal.SIGHUP)
        wait_for(lambda: "b" in load.answers)
        state.write_text("bad")
        server.signal(signal.SIGHUP)
        wait_for(lambda: "not reloaded" in server.log())
    assert load.failures == [] and load.answers[-1] == "b"


def queue(server, n, query):
    """So many whole requests that wait in the socket's queue, in this order."""
    return [server.send(query=query) for _ in range(n)]


def answers_of(waiting):
    out = []
    for s in waiting:
        with s:
            out.append(fc.receive(s))
    assert all((a.status, a.ended) == (200, True) for a in out)
    return out


def test_reload_alone_in_a_queue_that_is_never_empty(held, tmp_path):
    state = tmp_path / "state"
    state.write_text("old")
    server = held("--state", state)
    waiting = queue(server, 30, "hold=1")
    server.holding(1)
    state.write_text("new")
    server.signal(signal.SIGHUP)
    wait_for(lambda: pending(server.process.pid, signal.SIGHUP))
    server.release()
    assert [a.field("state") for a in answers_of(waiting)] == ["old"] + ["new"] * 29


def test_old_workers_leave_a_queue_that_is_never_empty(held):
    """The old one has one request under way, the new one another, and the rest waits."""
    server = held("--workers", 1)
    old, = server.workers(1)
    waiting = queue(server, 30, "hold=1")
    server.holding(1)
    server.signal(signal.SIGHUP)
    server.holding(2)
    wait_for(lambda: pending(old, signal.SIGTERM))
    server.release()
    pids = [a.field("pid") for a in answers_of(waiting)]
    assert pids.count(str(old)) == 1, "the old one went on as long as there was something to do"


def test_sigterm_in_a_queue_that_is_never_empty(held):
    server = held()
    waiting = queue(server, 100, "hold=1")
    server.holding(1)
    server.signal(signal.SIGTERM)
    wait_for(lambda: pending(server.process.pid, signal.SIGTERM))
    server.release()
    assert server.process.wait(60) == 0
    assert [fc.receive(s).status for s in waiting] == [200] + [0] * 99
    for s in waiting:
        s.close()


def test_worker_deaths_under_load_lose_only_their_own_request(start_echo):
    server = start_echo("--workers", 2)
    with Load(server) as load:
        for _ in range(5):
            n = len(load.answers)
            wait_for(lambda: len(load.answers) >= n + 20)
            os.kill(wait_for(server.children)[0], signal.SIGKILL)
    assert len(load.failures) <= 5, load.failures
    assert server.ask().status == 200
    assert load.answers and wait_for(lambda: len(server.children()) == 2)
