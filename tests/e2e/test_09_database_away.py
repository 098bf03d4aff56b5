"""PostgreSQL stopped, started and killed: 503 and Retry-After, never a FAILURE; nothing lost, nothing twice (P-105)."""
import os
import signal
import threading
import time
from pathlib import Path

import invariants
import pytest
import scepmsg
from installation import Postgres
from processes import new_folder, wait_for


@pytest.fixture
def stand(place, make_site, client_of):
    cluster = Postgres(new_folder("pg-", place))
    site = make_site(cluster=cluster)
    site.server["database"]["timeout"] = "2s"
    client = client_of(site, site.start("lighttpd-socket"))
    yield client
    cluster.start()
    site.stop()
    cluster.remove()


def test_stopped_and_started(stand):
    request = stand.request()
    master, workers = stand.front.master(), stand.front.responder.workers()
    stand.site.postgres.stop()
    answer = stand.post_raw(request.encode())
    assert answer.status == 503 and int(answer.headers["retry-after"]) > 0
    assert stand.get("operation=GetCACaps").status == 200
    assert stand.get("operation=GetCACert").status == 200
    stand.site.postgres.start()
    reply = stand.enrol(request)
    assert (stand.front.master(), stand.front.responder.workers()) == (master, workers), "nothing had to be restarted"
    invariants.check(stand.site, reply.certs)


def test_started_before_the_database(place, make_site, client_of):
    """The responder starts without its database, and works as soon as that is there."""
    cluster = Postgres(new_folder("pg-", place))
    site = make_site(cluster=cluster)
    challenge = site.challenge()
    cluster.stop()
    client = client_of(site, site.start("lighttpd-socket"))
    request = client.request(challenge=challenge)
    assert client.post_raw(request.encode()).status == 503
    cluster.start()
    client.enrol(request)
    site.stop()
    cluster.remove()


class Load:
    """Devices that retry until they have a certificate, as real ones do."""

    def __init__(self, stand, n, pause=0.0):
        self.stand, self.pause, self.certs, self.failures = stand, pause, {}, []
        self.requests = [stand.request(label=f"load {i % 8}", common_name=f"load {i}") for i in range(n)]
        self.threads = [threading.Thread(target=self.run, args=(self.requests[i::4],)) for i in range(4)]
        self.end = time.monotonic() + 120
        for thread in self.threads:
            thread.start()

    def run(self, requests):
        for request in requests:
            time.sleep(self.pause)
            data = request.encode()
            while request.txid not in self.certs and time.monotonic() < self.end and not self.failures:
                self.attempt(request, data)

    def attempt(self, request, data):
        try:
            answer = self.stand.post_raw(data)
        except OSError:
            return
        if answer.status != 200:
            if answer.status not in (500, 502, 503):
                self.failures.append(f"status {answer.status}")
            time.sleep(0.02)
            return
        try:
            reply = scepmsg.read_reply(answer.body, request, self.stand.trusted)
            assert reply.status == scepmsg.SUCCESS, f"FAILURE {reply.fail_info}: {reply.fail_text}"
            self.certs[request.txid] = reply.certs[0]
        except AssertionError as failure:
            self.failures.append(str(failure))

    def finish(self):
        for thread in self.threads:
            thread.join()
        assert not self.failures, self.failures[0]
        assert len(self.certs) == len(self.requests), f"{len(self.certs)} of {len(self.requests)} devices have a certificate"
        return list(self.certs.values())


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_under_load(stand, how):
    load = Load(stand, 120)
    for n in (20, 50, 80):
        wait_for(lambda n=n: len(load.certs) >= n or load.failures, "some enrolments")
        assert len(load.certs) < len(load.requests), "the load is over already: the test proves nothing"
        getattr(stand.site.postgres, how)()
        stand.site.postgres.start()
    certs = load.finish()
    invariants.check(stand.site, certs)


def age(pid):
    """Seconds since the process began."""
    ticks = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def test_workers_killed_under_load(stand):
    """All workers at once, again and again; but each had time to work: who dies young makes the master hesitate."""
    load = Load(stand, 160, pause=0.1)
    master, workers = stand.front.master(), stand.front.responder.workers
    for _ in range(5):
        wait_for(lambda: len(workers()) == 2 and min(map(age, workers())) > 0.4, "two workers that have worked")
        assert len(load.certs) < len(load.requests), "the load is over already: the test proves nothing"
        victims = workers()
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        wait_for(lambda: len(set(workers()) - set(victims)) == 2, "two other workers", 5)
        assert time.monotonic() - killed < 1
    certs = load.finish()
    assert stand.front.master() == master
    invariants.check(stand.site, certs)
