"""SIGHUP: every file that a profile names is read again; profiles come, change and go, and no request is lost."""
import os
import re
import signal
import threading

import der
import fcgi_client as fc
import pytest
import rawhttp
import scepmsg
from cryptography import x509
from installation import Authority
from processes import new_folder, run, wait_for, write
from reload import REFUSED, put, reload, reload_whole, text
from scepmsg import BAD_REQUEST, Device, Request, csr
from test_33_takeover import OldCa

RENEWALREQ, CERTPOLL = "17", "20"


def issue_ra(site, authority, *how):
    folder = new_folder("ra-", site.folder)
    run(site.scepter, "ca", "issue-ra", "--out", folder, "--ca-cert", authority.ca_cert, "--ca-key", authority.ca_key, *how)
    return folder


@pytest.fixture(scope="module")
def other(place, programs):
    """Another CA with its RA."""
    return Authority(new_folder("other-", place), programs / "scepter", "ec:p256")


def shown(client):
    return scepmsg.read_certs_only(client.get("operation=GetCACert").body)


def certs(folder, *names):
    return [scepmsg.certificate((folder / name).read_bytes()) for name in names]


# --- every file: what is seen of it before, what is exchanged, what is seen after


class Exchange:
    """A profile of its own whose files lie in a folder of its own."""

    def __init__(self, site, other, name):
        self.site, self.other, self.name = site, other, name
        self.folder, self.own = new_folder(f"{name}-", site.folder), site.authority
        self.pair("ca", site.authority)

    def pair(self, stem, authority):
        for what in ("ca", "ra"):
            put(self.folder / f"{stem}-{what}.pem", getattr(authority, f"{what}_cert"))
            put(self.folder / f"{stem}-{what}.key", getattr(authority, f"{what}_key"))

    def file(self, name, source):
        return put(self.folder / name, source)

    def keys(self, stem, what):
        return {"certificate": self.folder / f"{stem}-{what}.pem", "key": self.folder / f"{stem}-{what}.key"}

    def profile(self, **sections):
        return self.site.profile(ca=self.keys("ca", "ca"), ra=self.keys("ca", "ra"), **sections)


class CaAndRa(Exchange):
    """[ca] certificate, [ca] key, [ra] certificate, [ra] key"""

    def settings(self):
        return self.profile()

    def before(self, client):
        assert shown(client) == [self.own.ra, self.own.ca]

    def change(self):
        self.pair("ca", self.other)

    def after(self, client):
        assert shown(client) == [self.other.ra, self.other.ca]
        client.to = client.trusted = [self.other.ra]
        request = client.request(label=self.name)
        scepmsg.check_issued(client.send(request).certs[0], self.other.ca, request)


class SigningRa(Exchange):
    """[ra] certificate, [ra] key, [ra_sign] certificate, [ra_sign] key"""

    def settings(self):
        self.take()
        return {**self.profile(ra_sign=self.keys("sign", "ra")), "ra": self.keys("open", "ra")}

    def take(self):
        for usage, stem, made in (("encrypt", "open", "ra"), ("sign", "sign", "ra-sign")):
            folder = issue_ra(self.site, self.own, "--for", usage)
            self.file(f"{stem}-ra.pem", folder / f"{made}.pem")
            self.file(f"{stem}-ra.key", folder / f"{made}.key")
        self.now = certs(self.folder, "open-ra.pem", "sign-ra.pem")

    def before(self, client):
        assert shown(client) == [*self.now, self.own.ca]

    def change(self):
        self.take()

    def after(self, client):
        assert shown(client) == [*self.now, self.own.ca]
        client.to, client.trusted = self.now[:1], self.now[1:]
        client.enrol(label=self.name)


class Chain(Exchange):
    """[ca] chain"""

    def settings(self):
        at = {name: new_folder(f"{name}-", self.site.folder) for name in ("root", "middle", "below")}

        def make(name, *how):
            run(self.site.scepter, "ca", "init", "--out", at[name], "--key-type", "ec:p256", "--subject", f"CN={name}", *how)
        make("root")
        make("middle", "--parent-cert", at["root"] / "ca.pem", "--parent-key", at["root"] / "ca.key", "--path-length", "1")
        make("below", "--parent-cert", at["middle"] / "ca.pem", "--parent-key", at["middle"] / "ca.key")
        ra = new_folder("ra-", self.site.folder)
        run(self.site.scepter, "ca", "issue-ra", "--out", ra, "--ca-cert", at["below"] / "ca.pem", "--ca-key", at["below"] / "ca.key")
        self.at, self.all = at, [*certs(ra, "ra.pem"), *(certs(at[n], "ca.pem")[0] for n in ("below", "middle", "root"))]
        chain = self.file("chain.pem", at["middle"] / "ca.pem")
        return self.site.profile(ca={"certificate": at["below"] / "ca.pem", "key": at["below"] / "ca.key", "chain": chain},
                                 ra={"certificate": ra / "ra.pem", "key": ra / "ra.key"})

    def before(self, client):
        assert shown(client) == self.all[:3]

    def change(self):
        self.file("chain.pem", write(self.folder / "both.pem", b"".join((self.at[n] / "ca.pem").read_bytes() for n in ("middle", "root"))))

    def after(self, client):
        assert shown(client) == self.all


class Secrets(Exchange):
    """[enrol] static_challenge_file"""

    def settings(self):
        return self.profile(enrol={"static_challenge_file": write(self.folder / "secrets", "the-first\n", 0o600)})

    def before(self, client):
        client.enrol(label="secret-1", challenge="the-first")
        client.refused(client.request(challenge="the-second"), BAD_REQUEST)

    def change(self):
        write(self.folder / "secrets", "the-second\n", 0o600)

    def after(self, client):
        client.enrol(label="secret-2", challenge="the-second")
        client.refused(client.request(challenge="the-first"), BAD_REQUEST)


class FormerRas(Exchange):
    """[old_ra] certificate, [old_ra] key, [older_ra] certificate, [older_ra] key"""

    def settings(self):
        self.ras = [issue_ra(self.site, self.own) for _ in range(4)]
        self.put(self.ras[:2])
        return self.profile(old_ra=self.keys("old", "ra"), older_ra=self.keys("older", "ra"))

    def put(self, ras):
        for stem, ra in zip(("old", "older"), ras):
            self.file(f"{stem}-ra.pem", ra / "ra.pem")
            self.file(f"{stem}-ra.key", ra / "ra.key")

    def try_all(self, client, opened):
        for ra in self.ras:
            client.to = certs(ra, "ra.pem")
            client.trusted = client.to if ra in opened else [self.own.ra]
            request = client.request(label=self.name)
            if ra in opened:
                client.enrol(request)
            else:
                client.refused(request, BAD_REQUEST)

    def before(self, client):
        self.try_all(client, self.ras[:2])

    def change(self):
        self.put(self.ras[2:])

    def after(self, client):
        self.try_all(client, self.ras[2:])


class NextCa(Exchange):
    """[next_ca] certificate, [next_ca] key, [next_ra] certificate, [next_ra] key"""

    def settings(self):
        self.pair("next", self.other)
        return self.profile(next_ca={**self.keys("next", "ca"), "announce": "2020-01-01"}, next_ra=self.keys("next", "ra"))

    def issues(self, client, pair):
        client.to = client.trusted = [pair.ra]
        request = client.request(label=self.name)
        scepmsg.check_issued(client.send(request).certs[0], pair.ca, request)

    def before(self, client):
        self.issues(client, self.other)

    def change(self):
        self.third = Authority(new_folder("third-", self.site.folder), self.site.scepter, "ec:p384")
        self.pair("next", self.third)

    def after(self, client):
        self.issues(client, self.third)
        answer = client.get("operation=GetNextCACert").body
        assert self.third.ca in answer and self.other.ca not in answer


class OldCaFile(Exchange):
    """[old_ca] certificate"""

    def settings(self):
        self.pair("next", self.other)
        return self.profile(next_ca={**self.keys("next", "ca"), "announce": "2020-01-01"}, next_ra=self.keys("next", "ra"))

    def before(self, client):
        """What the other CA issued here; then the profile knows of that CA by [old_ca] alone."""
        client.to = client.trusted = [self.other.ra]
        request = client.request(label=self.name)
        self.held = request.key, client.send(request).certs[0]
        client.to = client.trusted = [self.own.ra]
        old = self.file("old-ca.pem", self.own.ca_cert)
        self.site.profiles[self.name] = self.profile(old_ca={"certificate": old})
        self.site.write()
        reload_whole(client.front)
        client.refused(self.renewal(client), BAD_REQUEST)

    def renewal(self, client):
        return Request(*self.held, [self.own.ra], csr(Device.shared("renewed").key, self.name), message_type=RENEWALREQ)

    def change(self):
        self.file("old-ca.pem", self.other.ca_cert)

    def after(self, client):
        client.enrol(self.renewal(client))


class FormerProduct(Exchange):
    """[renewal] renew_from, [renewal] renew_from_crl"""

    def settings(self):
        self.first, self.second = (OldCa(new_folder("product-", self.site.folder) / name, f"/O=Example/CN={name}") for name in ("one", "two"))
        self.devices = [self.first.device("kept"), self.first.device("thief"), self.second.device("late")]
        self.put(self.first)
        return self.profile(renewal={"renew_from": self.folder / "former.pem", "renew_from_crl": self.folder / "former.crl",
                                     "renew_from_until": "2099-01-01"})

    def put(self, *cas):
        for name, of in (("former.pem", "ca.pem"), ("former.crl", "crl.pem")):
            self.file(name, write(self.folder / "all", b"".join((ca.folder / of).read_bytes() for ca in cas)))

    def renew(self, client, expected):
        for device, good in zip(self.devices, expected):
            request = Request(device.key, device.cert, [self.own.ra], csr(Device.shared("renewed").key, device.label), message_type=RENEWALREQ)
            if good:
                client.enrol(request)
            else:
                client.refused(request, BAD_REQUEST)

    def before(self, client):
        self.renew(client, [True, True, False])

    def change(self):
        self.first.revoke("thief")
        self.first.crl()
        self.put(self.first, self.second)

    def after(self, client):
        self.renew(client, [True, False, True])


FILES = {kind.__doc__.split(",")[0] + (" ..." if "," in kind.__doc__ else ""): kind
         for kind in (CaAndRa, SigningRa, Chain, Secrets, FormerRas, NextCa, OldCaFile, FormerProduct)}
TOKENS_ONLY = {(section, "pin_file") for section in ("ca", "ra", "ra_sign", "next_ca", "next_ra", "next_ra_sign", "old_ra", "older_ra")}
AS_THE_PRESENT = {("next_ca", "chain"), ("next_ra_sign", "certificate"), ("next_ra_sign", "key")}	# one function reads both


@pytest.fixture(scope="module")
def exchanges(make_site, other, client_of):
    site = make_site()
    made = {}
    for n, (what, kind) in enumerate(FILES.items()):
        made[what] = kind(site, other, f"x{n}")
        site.profiles[made[what].name] = made[what].settings()
    front = site.start("lighttpd-socket")
    return lambda what: (made[what], client_of(site, front, f"/scep/{made[what].name}", made[what].name))


@pytest.mark.parametrize("what", FILES)
def test_a_file_is_read_again(exchanges, what):
    exchange, client = exchanges(what)
    exchange.before(client)
    exchange.change()
    reload_whole(client.front)
    exchange.after(client)


def test_every_file_of_the_sections_with_keys_is_in_the_table(exchanges):
    exchange, client = exchanges(next(iter(FILES)))
    known = {tuple(name.strip("[ ").split("] ")) for kind in FILES.values() for name in kind.__doc__.split(",")}
    named = {(section, key) for section, settings in client.site.json("profile", "show", "default")["settings"].items()
             for key in settings if section in {s for s, _ in known | TOKENS_ONLY} and
             (key in ("certificate", "key", "pin_file", "chain") or key.endswith("_file") or key.startswith("renew_from") and
              not key.endswith("until"))}
    assert named - known - TOKENS_ONLY - AS_THE_PRESENT == set()


def test_scepter_ini_and_the_pepper_are_read_again(site, client_of):
    front = site.start("lighttpd-socket")
    client = client_of(site, front)
    challenge = client.challenge()
    big = b"\x30" * 200000
    assert client.post_raw(big).status == 400
    site.server["server"].update(max_body="64k", workers=3)
    write(site.folder / "pepper", os.urandom(32).hex() + "\n", 0o600)		# another one: it knows none of the old challenges
    site.write()
    reload_whole(front, 3)
    assert client.post_raw(big).status == 413
    client.refused(client.request(challenge=challenge), BAD_REQUEST)


def test_what_was_not_reloaded_is_not_taken_by_new_workers_either(site, client_of):
    """The old configuration goes on, says the log: also in workers that replace others."""
    front = site.start("lighttpd-socket")
    client = client_of(site, front)
    challenge = client.challenge()
    write(site.folder / "pepper", os.urandom(32).hex() + "\n", 0o600)
    write(site.ini, site.ini.read_text() + "[nonsense]\n", 0o640)
    reload(front, REFUSED)
    before = set(front.responder.workers())
    for worker in before:
        os.kill(worker, signal.SIGKILL)
    wait_for(lambda: len(w := front.responder.workers()) == 2 and not before & set(w), "new workers")
    client.enrol(challenge=challenge)


# --- a new RA


@pytest.mark.parametrize("split", [False, True], ids=["one-ra", "two-ras"])
def test_rotation_of_the_ra(site, client_of, split):
    """`ca rotate-ra` and a reload: the new one is announced; devices that know an older one are served by it until its date."""
    sign = None
    if split:
        folders = {usage: issue_ra(site, site.authority, "--for", usage) for usage in ("encrypt", "sign")}
        site.profiles["default"] = site.profile(
            ra={"certificate": folders["encrypt"] / "ra.pem", "key": folders["encrypt"] / "ra.key"},
            ra_sign={"certificate": folders["sign"] / "ra-sign.pem", "key": folders["sign"] / "ra-sign.key"})
        sign = certs(folders["sign"], "ra-sign.pem")
    front = site.start("lighttpd-socket")
    client = client_of(site, front)
    ras = [scepmsg.certificate(open(site.profiles["default"]["ra"]["certificate"], "rb").read())]
    out = new_folder("rotated-", site.folder)
    for _ in range(2):
        said = site.json("ca", "rotate-ra", "--profile", "default", "--out", out)
        ras.append(scepmsg.certificate(open(said["ra"]["certificate_file"], "rb").read()))
        assert shown(client)[0] == ras[-2], "nothing before the reload"
        reload_whole(front)
        assert shown(client) == [ras[-1], *(sign or []), site.authority.ca]
    for ra in ras:
        client.to, client.trusted = [ra], sign or [ra]
        client.enrol(label="rotated")
        client.refused(client.request(challenge="wrong"), BAD_REQUEST)
    # the date of the first one is reached: nothing but the clock
    profile = site.folder / "profiles.d" / "default.ini"
    head, older = profile.read_text().split("[older_ra]")
    write(profile, f"{head}[older_ra]{re.sub('until = .*', 'until = 2020-01-01', older)}", 0o640)
    reload_whole(front)
    client.to, client.trusted = [ras[0]], sign or [ras[-1]]
    client.refused(client.request(), BAD_REQUEST)
    client.to, client.trusted = [ras[1]], sign or [ras[1]]
    client.enrol(label="rotated")


# --- profiles come, change and go


def test_profiles_come_change_and_go(site, client_of):
    site.profiles["coming"] = site.profile(approval={"mode": "manual"}, certificate={"validity": "10d"})
    coming = site.profiles.pop("coming")
    front = site.start("lighttpd-socket")
    client = client_of(site, front, "/scep/coming", "coming")
    assert client.get("operation=GetCACaps").status == 404
    site.profiles["coming"] = coming
    site.write()
    reload_whole(front)
    request, second = client.request(label="waits", challenge=None), client.request(label="second", challenge=None)
    assert client.send(request).status == client.send(second).status == scepmsg.PENDING
    issuer = x509.load_der_x509_certificate(site.authority.ca).subject.public_bytes()

    def poll():
        return request.but(message_type=CERTPOLL, plain=der.seq(issuer, scepmsg.name("waits")), nonce=os.urandom(16))
    assert client.send(poll()).status == scepmsg.PENDING
    wait_for(lambda: rawhttp.get(front.port, "/scep/coming/crl").status == 200, "the CRL")
    gone = site.profiles.pop("coming")
    site.write()
    reload_whole(front)
    for answer in (client.post_raw(poll().encode()), client.get("operation=GetCACert"), rawhttp.get(front.port, "/scep/coming/crl")):
        assert answer.status == 404 and answer.type.startswith("text/plain"), "a plain 404"
    for waiting in site.json("request", "list"):
        if waiting["transaction"] == request.txid:
            site.run("request", "approve", waiting["id"])		# operators may decide meanwhile
    gone["certificate"]["validity"] = "5d"
    site.profiles["coming"] = gone
    site.write()
    reload_whole(front)
    reply = client.send(poll())
    assert reply.status == scepmsg.SUCCESS, "what waited is found again"
    client.check_cert(reply, request)
    assert (reply.cert.not_valid_after - reply.cert.not_valid_before).days == 5, "by the rules of now"
    assert client.send(second.but(nonce=os.urandom(16))).status == scepmsg.PENDING


class HalfSent:
    """A request at the responder's socket of which the end has not been sent yet."""

    def __init__(self, site, request, path):
        self.request = request
        whole = fc.request("POST", path=path, query="operation=PKIOperation", body=request.encode())
        self.socket, self.rest = fc.connect(site.socket, 60), whole[-200:]
        self.socket.sendall(whole[:-200])

    def end(self, trusted):
        self.socket.sendall(self.rest)
        answer = fc.receive(self.socket)
        self.socket.close()
        assert answer.status == 200 and answer.ended, answer.raw[:300]
        return scepmsg.read_reply(answer.body, self.request, trusted)


def holders(site, pids):
    """Those of the processes that have accepted a connection of the responder's socket, and not closed it."""
    lines = [line.split() for line in open("/proc/net/unix")]
    inodes = {f"socket:[{line[6]}]" for line in lines if line[-1] == str(site.socket) and line[5] == "03"}

    def target(pid, fd):
        try:
            return os.readlink(f"/proc/{pid}/fd/{fd}")
        except FileNotFoundError:	# closed meanwhile
            return None
    return {pid for pid in pids if inodes & {target(pid, fd) for fd in os.listdir(f"/proc/{pid}/fd")}}


def test_requests_under_way_end_under_the_old_configuration(site, client_of):
    """Each worker holds half a request of a profile that is then removed, and one whose RA changes."""
    site.profiles["leaving"] = site.profile()
    site.profiles["changing"] = site.profile()
    front = site.start("lighttpd-socket")
    clients = {name: client_of(site, front, f"/scep/{name}", name) for name in ("leaving", "changing")}
    before = set(front.responder.workers())
    half = {name: HalfSent(site, client.request(label=name), f"/scep/{name}") for name, client in clients.items()}
    wait_for(lambda: holders(site, before) == before, "both workers to have taken a request")
    del site.profiles["leaving"]
    folder = issue_ra(site, site.authority)
    site.profiles["changing"] = site.profile(ra={"certificate": folder / "ra.pem", "key": folder / "ra.key"})
    site.write()
    reload(front)
    for name, status in (("leaving", 404), ("changing", 200)):
        assert clients[name].get("operation=GetCACert").status == status
    assert shown(clients["changing"])[0] == certs(folder, "ra.pem")[0]
    assert before < set(front.responder.workers()), "the old ones have not finished"
    for name, request in half.items():
        reply = request.end([site.authority.ra])
        assert reply.status == scepmsg.SUCCESS
        clients[name].check_cert(reply, request.request)
    assert len(site.certs()) == 2
    wait_for(lambda: not before & set(front.responder.workers()), "the old workers to go")


def test_many_reloads_at_once(site, client_of):
    """Signals that come while a reload is under way: the last state is what is served, and no worker is left over."""
    front = site.start("lighttpd-socket")
    client = client_of(site, front)
    stop, failures = threading.Event(), []

    def ask():
        while not stop.wait(0.005):
            answer = client.get("operation=GetCACert")
            if answer.status != 200:
                failures.append(answer)
    asking = [threading.Thread(target=ask) for _ in range(3)]
    for thread in asking:
        thread.start()
    last = client_of(site, front, "/scep/last")
    for i in range(30):
        front.responder.process.send_signal(signal.SIGHUP)
    write(site.folder / "profiles.d" / "last.ini", site._text(site.profile()), 0o640)
    front.responder.process.send_signal(signal.SIGHUP)
    wait_for(lambda: all(last.get("operation=GetCACaps").status == 200 for _ in range(20)), "every worker to serve the last state")
    wait_for(lambda: len(front.responder.workers()) == 2, "the workers before it to go")
    stop.set()
    for thread in asking:
        thread.join()
    assert not failures


def test_a_bad_reload_goes_on_with_everything(site, client_of):
    """What waits, what renews and what is new go on when one profile of several cannot be loaded."""
    site.profiles["second"] = site.profile()
    front = site.start("lighttpd-socket")
    client = client_of(site, front)
    held = client.enrol(label="held")
    site.profiles["second"]["ra"] = {"certificate": site.authority.ra_cert, "key": site.authority.ca_key}
    site.profiles["third"] = site.profile()
    site.write()
    reload(front, REFUSED)
    assert "second.ini [ra] key: the RA key does not belong to the RA certificate" in text(front)
    client.enrol(label="new")
    client.enrol(Request(Device.shared("held").key, held.certs[0], [site.authority.ra], csr(Device.shared("renewed").key, "held"),
                         message_type=RENEWALREQ))
    client_of(site, front, "/scep/second", "second").enrol(label="other")
    assert client_of(site, front, "/scep/third", "third").get("operation=GetCACaps").status == 404
