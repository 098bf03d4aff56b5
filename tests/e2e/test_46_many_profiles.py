"""Fifty profiles in one responder, each with a CA, an RA and a secret of its own: none lets in, renews, shows or answers for another's."""
import concurrent.futures
import os
import re
import time
from pathlib import Path

import der
import pytest
import rawhttp
import scepmsg
from cryptography import x509
from installation import Authority
from processes import new_folder, run, write
from scepmsg import BAD_CERT_ID, BAD_REQUEST, Device, Request, csr

RENEWALREQ, PKCSREQ, CERTPOLL, GETCERT, GETCRL = "17", "19", "20", "21", "22"
N = 50
NAMES = [f"p{i:02d}" for i in range(N)]
WAIT = set(NAMES[40:])		# static challenges have to be approved there
SHIFTS = (1, 7, 25)		# whom each profile is tried against; every one against every other with the static challenge
PAIRS = [(NAMES[i], NAMES[(i + shift) % N]) for shift in SHIFTS for i in range(N)]


def authority(place, scepter, name):
    folder = new_folder("many-", place)
    run(scepter, "ca", "init", "--out", folder, "--key-type", "ec:p256", "--subject", f"CN=CA of {name}")
    run(scepter, "ca", "issue-ra", "--out", folder, "--ca-cert", folder / "ca.pem", "--ca-key", folder / "ca.key", "--subject", f"CN=RA of {name}")
    made = Authority.__new__(Authority)
    made.ca_cert, made.ca_key, made.ra_cert, made.ra_key = (folder / f for f in ("ca.pem", "ca.key", "ra.pem", "ra.key"))
    return made


class One:
    """A profile, as a device of it and as somebody who tries the door."""

    def __init__(self, client, name, pair):
        self.client, self.name, self.ca, self.ra, self.secret = client, name, pair.ca, pair.ra, f"secret-of-{name}"
        self.client.trusted = self.client.to = [self.ra]
        self.held = self.transaction = None

    def static(self, label="device", secret=None):
        return Device.shared(label).request([self.ra], secret or self.secret)

    def send(self, request):
        return self.client.send(request)

    def enrol(self, request):
        reply = self.send(request)
        assert reply.status == scepmsg.SUCCESS, (self.name, reply)
        scepmsg.check_issued(reply.certs[0], self.ca, request)
        return request.key, reply.certs[0]

    def refuses(self, request, fail_info):
        reply = self.send(request)
        assert (reply.status, reply.fail_info, reply.certs) == (scepmsg.FAILURE, fail_info, []), (self.name, reply)

    def signed_by(self, holder, message_type, plain, **how):
        return Request(*holder, [self.ra], plain, message_type=message_type, **how)


@pytest.fixture(scope="module")
def many(make_site, client_of, place, programs, record_testsuite_property):
    site = make_site()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        pairs = dict(zip(NAMES, pool.map(lambda name: authority(place, programs / "scepter", name), NAMES)))
    del site.profiles["default"]
    for name, pair in pairs.items():
        secret = write(site.folder / f"{name}.secret", f"secret-of-{name}\n", 0o600)
        site.profiles[name] = site.profile(
            ca={"certificate": pair.ca_cert, "key": pair.ca_key}, ra={"certificate": pair.ra_cert, "key": pair.ra_key},
            enrol={"static_challenge_file": secret, "one_time_challenge": "yes"}, lookup={"getcert": "issued"},
            approval={"mode": "unless-one-time" if name in WAIT else "auto"}, crl={"validity": "1h", "refresh": "30m"})
    begun = time.monotonic()
    front = site.start("lighttpd-socket")
    started = time.monotonic() - begun
    profiles = {name: One(client_of(site, front, f"/scep/{name}", name), name, pairs[name]) for name in NAMES}
    for p in profiles.values():
        request = Device.shared("device").request([p.ra], site.challenge(profile=p.name))
        p.held, p.transaction = p.enrol(request), request
    memory = [int(re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M).group(1))
              for pid in front.responder.workers()]
    print(f"\n{N} profiles: started, with the web server, in {started:.2f} s; memory of each worker (Pss): {memory} KiB")
    record_testsuite_property("many_profiles_start_s", round(started, 2))
    record_testsuite_property("many_profiles_worker_pss_kib", memory)
    return site, front, profiles


def test_each_shows_its_own(many):
    _, front, profiles = many
    for p in profiles.values():
        assert scepmsg.read_certs_only(p.client.get("operation=GetCACert").body) == [p.ra, p.ca]
        crl = x509.load_der_x509_crl(rawhttp.get(front.port, f"/scep/{p.name}/crl").body)
        assert crl.is_signature_valid(x509.load_der_x509_certificate(p.ca).public_key())


def test_each_lets_in_with_its_own_secret(many):
    _, _, profiles = many
    for p in profiles.values():
        request = p.static("own")
        if p.name in WAIT:
            assert p.send(request).status == scepmsg.PENDING
        else:
            p.enrol(request)


def test_no_static_challenge_opens_another(many):
    """Every profile against every other. Two devices at a time."""
    site, _, profiles = many
    before = len(site.certs())

    def attack(p):
        for q in profiles.values():
            if q is not p:
                q.refuses(q.static("thief", p.secret), BAD_REQUEST)
    Device.shared("thief")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(attack, profiles.values()))
    assert len(site.certs()) == before and not [r for r in site.json("request", "list") if "thief" in r["subject"]]


def test_no_one_time_challenge_opens_another(many):
    site, _, profiles = many
    challenge = {name: site.challenge(profile=name) for name in NAMES}
    for p, q in PAIRS:
        profiles[q].refuses(Device.shared("thief").request([profiles[q].ra], challenge[p]), BAD_REQUEST)
    for p in NAMES:		# and is not used up by being tried
        profiles[p].enrol(Device.shared("late").request([profiles[p].ra], challenge[p]))


@pytest.mark.parametrize("message_type", [RENEWALREQ, PKCSREQ])
def test_no_certificate_renews_in_another(many, message_type):
    _, _, profiles = many
    for p, q in PAIRS:
        plain = csr(Device.shared("renewed").key, "device")
        profiles[q].refuses(profiles[q].signed_by(profiles[p].held, message_type, plain), BAD_REQUEST)


def test_each_renews_its_own(many):
    _, _, profiles = many
    for p in profiles.values():
        p.enrol(p.signed_by(p.held, RENEWALREQ, csr(Device.shared("renewed").key, "device")))


def test_no_poll_finds_what_another_issued(many):
    """With the names that fit either profile: what the other one issued, and what waits there."""
    _, _, profiles = many
    waiting = {}
    for name in WAIT:
        waiting[name] = profiles[name].static("waits")
        assert profiles[name].send(waiting[name]).status == scepmsg.PENDING
    for p, q in PAIRS:
        for request, subject in ((profiles[p].transaction, "device"), (waiting.get(p), "waits")):
            for ca in (profiles[p].ca, profiles[q].ca):
                if request is None:
                    continue
                issuer = x509.load_der_x509_certificate(ca).subject.public_bytes()
                poll = request.but(message_type=CERTPOLL, plain=der.seq(issuer, scepmsg.name(subject)), nonce=os.urandom(16),
                                   recipients=[profiles[q].ra])
                profiles[q].refuses(poll, BAD_CERT_ID)


def test_no_get_cert_shows_what_another_issued(many):
    """Neither to its holder nor to a device of the profile that is asked."""
    _, _, profiles = many
    for p, q in PAIRS:
        held = x509.load_der_x509_certificate(profiles[p].held[1])
        plain = der.seq(held.issuer.public_bytes(), der.integer(held.serial_number))
        renamed = der.seq(x509.load_der_x509_certificate(profiles[q].ca).subject.public_bytes(), der.integer(held.serial_number))
        for holder in (profiles[p].held, profiles[q].held):
            for question in (plain, renamed):
                profiles[q].refuses(profiles[q].signed_by(holder, GETCERT, question), BAD_CERT_ID)
        crl = der.seq(x509.load_der_x509_certificate(profiles[p].ca).subject.public_bytes(), der.integer(held.serial_number))
        profiles[q].refuses(profiles[q].signed_by(profiles[q].held, GETCRL, crl), BAD_CERT_ID)


def test_no_message_for_another_ra_is_opened(many):
    """Also one that was already answered at its own place."""
    _, _, profiles = many
    for p, q in PAIRS:
        profiles[q].refuses(profiles[p].transaction.but(nonce=os.urandom(16)), BAD_REQUEST)
        to_p = Device.shared("thief").request([profiles[p].ra], profiles[q].secret)
        profiles[q].refuses(to_p, BAD_REQUEST)


def test_the_same_request_is_another_one_elsewhere(many):
    """One key, one PKCS#10, one transaction id: each profile issues its own certificate and repeats its own."""
    _, _, profiles = many
    certs = {}
    for p in list(profiles.values())[:10]:
        request = p.static("everywhere").but(txid="the same")
        certs[p.name] = p.enrol(request)[1]
        assert p.send(request.but(nonce=os.urandom(16))).certs == [certs[p.name]]
    assert len(set(certs.values())) == 10


def test_no_crl_of_another_under_its_path(many):
    _, front, profiles = many
    for p, q in PAIRS[:N]:
        key_id = x509.load_der_x509_certificate(profiles[p].ca).extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest.hex()
        assert rawhttp.get(front.port, f"/scep/{p}/crl/{key_id}").status == 200
        assert rawhttp.get(front.port, f"/scep/{q}/crl/{key_id}").status == 404


def test_zz_every_certificate_is_where_it_belongs(many):
    """Last: after all that was tried, what the database holds of each profile was issued by its CA."""
    site, _, profiles = many
    rows = site.execute("SELECT profile, der FROM scep.cert")
    assert {p for p, _ in rows} == set(NAMES)
    for name, cert in rows:
        assert x509.load_der_x509_certificate(bytes(cert)).issuer.rfc4514_string() == f"CN=CA of {name}"
    listed = {row["name"]: row for row in site.json("profile", "list")}
    assert {name: row["issued"] for name, row in listed.items()} == {n: sum(p == n for p, _ in rows) for n in NAMES}
