"""Roll-over of CA and RA by the clock, without a restart (RFC 8894, 4.7; P-44 to P-49, P-206)."""
import datetime
import os
import subprocess
import time

import der
import pytest
import rawhttp
import scepmsg
from asn1crypto import cms
from clients import CLIENTS
from cryptography import x509
from installation import Authority
from processes import DEADLINE, new_folder, run, wait_for
from scepmsg import Device, Request, csr
from windows import widening

RENEWALREQ, CERTPOLL = "17", "20"
NEXT_TYPE = "application/x-x509-next-ca-cert"


def date(moment):
    return datetime.datetime.utcfromtimestamp(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


def ini(pairs):
    """[next_ca] and [next_ra] of a CA and RA."""
    return {"next_ca": {"certificate": pairs.ca_cert, "key": pairs.ca_key}, "next_ra": {"certificate": pairs.ra_cert, "key": pairs.ra_key}}


class Stage:
    """A client of one profile, which speaks to the present or to the next pair and knows what it has to be answered by."""

    def __init__(self, client_of, site, front, profile, pair):
        self.client = client_of(site, front, f"/scep/{profile}", profile)
        self.client.trusted = self.client.to = [pair.ra]
        self.pair = pair

    def enrol(self, request=None, **how):
        request = request or self.client.request(**how)
        reply = self.client.send(request)
        assert reply.status == scepmsg.SUCCESS, f"{reply.fail_text}\n{self.client.front.logs()[-2000:]}"
        scepmsg.check_issued(reply.certs[0], self.pair.ca, request)
        return request.key, reply.certs[0]

    def refused(self, request, by):
        """The addressed pair opens nothing: whoever answers now says so."""
        self.client.trusted = [by.ra]
        try:
            return self.client.refused(request, scepmsg.BAD_REQUEST)
        finally:
            self.client.trusted = [self.pair.ra]

    def renew(self, old, common_name="device"):
        key, cert = old
        return self.enrol(Request(key, cert, [self.pair.ra], csr(Device.shared("renewed").key, common_name), message_type=RENEWALREQ))


@pytest.fixture(scope="module")
def next_pair(place, programs):
    """Another name, so that it shows who issued."""
    folder = new_folder("next-", place)
    run(programs / "scepter", "ca", "init", "--out", folder, "--key-type", "ec:p256", "--subject", "CN=Next CA,O=Example")
    run(programs / "scepter", "ca", "issue-ra", "--out", folder, "--ca-cert", folder / "ca.pem", "--ca-key", folder / "ca.key",
        "--subject", "CN=Next RA,O=Example")
    pair = Authority.__new__(Authority)
    pair.ca_cert, pair.ca_key, pair.ra_cert, pair.ra_key = (folder / n for n in ("ca.pem", "ca.key", "ra.pem", "ra.key"))
    return pair


@pytest.fixture(scope="module")
def stand(make_site, next_pair, client_of):
    """Profiles in the stages of a roll-over, told by their dates alone."""
    site, now, day = make_site(), int(time.time()), 86400
    pairs = ini(next_pair)

    def profile(announce, switch, overlap="30d", **more):
        dated = {**pairs["next_ca"], "announce": date(announce), "switch": date(switch), "overlap": overlap}
        return site.profile(next_ca=dated, next_ra=pairs["next_ra"], **more)
    site.profiles["planned"] = profile(now + 10 * day, now + 20 * day)
    site.profiles["announced"] = profile(now - day, now + 20 * day)
    site.profiles["switched"] = profile(now - 3 * day, now - 2 * day)
    site.profiles["over"] = profile(now - 3 * day, now - 2 * day, "1d")
    address = {"crl_url": "http://pki.example.com/scep/crls/crl/{ca}"}
    site.profiles["crls"] = profile(now - day, now + 20 * day, certificate=address, crl={"validity": "10m", "refresh": "5m"})
    front = site.start("lighttpd-socket")

    def stage(name, pair):
        return Stage(client_of, site, front, name, pair)
    yield site, next_pair, stage
    site.stop()


def get(stage, operation):
    return stage.client.get(f"operation={operation}")


# --- what is shown


def read_next(answer, signer):
    """The certificates of a GetNextCACert answer, of which every part is looked at."""
    signed = cms.ContentInfo.load(answer, strict=True)["content"]
    assert signed["encap_content_info"]["content_type"].dotted == scepmsg.ID_DATA and len(signed["signer_infos"]) == 1
    info = signed["signer_infos"][0]
    assert info["sid"].chosen.dump() == scepmsg.issuer_and_serial(signer)
    kinds = {a["type"].dotted for a in info["signed_attrs"]}
    assert kinds == {scepmsg.CONTENT_TYPE, scepmsg.MESSAGE_DIGEST}, "no SCEP attributes, no signingTime"
    inner = scepmsg.read_certs_only(signed["encap_content_info"]["content"].native)
    outer = [c.dump() for c in signed["certificates"]]
    assert outer == [signer, *inner], "jscep reads the outer certificates, sscep the inner ones (P-206)"
    return inner


def test_get_next_ca_cert(stand, tmp_path):
    site, following, stage = stand
    answer = get(stage("announced", site.authority), "GetNextCACert")
    assert (answer.status, answer.type) == (200, NEXT_TYPE)
    assert read_next(answer.body, site.authority.ra) == [following.ra, following.ca]
    verified = subprocess.run(["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-CAfile", str(site.authority.ca_cert), "-purpose",
                               "any"], input=answer.body, capture_output=True, check=True)
    assert scepmsg.read_certs_only(verified.stdout) == [following.ra, following.ca]
    changed = bytearray(answer.body)
    changed[answer.body.rindex(following.ca) + 40] ^= 1		# the outer copy is not signed, the inner one is
    changed[answer.body.index(following.ca) + 40] ^= 1
    failed = subprocess.run(["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-CAfile", str(site.authority.ca_cert), "-purpose",
                             "any"], input=bytes(changed), capture_output=True)
    assert failed.returncode != 0


@pytest.mark.parametrize("profile", ["default", "planned", "switched", "over"])
def test_nothing_to_show(stand, profile):
    site, following, stage = stand
    answer = get(stage(profile, site.authority), "GetNextCACert")
    assert answer.status == 404 and answer.type != NEXT_TYPE
    assert b"GetNextCACert" not in get(stage(profile, site.authority), "GetCACaps").body


def test_announced_in_caps(stand):
    site, _, stage = stand
    assert get(stage("announced", site.authority), "GetCACaps").body.split(b"\n").count(b"GetNextCACert") == 1


@pytest.mark.parametrize("profile, switched", [("planned", False), ("announced", False), ("switched", True), ("over", True)])
def test_get_ca_cert_follows_the_switch(stand, profile, switched):
    site, following, stage = stand
    pair = following if switched else site.authority
    assert scepmsg.read_certs_only(get(stage(profile, pair), "GetCACert").body) == [pair.ra, pair.ca]


# --- who answers whom


def test_recipient_selects_the_ca(stand):
    site, following, stage = stand
    for profile, present, coming in [("planned", True, False), ("announced", True, True), ("switched", True, True), ("over", False, True)]:
        switched = profile in ("switched", "over")
        for pair, served in ((site.authority, present), (following, coming)):
            at = stage(profile, pair)
            if served:
                at.enrol(label=f"{profile}-{pair is following}")
            else:
                at.refused(at.client.request(), following if switched else site.authority)


def test_a_broken_message_is_refused_by_who_it_is_for(stand):
    """A device that knows only the old RA has to be able to read why it is refused."""
    site, following, stage = stand
    for pair in (site.authority, following):
        at = stage("switched", pair)
        at.client.refused(at.client.request(challenge="wrong"), scepmsg.BAD_REQUEST)
        request = at.client.request()
        broken = request.encode()
        at.client.refused(request, scepmsg.BAD_MESSAGE_CHECK, broken[:-1] + bytes([broken[-1] ^ 1]))


def test_each_ca_has_its_crl_at_its_own_address(stand):
    """{ca} in crl_url: what checks a certificate finds the CRL of the CA that issued it, before and after the switch."""
    site, next_pair, stage = stand
    seen = set()
    for pair in (site.authority, next_pair):
        cert = x509.load_der_x509_certificate(stage("crls", pair).enrol()[1])
        point = cert.extensions.get_extension_for_class(x509.CRLDistributionPoints).value[0].full_name[0].value
        answer = rawhttp.get(stage("crls", pair).client.front.port, point.removeprefix("http://pki.example.com"))
        assert answer.status == 200 and answer.type == "application/pkix-crl", answer.body
        crl = x509.load_der_x509_crl(answer.body)
        assert crl.issuer == cert.issuer and crl.is_signature_valid(x509.load_der_x509_certificate(pair.ca).public_key())
        seen.add(point)
    assert len(seen) == 2
    assert rawhttp.get(stage("crls", next_pair).client.front.port, "/scep/crls/crl/00ff").status == 404


def test_renewal_across(stand):
    """What the CA before issued renews under the next one, and the other way round while both answer."""
    site, following, stage = stand
    before, after = stage("switched", site.authority), stage("switched", following)
    old = before.enrol(label="device")
    after.renew(old)
    before.renew(old)
    before.renew(after.enrol(label="device"))
    other = stage("announced", following)	# another profile's certificate does not renew there
    other.client.refused(Request(old[0], old[1], [following.ra], csr(Device.shared("renewed").key, "device"), message_type=RENEWALREQ),
                         scepmsg.BAD_REQUEST)


@pytest.fixture(scope="module")
def namesake(make_site, client_of, place, programs):
    """A switched roll-over where the next CA has the name of the first, as `ca rollover` makes it; and the pair."""
    site, folder, now = make_site(), new_folder("namesake-", place), int(time.time())
    following = Authority.__new__(Authority)
    following.ca_cert, following.ca_key, following.ra_cert, following.ra_key = (folder / n for n in ("ca.pem", "ca.key", "ra.pem", "ra.key"))
    subject = x509.load_der_x509_certificate(site.authority.ca).subject.rfc4514_string()
    run(programs / "scepter", "ca", "init", "--out", folder, "--key-type", "ec:p256", "--subject", subject)
    run(programs / "scepter", "ca", "issue-ra", "--out", folder, "--ca-cert", following.ca_cert, "--ca-key", following.ca_key, "--subject", "CN=Next RA")
    pairs = ini(following)
    dated = {**pairs["next_ca"], "announce": date(now - 86400), "switch": date(now - 3600), "overlap": "30d"}
    site.profiles["default"] = site.profile(next_ca=dated, next_ra=pairs["next_ra"])
    front = site.start("lighttpd-socket")
    return site, following, lambda name, pair: Stage(client_of, site, front, name, pair)


@pytest.mark.parametrize("names", ["other", "same"])
def test_get_cert_and_get_crl_across(request, names):
    """What the CA before issued is found through the RA of now, and the other way round; the CRL is that of the CA which issued."""
    site, following, stage = request.getfixturevalue("stand" if names == "other" else "namesake")
    profile = "switched" if names == "other" else "default"
    for issuer in (site.authority, following):
        key, cert = stage(profile, issuer).enrol(label=f"lookup-{names}")
        wanted, ca = x509.load_der_x509_certificate(cert), x509.load_der_x509_certificate(issuer.ca)
        plain = der.seq(wanted.issuer.public_bytes(), der.integer(wanted.serial_number))
        for asked in (site.authority, following):
            client = stage(profile, asked).client
            reply = client.send(Request(key, cert, [asked.ra], plain, message_type="21"))
            assert reply.status == scepmsg.SUCCESS and reply.certs == [cert]
            reply = client.send(Request(key, cert, [asked.ra], plain, message_type="22"))
            assert reply.status == scepmsg.SUCCESS
            assert x509.load_der_x509_crl(reply.certs[0]).is_signature_valid(ca.public_key())
            client.refused(Request(key, cert, [asked.ra], der.seq(scepmsg.name("another"), der.integer(wanted.serial_number)), message_type="21"),
                           scepmsg.BAD_CERT_ID)
    odd = Device.shared("odd").key
    stage(profile, following).client.refused(Request(odd, scepmsg.self_signed(odd, "odd"), [following.ra], plain, message_type="21"),
                                             scepmsg.BAD_CERT_ID)


def test_after_the_profile_was_tidied_up(make_site, next_pair, client_of):
    """[next_ca] has become [ca]; the old CA is known by its certificate, the old RA still opens."""
    site = make_site()
    old = site.authority
    site.profiles["tidy"] = site.profile()
    front = site.start("lighttpd-socket")
    held = Stage(client_of, site, front, "tidy", old).enrol(label="device")
    front.stop()
    site.running.remove(front)
    tidy = site.profile(ca={"certificate": next_pair.ca_cert, "key": next_pair.ca_key}, ra={"certificate": next_pair.ra_cert,
                        "key": next_pair.ra_key}, old_ra={"certificate": old.ra_cert, "key": old.ra_key})
    site.profiles["without"] = tidy
    site.profiles["tidy"] = {**tidy, "old_ca": {"certificate": old.ca_cert}}
    front = site.start("lighttpd-socket")
    Stage(client_of, site, front, "tidy", next_pair).renew(held)
    held_cert = x509.load_der_x509_certificate(held[1])
    asks = Request(*held, [next_pair.ra], der.seq(held_cert.issuer.public_bytes(), der.integer(held_cert.serial_number)), message_type="21")
    assert Stage(client_of, site, front, "tidy", next_pair).client.send(asks).certs == [held[1]]
    through_old_ra = Stage(client_of, site, front, "tidy", next_pair)
    through_old_ra.client.to = through_old_ra.client.trusted = [old.ra]
    through_old_ra.enrol(label="slow")		# answered by the RA that it knows, issued by the CA there is
    without = Stage(client_of, site, front, "without", next_pair)
    without.client.refused(Request(*held, [next_pair.ra], csr(Device.shared("renewed").key, "device"), message_type=RENEWALREQ),
                           scepmsg.BAD_REQUEST)
    site.stop()


# --- the switch itself, by the clock of running workers


class RollOver:
    """As doc/ROLLOVER.md has it: `ca rollover`, its lines into the profile, and then only time passes; to switch in so many seconds."""

    def __init__(self, site, client_of, seconds):
        self.site, self.client_of, self.present = site, client_of, site.authority
        self.switch = int(time.time()) + seconds
        self.announce = self.switch - seconds // 2

    def plan(self):
        site, out = self.site, new_folder("rolled-", self.site.folder)
        said = site.json("ca", "rollover", "--profile", "default", "--out", out, "--announce", date(self.announce), "--switch",
                         date(self.switch), "--subject", "CN=Rolled CA,O=Example")
        self.following = Authority.__new__(Authority)
        self.following.ca_cert, self.following.ca_key = out / os.path.basename(said["next_ca"]["certificate_file"]), None
        self.following.ra_cert = out / os.path.basename(said["next_ra"]["certificate_file"])
        for section in said["settings"].split("\n\n"):
            name, *lines = section.strip().split("\n")
            site.profiles["default"][name.strip("[]")] = dict(line.split(" = ", 1) for line in lines)
        site.profiles["default"]["approval"] = {"mode": "unless-one-time"}
        self.front = site.start("lighttpd-socket")
        self.pids = self.front.responder.all_workers()
        self.old, self.new = (Stage(self.client_of, site, self.front, "default", pair) for pair in (self.present, self.following))

    def announced(self):
        """Whether the next CA is shown."""
        return get(self.old, "GetNextCACert").status == 200

    def before_the_switch(self):
        """What has to be done before it: a certificate, and requests that will wait across it."""
        self.plan()
        early, moment = self.announced(), time.time()
        assert not early or moment >= self.announce
        self.held = self.old.enrol(label="before")
        self.waiting, self.polling = (self.old.client.request(label=label, challenge=None) for label in ("waits", "polls"))
        for request in (self.waiting, self.polling):
            assert self.old.client.send(request).status == scepmsg.PENDING
        wait_for(lambda: self.announced() or time.time() >= self.switch, "the next CA to be announced")
        assert time.time() >= self.announce
        assert read_next(get(self.old, "GetNextCACert").body, self.present.ra) == [self.following.ra, self.following.ca]
        self.new.enrol(label="early")
        self.old.enrol(label="late")

    def in_time(self):
        """Does that; False when the switch came too early to tell anything."""
        try:
            self.before_the_switch()
        except Exception:
            if time.time() < self.switch:
                raise
        return time.time() < self.switch


def test_a_roll_over(make_site, client_of):
    def before_a_switch(seconds):
        made = RollOver(make_site(), client_of, seconds)
        if made.in_time():
            return made
        return made.site.stop()
    roll = widening(before_a_switch, 12, 30, 75, 190, 480)
    site = roll.site
    present, following, front, old, new = roll.present, roll.following, roll.front, roll.old, roll.new
    shown = set()

    def switched():
        shown.add(get(old, "GetCACert").body)
        return not roll.announced()
    wait_for(switched, "the switch", DEADLINE + roll.switch - time.time())
    assert time.time() >= roll.switch
    for _ in range(8):		# every worker
        assert scepmsg.read_certs_only(get(new, "GetCACert").body) == [following.ra, following.ca]
    assert len(shown) <= 2
    new.renew(roll.held, "before")
    old.enrol(label="slow")
    for client in ("strongswan-pki", "scepter"):
        folder = new_folder("client-", site.folder)
        site.authority = following
        try:
            cert = CLIENTS[client](site, front.url, folder, site.challenge(), f"rolled-{client}")
        finally:
            site.authority = present
        assert scepmsg.x509.load_der_x509_certificate(cert).issuer.rfc4514_string() == "CN=Rolled CA,O=Example"
    # requests that waited across the switch: one asks the RA that it knows, one has fetched the new certificates and polls
    for request in site.json("request", "list"):
        site.run("request", "approve", request["id"])
    issuer = scepmsg.x509.load_der_x509_certificate(present.ca).subject.public_bytes()
    poll = roll.polling.but(message_type=CERTPOLL, plain=der.seq(issuer, scepmsg.name("polls")), nonce=os.urandom(16), recipients=[following.ra])
    reply = new.client.send(poll)
    assert reply.status == scepmsg.SUCCESS
    scepmsg.check_issued(reply.certs[0], following.ca, roll.polling)
    reply = old.client.send(roll.waiting.but(nonce=os.urandom(16)))
    assert reply.status == scepmsg.SUCCESS
    scepmsg.check_issued(reply.certs[0], present.ca, roll.waiting)
    assert front.responder.workers() == roll.pids, "no restart"
    site.stop()


def test_check_tells_of_a_plan_that_is_wrong(make_site, next_pair):
    site, now = make_site(), int(time.time())
    pairs = ini(next_pair)
    wrong = {**pairs["next_ra"], "key": site.authority.ra_key}
    site.profiles["default"] = site.profile(next_ca={**pairs["next_ca"], "announce": date(now), "switch": date(now + 99999)}, next_ra=wrong)
    site.write()
    done = site.run("check", check=False, ini=site.ini)
    assert done.returncode == 3 and "[next_ra] key: the RA key does not belong to the RA certificate" in done.stderr
    site.stop()
