"""A resend is safe; a new request is new; nobody gets another's certificate (P-138 to P-140)."""
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import der
import scepmsg
from cryptography import x509
from processes import wait_for
from scepmsg import BAD_REQUEST, SUCCESS, Device, csr


def test_resend_gives_the_same_certificate(shared):
    request = shared.request(label="resend")
    data = request.encode()
    first = shared.send(request, data)
    n = len(shared.site.certs())
    again = [shared.send(request, data) for _ in range(8)]	# two workers: some of these reach the other one
    assert {r.certs[0] for r in [first, *again]} == {first.certs[0]}
    assert len(shared.site.certs()) == n


def test_resend_to_another_worker(site, client_of):
    """Nothing about a request is in a worker's memory alone: those who saw it first are dead when it comes again."""
    client = client_of(site, site.start("lighttpd-socket"))
    request = client.request()
    first = client.enrol(request)
    victims = client.front.responder.all_workers()
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(set(client.front.responder.workers()) - set(victims)) == 2, "other workers")
    assert client.enrol(request).certs == first.certs
    assert len(site.certs()) == 1


def test_resend_with_new_nonce_and_signer_certificate(shared):
    """certmonger and micromdm poll by a PKCSReq with another nonce, another envelope and, at times, another signer certificate."""
    request = shared.request(label="repoll")
    first = shared.enrol(request)
    again = request.but(nonce=os.urandom(16), cert=scepmsg.self_signed(request.key, "another face"), cipher="aes256")
    assert shared.send(again).certs == first.certs


def test_resend_at_once(shared):
    request = shared.request(label="at once")
    data = request.encode()
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: shared.send(request, data), range(16)))
    assert {r.status for r in replies} == {SUCCESS}
    assert len({r.certs[0] for r in replies}) == 1


def test_another_request_under_a_finished_transaction(shared):
    first = shared.enrol(label="fixed", txid="FIXED")
    second = shared.enrol(label="fixed", txid="FIXED", common_name="fixed two")
    assert first.certs != second.certs
    other = shared.enrol(label="other key", txid="FIXED")
    assert other.certs not in (first.certs, second.certs)


def test_another_key_never_gets_the_certificate(shared):
    request = shared.request(label="victim", txid="VICTIM")
    mine = shared.enrol(request)
    thief = Device.shared("thief")
    # the victim's own CSR, signed by another key
    shared.refused(shared.request(device=thief, txid="VICTIM", plain=request.plain), BAD_REQUEST)
    # the same transaction, an own CSR, the victim's used challenge
    used = scepmsg.csr(thief.key, "victim", "wrong")
    shared.refused(shared.request(device=thief, txid="VICTIM", plain=used), BAD_REQUEST)
    # polling for it
    poll = shared.request(device=thief, txid="VICTIM", message_type="20",
                          plain=der.seq(scepmsg.name("x"), scepmsg.name("victim")))
    shared.refused(poll, scepmsg.BAD_CERT_ID)
    assert shared.send(request).certs == mine.certs


def test_poll_after_issue(shared):
    request = shared.request(label="poll")
    first = shared.enrol(request)
    issuer = x509.load_der_x509_certificate(shared.site.authority.ca).subject.public_bytes()
    poll = request.but(message_type="20", plain=der.seq(issuer, scepmsg.name("poll")), nonce=os.urandom(16))
    reply = shared.send(poll)
    assert (reply.status, reply.certs) == (SUCCESS, first.certs)


def test_one_challenge_many_devices(shared):
    challenge = shared.challenge()
    requests = [shared.request(label=f"race {n}", challenge=challenge) for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(shared.send, requests))
    assert [r.status for r in replies].count(SUCCESS) == 1


def test_transactions_of_profiles_are_apart(make_site, client_of):
    site = make_site()
    site.profiles["two"] = site.profile()
    front = site.start("lighttpd-socket")
    first = client_of(site, front).enrol(label="apart", txid="SAME")
    second = client_of(site, front, "/scep/two", "two")
    device = Device.shared("apart")
    second.refused(second.request(device=device, txid="SAME", plain=csr(device.key, device.label)), BAD_REQUEST)
    assert second.enrol(device=device, txid="SAME").certs != first.certs
    site.stop()
