"""A worker killed at every step of an enrolment: before each call by which it talks to the web server or the database."""
import subprocess

import invariants
import pytest
import scepmsg
from processes import DEADLINE, alive, as_user, wait_for

CALLS = ("sendto", "recvfrom", "sendmsg", "recvmsg", "read", "readv", "write", "writev", "poll", "ppoll", "close", "connect",
         "accept4", "shutdown", "getrandom")	# not every architecture has all: "?"
MAX_STEPS = 100		# of one kind


class Killer:
    """strace, which kills process `pid` when it is about to make its n-th call of the kind `call`."""

    def __init__(self, pid, call, n, log):
        self.pid = pid
        command = ["strace", "-qq", "-p", str(pid), "-e", f"trace=?{call}", "-e",
                   f"inject=?{call}:signal=KILL:when={n}", "-o", str(log)]
        self.process = None
        for attempt in (as_user(command), command):
            self.process = subprocess.Popen(attempt, stderr=subprocess.PIPE, text=True)
            if wait_for(self.state, "strace to attach") == "attached":
                return
        raise AssertionError(f"strace may not attach: {self.process.stderr.read()}; a container needs the capability SYS_PTRACE")

    def state(self):
        if self.process.poll() is not None and alive(self.pid):
            return "ended"
        try:
            tracer = [line.split()[1] for line in open(f"/proc/{self.pid}/status") if line.startswith("TracerPid")]
        except OSError:
            return "attached"		# and has killed it already, in the call in which it waited
        return "attached" if tracer != ["0"] else None

    def finish(self, status):
        """Detaches; True when the process was killed. status: of the answer; without a good one it must die."""
        if status != 200:
            wait_for(lambda: not alive(self.pid), f"the worker to die after status {status}")
        self.process.terminate()
        self.process.wait(DEADLINE)
        return not alive(self.pid)


class Crash:
    """One site with one worker, and the books on what was killed and issued."""

    def __init__(self, site, client):
        self.site, self.client, self.certs, self.kills = site, client, [], []

    def issued(self, name):
        return bool(self.site.execute("SELECT 1 FROM scep.cert WHERE subject ~ %s", f"CN={name}(,|$)"))

    def step(self, call, n):
        """An enrolment with a death in it, if there are so many calls; then the client's retry. True when the worker died."""
        name = f"{call} {n}"
        request = self.client.request(label=f"step {n % 4}", common_name=name)
        data = request.encode()
        worker = wait_for(self.client.front.responder.workers, "a worker")[0]
        killer = Killer(worker, call, n, self.site.folder / "log" / "strace")
        try:
            status = self.client.post_raw(data).status
        except OSError:
            status = None
        killed = killer.finish(status)
        if killed:
            self.kills.append((name, status, self.issued(name)))
            wait_for(lambda: set(self.client.front.responder.workers()) - {worker}, "another worker")
        reply = self.client.send(request, data)
        assert reply.status == scepmsg.SUCCESS, f"{name}: FAILURE {reply.fail_info}\n{self.client.front.logs()[-2000:]}"
        self.certs.append(reply.certs[0])
        return killed


@pytest.mark.plain
def test_killed_at_every_step(site, client_of):
    site.server["server"]["workers"] = 1
    crash = Crash(site, client_of(site, site.start("lighttpd-socket")))
    for call in CALLS:
        steps = next(n for n in range(1, MAX_STEPS) if not crash.step(call, n))
        assert steps < MAX_STEPS - 1
    unanswered = [k for k in crash.kills if k[1] != 200]
    told = "\n".join(map(str, crash.kills))
    assert any(not issued for _, _, issued in unanswered), f"never killed before the commit:\n{told}"
    assert any(issued for _, _, issued in unanswered), f"never killed between the commit and the answer:\n{told}"
    assert len(unanswered) >= 8, f"hardly at every step:\n{told}"
    invariants.check(site, crash.certs)
