"""Fixtures: one cluster and one CA of a kind for all tests, a database for every site."""
import itertools
import os
import shutil
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))

import rawhttp	# noqa: E402
import scepmsg	# noqa: E402
from installation import Authority, Postgres, Site, install_programs	# noqa: E402
from processes import BUILD, new_folder	# noqa: E402

CONTENT_TYPE = "application/x-pki-message"


@pytest.fixture(scope="session")
def place():
    folder = new_folder("scepter-e2e-")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def programs(place):
    assert (BUILD / "scepter").exists(), f"{BUILD} holds no build: use ./run-tests, or set top_builddir"
    return install_programs(new_folder("bin-", place))


@pytest.fixture(scope="session")
def postgres(place):
    cluster = Postgres(place)
    yield cluster
    cluster.remove()


@pytest.fixture(scope="session")
def authorities(place, programs):
    """authorities("rsa:2048"): a CA with such a key, and options of `ca init`; made once."""
    made = {}

    def make(*how):
        if how not in made:
            made[how] = Authority(new_folder("ca-", place), programs / "scepter", *how)
        return made[how]
    return make


def stop_all(sites):
    """Stops every one; the first failure is raised when none runs any more."""
    failures = []
    for site in sites:
        try:
            site.stop()
        except Exception as failure:
            failures.append(failure)
    if failures:
        raise failures[0]


@pytest.fixture(scope="session")
def make_site(place, programs, postgres, authorities):
    """make_site(): a site with a database of its own; settings may be changed before a front end is started."""
    numbers = itertools.count(1)
    sites = []

    def make(*authority, cluster=postgres):
        database = f"site{next(numbers)}"
        cluster.execute("postgres", f"CREATE DATABASE {database}")
        site = Site(new_folder("site-", place), programs, cluster, database, authorities(*authority or ["rsa:2048"]))
        site.write().init_database()
        sites.append(site)
        return site
    yield make
    stop_all(sites)


@pytest.fixture
def site(make_site):
    """A site for one test."""
    made = make_site()
    yield made
    made.stop()


class Client:
    """Sends hand-made messages to a front end and checks the answers."""

    def __init__(self, site, front, path="/scep", profile="default"):
        self.site, self.front, self.path, self.profile = site, front, path, profile
        self.trusted = [site.authority.ra]
        self.to = [site.authority.ra]

    def challenge(self, *args):
        return self.site.challenge(*args, profile=self.profile)

    def get(self, query, **how):
        return rawhttp.get(self.front.port, f"{self.path}?{query}", **how)

    def post_raw(self, body, **how):
        return rawhttp.post(self.front.port, f"{self.path}?operation=PKIOperation", body, **how)

    def request(self, label="device", challenge="", **changes):
        """A right request; challenge "": a fresh one-time challenge, None: none at all."""
        device = changes.pop("device", None) or scepmsg.Device.shared(label)
        return device.request(changes.pop("to", self.to), self.challenge() if challenge == "" else challenge, **changes)

    def send(self, request, data=None, **how):
        """Posts; the answer must be a CertRep that is right in every respect."""
        answer = self.post_raw(data or request.encode(), **how)
        assert answer.status == 200, f"{answer.status}: {answer.body[:200]!r}\n{self.front.logs()[-2000:]}"
        assert answer.type == CONTENT_TYPE and "no-store" in answer.headers["cache-control"]
        return scepmsg.read_reply(answer.body, request, self.trusted)

    def enrol(self, request=None, **how):
        """Posts; the answer must hold a certificate for the request's key, issued by the site's CA."""
        request = request or self.request(**how)
        reply = self.send(request)
        assert reply.status == scepmsg.SUCCESS, f"FAILURE {reply.fail_info}: {reply.fail_text}\n{self.front.logs()[-2000:]}"
        self.check_cert(reply, request)
        return reply

    def refused(self, request, fail_info, data=None):
        before = len(self.site.certs())
        reply = self.send(request, data)
        assert (reply.status, reply.fail_info) == (scepmsg.FAILURE, fail_info), f"{reply}\n{self.front.logs()[-2000:]}"
        assert reply.empty_content, "certmonger and others need an eContent that is there and empty (P-198)"
        assert len(self.site.certs()) == before
        return reply

    def check_cert(self, reply, request):
        assert len(reply.certs) == 1
        scepmsg.check_issued(reply.certs[0], self.site.authority.ca, request)


@pytest.fixture(scope="session")
def shared(make_site):
    """The site that most tests share: lighttpd with the responder on a socket."""
    site = make_site()
    return Client(site, site.start("lighttpd-socket"))


@pytest.fixture(scope="session")
def client_of():
    return Client
