"""Manual approval and polling (RFC 8894, 2.4, 2.5, 4.4; P-130 to P-144)."""
import contextlib
import os
import signal
import threading

import der
import pytest
import scepmsg
from clients import key_file
from processes import DEADLINE, new_folder, run, wait_for
from reload import reload_whole
from scepmsg import Device

CERTPOLL = "20"


@pytest.fixture(scope="module")
def waiting(make_site, client_of):
    site = make_site()
    site.profiles["manual"] = site.profile(approval={"mode": "manual"})
    site.profiles["two"] = site.profile(approval={"mode": "manual", "approvals": "2"})
    site.profiles["renewals"] = site.profile(approval={"mode": "manual", "renewals": "yes"})
    site.profiles["mixed"] = site.profile(approval={"mode": "unless-one-time"})
    site.profiles["full"] = site.profile(approval={"mode": "manual", "max_pending": "1"})
    site.profiles["revoking"] = site.profile(approval={"mode": "manual"}, renewal={"revoke_old": "yes", "revoke_old_after": "0s"})
    front = site.start("lighttpd-socket")
    yield lambda profile="manual": client_of(site, front, f"/scep/{profile}", profile)
    site.stop()


def pend(client, request):
    reply = client.send(request)
    assert reply.status == scepmsg.PENDING and reply.empty_content
    return reply


def request_id(client, request):
    return next(r["id"] for r in client.site.json("request", "list") if r["transaction"] == request.txid)


def poll(client, request, subject=None, issuer=None, **changes):
    """A CertPoll for the request's transaction."""
    cert = scepmsg.x509.load_der_x509_certificate(client.site.authority.ca)
    plain = der.seq(issuer or cert.subject.public_bytes(), subject or scepmsg.name("waits"))
    return request.but(message_type=CERTPOLL, plain=plain, nonce=os.urandom(16), **changes)


def new_request(client, challenge=None, **how):
    return client.request(label="waits", challenge=challenge, **how)


def test_pending_poll_approve_poll(waiting):
    client = waiting()
    request = new_request(client)
    pend(client, request)
    pend(client, poll(client, request))
    client.site.run("request", "approve", request_id(client, request))
    first = client.send(poll(client, request))
    assert first.status == scepmsg.SUCCESS
    client.check_cert(first, request)
    assert client.send(poll(client, request)).certs == first.certs, "a poll after a lost answer gives the same certificate"
    assert client.send(request.but(nonce=os.urandom(16))).certs == first.certs


def test_repeated_request_is_a_poll(waiting):
    """certmonger and micromdm poll by sending the PKCSReq again (P-202)."""
    client = waiting()
    request = new_request(client)
    pend(client, request)
    pend(client, request.but(nonce=os.urandom(16)))
    assert len([r for r in client.site.json("request", "list") if r["transaction"] == request.txid]) == 1
    client.site.run("request", "approve", request_id(client, request))
    client.enrol(request.but(nonce=os.urandom(16)))


def test_rejected_with_the_operators_words(waiting):
    client = waiting()
    request = new_request(client)
    pend(client, request)
    client.site.run("request", "reject", "--reason", "call the help desk", request_id(client, request))
    reply = client.refused(poll(client, request), scepmsg.BAD_REQUEST)
    assert reply.fail_text == "call the help desk"
    client.refused(request.but(nonce=os.urandom(16)), scepmsg.BAD_REQUEST)


def test_two_people(waiting):
    client = waiting("two")
    request = new_request(client)
    pend(client, request)
    waits = request_id(client, request)
    client.site.run("request", "approve", waits)
    pend(client, poll(client, request))
    again = client.site.run("request", "approve", waits, check=False)
    assert again.returncode == 1 and "somebody else" in again.stderr
    client.site.execute("SELECT scep.request_decide(%s, true, 'second', NULL, gen_random_uuid())", waits)	# somebody else's command
    assert client.send(poll(client, request)).status == scepmsg.SUCCESS


def test_all_ask_at_once(waiting):
    """Polls and resends race for the approved request on two workers: one certificate, and everybody gets it."""
    client = waiting()
    request = new_request(client)
    pend(client, request)
    client.site.run("request", "approve", request_id(client, request))
    got = []
    asks = [poll(client, request) if i % 2 else request.but(nonce=os.urandom(16)) for i in range(8)]
    threads = [threading.Thread(target=lambda a=a: got.append(client.send(a))) for a in asks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [r.status for r in got] == [scepmsg.SUCCESS] * 8 and len({tuple(r.certs) for r in got}) == 1
    assert client.site.execute("SELECT count(*) FROM scep.cert WHERE txid = %s", request.txid) == [(1,)]


def test_waits_through_a_reload(site, client_of):
    """Also through one that ends approval in the profile: what was promised to wait for people still does."""
    site.profiles["default"] = site.profile(approval={"mode": "manual"})
    front = site.start("lighttpd-socket")
    client = client_of(site, front)
    request = new_request(client)
    pend(client, request)
    site.profiles["default"]["approval"]["mode"] = "auto"
    site.write()
    reload_whole(front)
    pend(client, poll(client, request))
    pend(client, request.but(nonce=os.urandom(16)))
    site.run("request", "approve", request_id(client, request))
    assert client.send(poll(client, request)).status == scepmsg.SUCCESS


@pytest.mark.parametrize("asks_again_by", ["poll", "resend"])
@pytest.mark.parametrize("revoked", [False, True])
def test_a_renewal_waits(waiting, asks_again_by, revoked):
    """Approval does not make good that the old certificate was revoked meanwhile."""
    client = waiting("renewals")
    first = new_request(client)
    pend(client, first)
    client.site.run("request", "approve", request_id(client, first))
    old = client.send(first).certs[0]
    renewal = scepmsg.Request(first.key, old, list(client.to), scepmsg.csr(Device.shared("new").key, "waits"), message_type="17")
    pend(client, renewal)
    client.site.run("request", "approve", request_id(client, renewal))
    if revoked:
        client.site.run("cert", "revoke", f"{scepmsg.x509.load_der_x509_certificate(old).serial_number:032x}")
    again = poll(client, renewal) if asks_again_by == "poll" else renewal.but(nonce=os.urandom(16))
    if revoked:
        client.refused(again, scepmsg.BAD_REQUEST)
    else:
        client.check_cert(client.send(again), renewal)


def test_wrong_polls(waiting):
    client = waiting()
    request = new_request(client)
    pend(client, request)
    stranger = Device.shared("stranger")
    client.refused(poll(client, request, key=stranger.key, cert=stranger.cert), scepmsg.BAD_CERT_ID)
    client.refused(poll(client, request, txid="unknown"), scepmsg.BAD_CERT_ID)
    client.refused(poll(client, request, subject=scepmsg.name("somebody else")), scepmsg.BAD_CERT_ID)
    client.refused(poll(client, request, issuer=scepmsg.name("another CA")), scepmsg.BAD_CERT_ID)
    texts = {client.refused(poll(client, request, **wrong), scepmsg.BAD_CERT_ID).fail_text
             for wrong in (dict(subject=scepmsg.name("somebody else")), dict(garbage_envelope=True))}
    texts |= {client.refused(poll(client, request).but(plain=p), scepmsg.BAD_CERT_ID).fail_text for p in (b"\x30\x00", request.plain, b"")}
    assert len(texts) == 1, "what is in the envelope decides nothing that can be seen (P-85)"
    pend(client, poll(client, request))


def test_poll_signed_by_a_new_certificate_of_the_key(waiting):
    """cryptlib makes a new signer certificate for each poll (P-202)."""
    client = waiting()
    request = new_request(client)
    pend(client, request)
    fresh = scepmsg.self_signed(request.key, "waits", "sha512")
    pend(client, poll(client, request, cert=fresh))
    client.site.run("request", "approve", request_id(client, request))
    assert client.send(poll(client, request, cert=fresh)).status == scepmsg.SUCCESS


def test_another_request_under_a_pending_transaction(waiting):
    client = waiting()
    request = new_request(client)
    pend(client, request)
    client.refused(client.request(label="other", challenge=None, txid=request.txid), scepmsg.BAD_REQUEST)
    client.site.run("request", "reject", request_id(client, request))
    pend(client, client.request(label="other", challenge=None, txid=request.txid))


def test_challenge_in_a_manual_profile(waiting):
    client = waiting()
    client.refused(new_request(client, challenge="wrong"), scepmsg.BAD_REQUEST)
    challenge = client.challenge()
    request = new_request(client, challenge=challenge)
    pend(client, request)
    client.refused(new_request(client, challenge=challenge), scepmsg.BAD_REQUEST)	# it was spent when the first was queued
    stored = client.site.execute("SELECT sealed FROM scep.request WHERE txid = %s", request.txid)[0][0]
    assert challenge.encode() not in bytes(stored)


def test_unless_one_time(waiting):
    client = waiting("mixed")
    client.enrol(new_request(client, challenge=client.challenge()))
    pend(client, new_request(client))


def test_full_queue_asks_to_come_back(waiting):
    client = waiting("full")
    pend(client, new_request(client))
    answer = client.post_raw(new_request(client).encode())
    assert answer.status == 503 and int(answer.headers["retry-after"]) > 0


def test_survives_restart(site, client_of):
    site.profiles["default"] = site.profile(approval={"mode": "manual"})
    front = site.start("lighttpd-socket")
    client = client_of(site, front)
    request = new_request(client)
    pend(client, request)
    for pid in front.responder.workers():
        os.kill(pid, signal.SIGKILL)
    site.stop()
    client = client_of(site, site.start("nginx"))
    pend(client, poll(client, request))
    site.run("request", "approve", request_id(client, request))
    assert client.send(poll(client, request)).status == scepmsg.SUCCESS


@contextlib.contextmanager
def approved_when_it_comes(client, common_name):
    over = threading.Event()

    def wait_and_approve():
        found = []

        def come():
            found[:] = [r["id"] for r in client.site.json("request", "list") if common_name in r["subject"]]
            return found or over.is_set()
        wait_for(come, "the request to wait")
        if found:
            client.site.run("request", "approve", found[0])
    thread = threading.Thread(target=wait_and_approve)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_strongswan_polls(waiting):
    client = waiting()
    folder = new_folder("poll-", client.site.folder)
    key, authority = key_file(folder, scepmsg.new_key()), client.site.authority
    with approved_when_it_comes(client, "polls-strongswan"):
        done = run("pki", "--scep", "--url", f"http://127.0.0.1:{client.front.port}{client.path}", "--in", key,
                   "--dn", "O=Example, CN=polls-strongswan", "--cacert-enc", authority.ra_cert, "--cacert-sig", authority.ra_cert,
                   "--cacert", authority.ca_cert, "-t", "1", "-m", str(DEADLINE), "--outform", "pem", cwd=folder, timeout=2 * DEADLINE)
    assert scepmsg.certificate(done.stdout.encode())


def test_scepter_polls(waiting):
    client = waiting()
    folder = new_folder("poll-", client.site.folder)
    with approved_when_it_comes(client, "polls-scepter"):
        client.site.run("enroll", f"http://127.0.0.1:{client.front.port}{client.path}", "--subject", "CN=polls-scepter,O=Example",
                        "--fingerprint", scepmsg.digest_of("sha256", client.site.authority.ca).hex(), "--poll-interval", "1s", "--out", folder,
                        cwd=folder)
    assert (folder / "cert.pem").exists()


def test_approval_renews_only_what_may_be_renewed(waiting):
    """An approved request whose signer only claims the serial number of another's certificate does not get that one revoked."""
    client = waiting("revoking")

    def approved(request):
        pend(client, request)
        client.site.run("request", "approve", request_id(client, request))
        return client.send(request.but(nonce=os.urandom(16)))
    victim = approved(new_request(client)).certs[0]
    thief = Device.shared("thief")
    forged = scepmsg.forged(thief.key, client.site.authority.ca, scepmsg.x509.load_der_x509_certificate(victim).serial_number)
    plain = scepmsg.csr(thief.key, "thief", client.challenge())
    assert approved(scepmsg.Request(thief.key, forged, list(client.to), plain)).status == scepmsg.SUCCESS
    assert client.site.execute("SELECT count(*) FROM scep.revocation WHERE actor = 'renewal'")[0][0] == 0
