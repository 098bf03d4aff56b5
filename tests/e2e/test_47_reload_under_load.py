"""`scepter bench` while the responder is reloaded again and again, profiles come, change and go, and the RA rotates: nothing fails."""
import json
import os
import signal
import subprocess
import threading

import pytest
import rawhttp
import scepmsg
from processes import as_user, children, new_folder, wait_for, write
from reload import REFUSED, reload

SECRET = "good-for-everybody"
REQUESTS, AT_ONCE = 200, 12
STEPS = 12		# reloads that ended while requests were under way


class Bench:
    """A run of `scepter bench` against a profile, in the background."""

    def __init__(self, site, front, n, profile="default"):
        self.site, self.n, self.profile = site, n, profile
        self.before = self.all_issued()
        fingerprint = scepmsg.digest_of("sha256", site.authority.ca).hex()
        self.process = subprocess.Popen(
            as_user([site.scepter, "bench", f"{front.url}/{profile}", "--fingerprint", fingerprint, "--challenge", SECRET, "--requests", n,
                     "--concurrency", AT_ONCE, "--json"]), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def all_issued(self):
        return self.site.execute("SELECT count(*) FROM scep.cert WHERE profile = %s", self.profile)[0][0]

    def issued(self):
        return self.all_issued() - self.before

    def under_way(self):
        """Has the clock started, and not stopped?"""
        return self.process.poll() is None and 0 < self.issued() < self.n

    def wait_for_the_first(self):
        wait_for(lambda: self.issued() > 0 or self.process.poll() is not None, "the first certificate of the bench", 120)
        return self

    def end(self):
        out, err = self.process.communicate(timeout=300)
        assert out, err
        result = json.loads(out)
        assert (result["ok"], result["pending"], result["refused"], result["broken"]) == (self.n, 0, 0, 0), result
        assert self.process.returncode == 0
        assert self.issued() == self.n, "as many in the database as were given out; bench has seen that no two are the same"
        return result


class Load:
    """One bench after the other, for as long as it is wanted."""

    def __init__(self, site, front):
        self.site, self.front, self.results = site, front, []
        self.bench = self.begin()

    def begin(self):
        return Bench(self.site, self.front, REQUESTS).wait_for_the_first()

    def under_way(self):
        """Has it not ceased since this was asked last? If it has, it begins again."""
        if self.bench.under_way():
            return True
        self.results.append(self.bench.end())
        self.bench = self.begin()
        return False

    def end(self):
        """Enrolments, how many a second, and the slowest of all in ms."""
        results = [*self.results, self.bench.end()]
        return REQUESTS * len(results), min(r["enrolments_per_second"] for r in results), max(r["latency_ms"]["max"] for r in results)


class Watch:
    """Somebody who asks a profile some hundred times a second, and notes each status. As fast as it can be it would use up the ports of the machine."""

    def __init__(self, front, path):
        self.front, self.path, self.seen, self.stop = front, path, set(), threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.stop.wait(0.005):
            try:
                self.seen.add(rawhttp.get(self.front.port, f"{self.path}?operation=GetCACert").status)
            except OSError as e:
                self.seen.add(repr(e))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


@pytest.fixture
def loaded(site):
    """loaded(front end): the site with a static challenge, served by it."""
    secret = write(site.folder / "secret", SECRET + "\n", 0o600)
    site.profiles["default"] = site.profile(enrol={"static_challenge_file": secret})
    site.profiles["changing"] = site.profile()

    def start(kind, workers=2):
        site.server["server"]["workers"] = workers
        return site, site.start(kind)
    return start


def deploy(site, profiles):
    """Only the files that differ are written, the default's never: `ca rotate-ra` has its own hand in that one."""
    folder = site.folder / "profiles.d"
    for name in {f.stem for f in folder.glob("*.ini")} - set(profiles) - {"default"}:
        (folder / f"{name}.ini").unlink()
    for name, sections in profiles.items():
        write(folder / f"{name}.ini", site._text(sections) if isinstance(sections, dict) else sections, 0o640)


def steps(site):
    """What an operator may do in a day, each followed by a reload. Gives how the reload has to end."""
    out = new_folder("rotated-", site.folder)
    n = 0
    while True:
        n += 1
        deploy(site, {"changing": site.profile(certificate={"validity": f"{n}d"}), "coming": site.profile()})
        yield "was reloaded"
        if n in (1, 2):
            site.run("ca", "rotate-ra", "--profile", "default", "--out", out)
            yield "was reloaded"
        deploy(site, {"changing": "[ca]\nnonsense\n"})
        yield REFUSED
        deploy(site, {"changing": site.profile()})
        yield "was reloaded"


@pytest.mark.parametrize("kind", ["lighttpd-socket", "nginx", "mod_proxy_fcgi"])
def test_no_request_fails(loaded, kind, record_testsuite_property):
    site, front = loaded(kind)
    rotated = rawhttp.get(front.port, "/scep?operation=GetCACert").body
    done = 0
    with Watch(front, "/scep/default") as present, Watch(front, "/scep/changing") as changing, Watch(front, "/scep/coming") as coming:
        load = Load(site, front)
        for ends in steps(site):
            reload(front, ends)
            done += load.under_way()
            if done == STEPS:
                break
        enrolments, speed, slowest = load.end()
    assert (present.seen, changing.seen) == ({200}, {200}) and coming.seen <= {200, 404}
    assert rawhttp.get(front.port, "/scep?operation=GetCACert").body != rotated, "the RA has rotated meanwhile"
    print(f"\n{kind}: {enrolments} enrolments, {done} reloads meanwhile, {speed} a second, slowest {slowest} ms")
    record_testsuite_property(f"reload_under_load_{kind}", f"{done} reloads, slowest {slowest} ms")


def test_no_request_fails_in_processes_that_are_alone(loaded):
    """lighttpd has started two that load and serve by themselves: while one loads, its connections wait."""
    site, front = loaded("lighttpd-spawned", 1)
    responders = wait_for(lambda: len(c := children(front.server.pid)) == 2 and c, "lighttpd's two responders")
    assert not [c for pid in responders for c in children(pid)], "no master, no workers"
    done = 0
    load = Load(site, front)
    for ends in steps(site):
        before = front.logs().count(ends)
        for pid in responders:
            os.kill(pid, signal.SIGHUP)
        wait_for(lambda: front.logs().count(ends) == before + 2, f"'{ends}' in the log, twice")
        done += load.under_way()
        if done == STEPS:
            break
    load.end()
    assert children(front.server.pid) == responders
