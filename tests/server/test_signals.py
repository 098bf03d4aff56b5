"""Stopping, reloading and dying, at any instant and under load."""
import os
import pathlib
import signal
import threading
import time

import pytest

import fcgi_client as fc
from conftest import ECHO, Server, wait_for


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
        t = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - t < 1, f"cycle {i}"


def test_sigterm_finishes_the_request_under_way(start_echo):
    server = start_echo("--workers", 2)
    with server.connect() as s:
        s.sendall(fc.request(query="sleep=700"))
        time.sleep(0.1)
        server.signal(signal.SIGTERM)
        a = fc.receive(s)
        assert (a.status, a.ended) == (200, True)
    assert server.process.wait(5) == 0


def test_sigterm_alone_finishes_the_request_under_way(start_echo):
    server = start_echo()
    with server.connect() as s:
        s.sendall(fc.request(query="sleep=700"))
        time.sleep(0.1)
        server.signal(signal.SIGTERM)
        assert fc.receive(s).status == 200
    assert server.process.wait(5) == 0


def test_stragglers_are_killed_before_eight_seconds(start_echo):
    """mod_fcgid kills the master after 8 s; a worker that hangs must not survive it."""
    server = start_echo("--workers", 2)
    with server.connect() as s:
        s.sendall(fc.request(query="sleep=60000"))
        time.sleep(0.2)
        t = time.monotonic()
        server.signal(signal.SIGTERM)
        time.sleep(1)
        server.signal(signal.SIGTERM)   # it repeats
        assert server.process.wait(8) == 0
        assert 1 < time.monotonic() - t < 7.5
    assert "did not stop in time" in server.log()


def test_sigterm_to_a_worker_only_replaces_it(start_echo):
    server = start_echo("--workers", 2)
    before = set(server.workers(2))
    for pid in before:
        os.kill(pid, signal.SIGTERM)
    wait_for(lambda: len(set(server.children()) - before) == 2, 2, "not replaced")
    assert server.ask().status == 200


def test_a_killed_worker_is_replaced_within_a_second(start_echo):
    server = start_echo("--workers", 2)
    time.sleep(0.3)     # past what counts as dying at once
    for _ in range(2):
        before = set(server.workers(2))
        os.kill(min(before), signal.SIGKILL)
        t = time.monotonic()
        wait_for(lambda: len(server.children()) == 2 and set(server.children()) != before, 1, "not replaced")
        assert time.monotonic() - t < 1
    assert "was killed by signal 9" in server.log()


def test_a_worker_killed_again_and_again_is_replaced_within_a_second(start_echo):
    """Somebody has found a request that kills: the others are still served. Eight in a row, each as soon as it is there."""
    server = start_echo("--workers", 1)
    for _ in range(8):
        worker, = server.workers(1)
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: worker not in server.children() and server.children(), 2, "not replaced")
    assert server.ask().status == 200


def test_a_crash_in_a_request_lets_the_client_retry(start_echo):
    server = start_echo("--workers", 1)
    assert server.ask(query="crash=1").raw == b""
    t = time.monotonic()
    assert server.ask().status == 200   # waits in the backlog meanwhile
    assert time.monotonic() - t < 1


def test_workers_that_die_at_once_are_not_forked_in_a_storm(start_echo, tmp_path):
    (tmp_path / "state").write_text("die")
    server = start_echo("--workers", 2, "--state", tmp_path / "state", wait=False)
    time.sleep(2)
    n = server.log().count("ended with status 1")
    assert 2 <= n < 20, n
    t = time.monotonic()
    assert server.stop() == 0 and time.monotonic() - t < 1


def test_workers_end_with_their_master(start_echo):
    server = start_echo("--workers", 3)
    workers = server.workers(3)
    server.process.kill()
    server.process.wait()
    wait_for(lambda: not any(pathlib.Path(f"/proc/{pid}/status").exists() and
                             "State:\tZ" not in pathlib.Path(f"/proc/{pid}/status").read_text() for pid in workers),
             2, "orphans serve on")


def test_reload_under_load_loses_nothing(start_echo, tmp_path):
    state = tmp_path / "state"
    state.write_text("0")
    server = start_echo("--workers", 2, "--state", state)
    with Load(server) as load:
        for i in range(1, 11):
            state.write_text(str(i))
            server.signal(signal.SIGHUP)
            n = len(load.answers)
            wait_for(lambda: str(i) in load.answers[n:], 5, f"reload {i} did not take effect")
    assert load.failures == []
    wait_for(lambda: len(server.children()) == 2, 2, "old workers stay")


def test_a_bad_reload_keeps_the_old(start_echo, tmp_path):
    state = tmp_path / "state"
    state.write_text("good")
    server = start_echo("--workers", 2, "--state", state)
    before = set(server.workers(2))
    with Load(server) as load:
        state.write_text("bad")
        server.signal(signal.SIGHUP)
        wait_for(lambda: "not reloaded" in server.log())
        time.sleep(0.2)
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
    waiting = [server.connect() for _ in range(n)]
    for s in waiting:
        s.sendall(fc.request(query=query))
    return waiting


def answers_of(waiting):
    out = []
    for s in waiting:
        with s:
            out.append(fc.receive(s))
    assert all((a.status, a.ended) == (200, True) for a in out)
    return out


def test_reload_alone_in_a_queue_that_is_never_empty(start_echo, tmp_path):
    state = tmp_path / "state"
    state.write_text("old")
    server = start_echo("--state", state)
    waiting = queue(server, 30, "sleep=20")
    state.write_text("new")
    server.signal(signal.SIGHUP)
    states = [a.field("state") for a in answers_of(waiting)]
    assert set(states[:1]) <= {"old", "new"} and states.count("new") >= 20, states


def test_old_workers_leave_a_queue_that_is_never_empty(start_echo, tmp_path):
    server = start_echo("--workers", 1)
    old, = server.workers(1)
    waiting = queue(server, 30, "sleep=20")
    server.signal(signal.SIGHUP)
    pids = [a.field("pid") for a in answers_of(waiting)]
    assert pids.count(str(old)) <= 10, "the old one went on as long as there was something to do"


def test_sigterm_in_a_queue_that_is_never_empty(start_echo):
    server = start_echo()
    waiting = queue(server, 100, "sleep=50")
    t = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - t < 3
    for s in waiting:
        s.close()


def test_worker_deaths_under_load_lose_only_their_own_request(start_echo):
    server = start_echo("--workers", 2)
    with Load(server) as load:
        for _ in range(5):
            time.sleep(0.2)
            os.kill(wait_for(server.children)[0], signal.SIGKILL)
    assert len(load.failures) <= 5, load.failures
    assert server.ask().status == 200
    assert load.answers and wait_for(lambda: len(server.children()) == 2)
