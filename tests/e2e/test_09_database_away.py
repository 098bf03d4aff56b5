"""PostgreSQL stopped, started and killed: 503 and Retry-After, never a FAILURE; nothing lost, nothing twice (P-105)."""
import os
import re
import signal
import threading
import time
from pathlib import Path

import invariants
import pytest
import scepmsg
from installation import Postgres
from processes import DEADLINE, new_folder, wait_for


@pytest.fixture
def stand(place, make_site, client_of):
    cluster = Postgres(new_folder("pg-", place))
    try:
        site = make_site(cluster=cluster)
        site.server["database"]["timeout"] = "2s"	# how long the first who finds no database tries again
        yield client_of(site, None)
    finally:
        try:
            cluster.start()
            site.stop()
        finally:
            cluster.remove()


def start(stand):
    stand.front = stand.site.start("lighttpd-socket")
    return stand


def comes_back(stand, request):
    """The device's way: as long as it is told to come again, it does."""
    def answered():
        answer = stand.post_raw(request.encode())
        return answer if answer.status != 503 else None
    answer = wait_for(answered, "an answer that is not 503")
    assert answer.status == 200
    reply = scepmsg.read_reply(answer.body, request, stand.trusted)
    assert reply.status == scepmsg.SUCCESS
    stand.check_cert(reply, request)
    return reply


def test_stopped_and_started(stand):
    start(stand)
    request = stand.request()
    master, workers = stand.front.master(), stand.front.responder.all_workers()
    stand.site.postgres.stop()
    answer = stand.post_raw(request.encode())
    assert answer.status == 503 and int(answer.headers["retry-after"]) > 0
    assert stand.get("operation=GetCACaps").status == 200
    assert stand.get("operation=GetCACert").status == 200
    stand.site.postgres.start()
    reply = comes_back(stand, request)
    assert (stand.front.master(), stand.front.responder.workers()) == (master, workers), "nothing had to be restarted"
    invariants.check(stand.site, reply.certs)


def test_started_before_the_database(stand):
    """The responder starts without its database, and works as soon as that is there."""
    request = stand.request()
    stand.site.postgres.stop()
    start(stand)
    assert stand.post_raw(request.encode()).status == 503
    stand.site.postgres.start()
    comes_back(stand, request)


class Load:
    """Devices that retry until they have a certificate, as real ones do; one comes after the other until finish()."""

    THREADS, USES = 4, 30000

    def __init__(self, stand, excuses):
        """excuses: the statuses at which a device comes again."""
        self.stand, self.excuses, self.over = stand, excuses, threading.Event()
        self.certs, self.sent, self.turned_away, self.failures = {}, 0, 0, []
        challenges = [stand.challenge("--uses", str(self.USES)) for _ in range(self.THREADS)]
        self.threads = [threading.Thread(target=self.run, args=(n, challenge)) for n, challenge in enumerate(challenges)]
        for thread in self.threads:
            thread.start()

    def run(self, thread, challenge):
        n = 0
        try:
            while not self.over.wait(0.02) and not self.failures:
                n += 1
                request = self.stand.request(label=f"load {thread}", common_name=f"load {thread} {n}", challenge=challenge)
                data, end = request.encode(), time.monotonic() + DEADLINE
                while not self.attempt(request, data):
                    assert time.monotonic() < end, f"no certificate for {request.txid} within {DEADLINE} s"
                    time.sleep(0.02)
        except Exception as failure:
            self.failures.append(failure)

    def attempt(self, request, data):
        """True when the device has its certificate, False when it has to come again."""
        try:
            answer = self.stand.post_raw(data)
        except OSError:
            return False
        if answer.status in self.excuses:
            assert answer.status != 503 or self.excuses != {503} or int(answer.headers["retry-after"]) > 0
            self.turned_away += 1
            return False
        assert answer.status == 200, f"status {answer.status}"
        reply = scepmsg.read_reply(answer.body, request, self.stand.trusted)
        assert reply.status == scepmsg.SUCCESS, f"FAILURE {reply.fail_info}: {reply.fail_text}"
        self.certs[request.txid] = reply.certs[0]
        return True

    def wait(self, condition, what):
        wait_for(lambda: condition() or self.failures, what)
        self.check()

    def goes_on(self):
        n = len(self.certs) + 12
        self.wait(lambda: len(self.certs) >= n, "some enrolments")

    def meets_the_outage(self):
        n = self.turned_away
        self.wait(lambda: self.turned_away > n, "somebody to be turned away")

    def check(self):
        if self.failures:
            raise self.failures[0]

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def finish(self):
        """What the devices hold, when none is under way any more."""
        self.end()
        self.check()
        return list(self.certs.values())


@pytest.fixture
def load(stand):
    """load(excuses), ended whatever happens."""
    loads = []

    def begin(*excuses):
        loads.append(Load(start(stand), set(excuses)))
        return loads[0]
    yield begin
    for begun in loads:
        begun.failures.append("the test is over")
        begun.end()


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_under_load(stand, load, how):
    devices = load(503)
    for _ in range(3):
        devices.goes_on()
        getattr(stand.site.postgres, how)()
        devices.meets_the_outage()
        stand.site.postgres.start()
    devices.goes_on()
    invariants.check(stand.site, devices.finish(), devices.USES)


def age(pid):
    """Seconds since the process began."""
    ticks = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def test_workers_killed_under_load(stand, load):
    """All workers at once, again and again; but each had time to work: who dies young makes the master hesitate."""
    devices = load(500, 502, 503)
    master, workers = stand.front.master(), stand.front.responder.workers
    for _ in range(5):
        wait_for(lambda: len(workers()) == 2 and min(map(age, workers())) > 0.4, "two workers that are not young")
        devices.goes_on()
        victims = workers()
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: len(set(workers()) - set(victims)) == 2, "two other workers")
    devices.goes_on()
    certs = devices.finish()
    assert stand.front.master() == master
    delays = re.findall(r"was killed by signal 9 .*; the next one starts in (\d+) ms", stand.front.responder.text())
    assert delays == ["0"] * 10, "nobody hesitates"
    invariants.check(stand.site, certs, devices.USES)
