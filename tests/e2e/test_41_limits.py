"""[limits]: 429 and Retry-After, never a FAILURE; shared by workers and responders; a fleet that renews at once gets through all the same."""
import threading
import time

import pytest
import scepmsg
from installation import Site
from processes import new_folder, write
from scepmsg import BAD_REQUEST, Device, Request, csr
from windows import hour, widening

ELSEWHERE = "127.0.0.2"		# another source
MEMORY = 30			# seconds for which a worker knows by itself who is over a limit


@pytest.fixture
def limited(site, client_of):
    """limited(per_source="3/1h"): a client of a site with these limits and one worker; 1h: client.window seconds, of which most are left."""
    def make(front="lighttpd-socket", workers=1, **limits):
        site.server["server"]["workers"] = workers
        window = hour()
        limits = {name: limit.replace("/1h", f"/{window}s") for name, limit in limits.items()}
        site.profiles["default"] = site.profile(limits={"wrong_challenges": "0", **limits})
        client = client_of(site, site.start(front))
        client.window = window
        return client
    return make


def turned_away(client, request, **how):
    """It is answered with 429 and the seconds to wait; that nobody signs anything goes without saying."""
    answer = client.post_raw(request.encode(), **how)
    assert answer.status == 429, f"{answer.status}: {answer.body[:200]!r}\n{client.front.logs()[-2000:]}"
    assert answer.type == "text/plain" and answer.body == b"too many requests, try again later\n"
    return int(answer.headers["retry-after"])


def audited(site, kind):
    return [detail for (detail,) in site.execute("SELECT detail FROM scep.audit WHERE kind = %s ORDER BY at", kind)]


def test_a_source_of_wrong_challenges_is_slowed(limited):
    client = limited(wrong_challenges="3/1h", workers=2)
    good = client.challenge()
    old = client.request(label="old")
    cert = client.enrol(old).certs[0]
    for _ in range(3):
        client.refused(client.request(challenge="wrong"), BAD_REQUEST)
    waits = [turned_away(client, client.request(challenge=c)) for c in ("wrong", good, "wrong", "wrong")]
    assert all(0 < w <= 2 * client.window + 600 for w in waits) and len(set(waits)) == len(waits)
    assert len(audited(client.site, "refuse")) == 3, "what is turned away is in the log, not in the audit trail"
    assert audited(client.site, "throttle") == [f"source of wrong challenges '127.0.0.1' is over its limit of 3 in {client.window} s"]
    assert "err=throttled" in client.front.logs() and "source of wrong challenges '127.0.0.1' is over its limit" in client.front.logs()

    key = Device.shared("new").key		# a renewal brings no challenge
    client.enrol(Request(old.key, cert, client.to, csr(key, "old"), message_type="17"))
    reply = client.post_raw(client.request(challenge=good).encode(), source=ELSEWHERE)
    assert reply.status == 200 and len(client.site.certs()) == 3


def test_renewals_with_a_stale_challenge_are_no_guesses(limited):
    """Some devices send the challenge of their first request with every renewal."""
    client = limited(wrong_challenges="2/1h")
    used = client.challenge()
    old = client.request(label="old", challenge=used)
    cert = client.enrol(old).certs[0]
    for i in range(4):
        key = Device.shared("new").key
        client.enrol(Request(old.key, cert, client.to, csr(key, "old", used), message_type="17", txid=f"renewal {i}"))
    assert client.site.execute("SELECT count(*) FROM scep.rate") == [(0,)]


def test_guesses_at_the_same_time(limited):
    """However many come at once, so many are told that they were wrong as the limit has."""
    client = limited(wrong_challenges="5/1h", workers=4)
    bodies = [client.request(label="guess", challenge=f"wrong {i}").encode() for i in range(24)]
    answers = in_parallel(lambda body: client.post_raw(body).status, bodies)
    assert sorted(answers) == [200] * 5 + [429] * 19, client.front.logs()[-3000:]
    assert len(audited(client.site, "refuse")) == 5 and len(audited(client.site, "throttle")) == 1


def in_parallel(function, arguments):
    out = [None] * len(arguments)

    def one(i):
        out[i] = function(arguments[i])
    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(arguments))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return out


@pytest.mark.parametrize("limits", [{"per_source": "3/1h"}, {"per_profile": "3/1h"}, {"per_device": "3/1h"}, {"per_key": "3/1h"}],
                         ids=lambda limits: next(iter(limits)))
def test_limits(limited, limits):
    client = limited(**limits)
    kind = next(iter(limits)).removeprefix("per_")
    for _ in range(3):
        request = client.request()
        client.enrol(request)
    wait = turned_away(client, client.request())
    assert 0 < wait <= 2 * client.window + 600
    [sentence] = audited(client.site, "throttle")
    assert sentence.startswith(f"{kind} '") and sentence.endswith(f"' is over its limit of 3 in {client.window} s")
    if kind in ("device", "key"):	# whoever lost the answer gets it again
        client.enrol(request)
        other = client.request(common_name="other", **({} if kind == "device" else {"label": "another"}))
        client.enrol(other)
    else:
        turned_away(client, request)
    if kind == "source":
        assert client.post_raw(client.request().encode(), source=ELSEWHERE).status == 200


def test_resends_and_refusals_do_not_use_up_a_device(limited):
    client = limited(per_device="2/1h")
    request = client.request()
    for _ in range(4):
        client.enrol(request)
    for _ in range(4):
        client.refused(client.request(challenge="wrong"), BAD_REQUEST)
    client.enrol(client.request())
    turned_away(client, client.request())


def test_bad_messages_count_for_their_source(limited):
    client = limited(per_source="4/1h")
    for changes in (dict(garbage_envelope=True), dict(plain=b"no request"), dict(message_type="18"), dict(break_signature=True)):
        reply = client.send(client.request(challenge=None, **changes))
        assert reply.status == scepmsg.FAILURE
    turned_away(client, client.request())
    assert len(audited(client.site, "refuse")) == 4 and len(audited(client.site, "throttle")) == 1


def test_a_flood_costs_neither_key_nor_database(limited):
    """Once a worker knows, it answers by itself, bad messages too: the database is away, and nobody notices. Somebody else is told so."""
    client = limited(per_source="1/1h")
    client.enrol()
    request = client.request()

    def by_itself(n):
        """n answers while it remembers; None: it may have forgotten meanwhile."""
        begun = time.monotonic()
        turned_away(client, request)
        client.site.execute("ALTER FUNCTION scep.admit_limited RENAME TO gone")
        try:
            answers = [client.post_raw(body) for body in [request.encode()] * n + [b"no message"]]
            if time.monotonic() > begun + MEMORY:
                return None
            assert {answer.status for answer in answers} == {429}
            assert client.post_raw(request.encode(), source=ELSEWHERE).status == 503
        finally:
            client.site.execute("ALTER FUNCTION scep.gone RENAME TO admit_limited")
        return [int(answer.headers["retry-after"]) for answer in answers]
    told = widening(by_itself, 20, 8, 3)
    assert len(set(told)) == len(told), "each was told another time to come back"
    assert len(audited(client.site, "throttle")) == 1
    assert client.post_raw(request.encode(), source=ELSEWHERE).status == 200


def test_503_is_spread_too(site, client_of):
    client = client_of(site, site.start("lighttpd-socket"))
    request = client.request()
    client.site.execute("ALTER FUNCTION scep.admit RENAME TO gone")
    told = []
    for _ in range(8):
        answer = client.post_raw(request.encode())
        assert answer.status == 503
        told.append(int(answer.headers["retry-after"]))
    assert all(30 <= t < 70 for t in told) and len(set(told)) >= 4	# of two workers each has a sequence of its own


def second(site):
    """Another responder with a place of its own, on the same database."""
    other = Site(new_folder("second-", site.folder), site.programs, site.postgres, site.database, site.authority)
    write(other.folder / "pepper", (site.folder / "pepper").read_text(), 0o600)
    other.profiles = site.profiles
    return other


def test_two_responders_share_their_limits(limited, client_of):
    client = limited(per_source="5/1h", wrong_challenges="2/1h")
    other = second(client.site)
    try:
        there = client_of(other, other.start("lighttpd-socket"))
        for here in (client, there, client, there):
            here.enrol()
        client.refused(client.request(challenge="wrong"), BAD_REQUEST)
        turned_away(there, there.request())
        turned_away(client, client.request())
        assert there.post_raw(there.request(challenge="wrong").encode(), source=ELSEWHERE).status == 200
        assert client.post_raw(client.request(challenge="wrong").encode(), source=ELSEWHERE).status == 200
        turned_away(there, there.request(), source=ELSEWHERE)
        assert len(audited(client.site, "throttle")) == 2
    finally:
        other.stop()


FLEET, MOST = 100, 30


class Renewing:
    """A device that renews with the same key, and comes back when it is told to."""

    def __init__(self, client, key, cert, name):
        self.client, self.told = client, []
        self.request = Request(key, cert, list(client.to), csr(key, name), message_type="17")

    def run(self):
        while True:
            answer = self.client.post_raw(self.request.encode())
            if answer.status == 200:
                return scepmsg.read_reply(answer.body, self.request, self.client.trusted)
            assert answer.status == 429, answer
            self.told.append(int(answer.headers["retry-after"]))
            time.sleep(self.told[-1])


def test_a_fleet_that_renews_at_once(site, client_of):
    """A hundred devices behind one address: nobody is lost, and nobody has to come back often."""
    site.profiles["default"] = site.profile(renewal={"same_key": "always"})
    first = client_of(site, site.start("lighttpd-socket"))
    challenge = first.challenge("--uses", str(FLEET))
    device = Device.shared("fleet")
    names = [f"device {i}" for i in range(FLEET)]
    begun = time.monotonic()
    certs = [first.enrol(device.request(first.to, challenge, common_name=n)).certs[0] for n in names]
    window = max(2, round(2 * (time.monotonic() - begun) * MOST / FLEET))		# seconds, in which this machine can issue more than MOST
    site.stop()
    site.profiles["default"] = site.profile(renewal={"same_key": "always"}, limits={"per_source": f"{MOST}/{window}s"})
    client = client_of(site, site.start("lighttpd-socket"))
    fleet = [Renewing(client, device.key, cert, name) for cert, name in zip(certs, names)]
    replies = in_parallel(Renewing.run, fleet)
    assert all(r is not None and r.status == scepmsg.SUCCESS for r in replies)
    for renewing, reply in zip(fleet, replies):
        client.check_cert(reply, renewing.request)
    assert site.execute("SELECT count(*), count(DISTINCT subject) FROM scep.cert WHERE requester LIKE 'renewal%'") == [(FLEET, FLEET)]
    told = [t for renewing in fleet for t in renewing.told]
    assert told, "they did not come at once"
    assert all(1 <= t <= 2 * 2 * window + 10 for t in told) and len(set(told)) >= min(6, len(told) // 4), sorted(told)
    assert max(len(renewing.told) for renewing in fleet) <= 5
    busiest = site.execute("SELECT max((SELECT count(*) FROM scep.cert b WHERE b.requester LIKE 'renewal%%' AND b.issued_at >= a.issued_at "
                           "AND b.issued_at < a.issued_at + make_interval(secs => %s))) FROM scep.cert a", window)
    assert busiest[0][0] <= 2 * MOST
    n_windows = site.execute("SELECT extract(epoch FROM max(issued_at) - min(issued_at)) / %s + 2 FROM scep.cert "
                             "WHERE requester LIKE 'renewal%%'", window)[0][0]
    assert 1 <= len(audited(site, "throttle")) <= n_windows
