"""Everything that is refused by a signed FAILURE, each with its failInfo, and what only HTTP can answer."""
import der
import pytest
import scepmsg
from scepmsg import BAD_ALG, BAD_CERT_ID, BAD_MESSAGE_CHECK, BAD_REQUEST, Device, csr


@pytest.mark.parametrize("changes,fail_info", [
    (dict(message_digest=bytes(32)), BAD_MESSAGE_CHECK),
    (dict(message_digest=bytes(20)), BAD_MESSAGE_CHECK),
    (dict(break_signature=True), BAD_MESSAGE_CHECK),
    (dict(to=[Device.shared("stranger").cert]), BAD_REQUEST),
    (dict(garbage_envelope=True), BAD_REQUEST),
    (dict(content=der.seq()), BAD_REQUEST),
    (dict(content=b"\0" * 40), BAD_REQUEST),
    (dict(plain=b""), BAD_REQUEST),
    (dict(plain=b"no request"), BAD_REQUEST),
    (dict(plain=der.seq()), BAD_REQUEST),
    (dict(challenge=None), BAD_REQUEST),
    (dict(challenge="wrong"), BAD_REQUEST),
    (dict(challenge="x" * 5000), BAD_REQUEST),
    (dict(digest="sha1"), BAD_ALG),
    (dict(digest="md5"), BAD_ALG),
    (dict(cipher="des3"), BAD_ALG),
    (dict(cipher="des"), BAD_ALG),
    (dict(message_type="0"), BAD_REQUEST),
    (dict(message_type="3"), BAD_REQUEST),
    (dict(message_type="18"), BAD_REQUEST),
    (dict(message_type="99"), BAD_REQUEST),
    (dict(message_type="17"), BAD_REQUEST),
], ids=lambda v: repr(v)[:40] if isinstance(v, dict) else None)
def test_refused(shared, changes, fail_info):
    shared.refused(shared.request(**({"challenge": None} | changes)) if "challenge" not in changes and "cipher" not in changes
                   else shared.request(**changes), fail_info)


@pytest.mark.parametrize("changes", [
    dict(omit=(scepmsg.TXID,)), dict(omit=(scepmsg.SENDER_NONCE,)), dict(omit=(scepmsg.MESSAGE_TYPE,)), dict(nonce=b""),
    dict(nonce=bytes(65)), dict(txid="x" * 256), dict(certs=[]),
    dict(omit=(scepmsg.CONTENT_TYPE,)), dict(omit=(scepmsg.MESSAGE_DIGEST,)),
    dict(extra=(scepmsg.attribute(scepmsg.TXID, der.tlv(der.PRINTABLE, b"twice")),)),
    dict(extra=(scepmsg.attribute("1.2.3.4", der.NULL_TLV),) * 40),
    dict(certs=[scepmsg.Device.shared("other").cert]),
], ids=lambda v: repr(v)[:40])
def test_only_http_can_answer(shared, changes):
    answer = shared.post_raw(shared.request(challenge=None, **changes).encode())
    if answer.status == 200:	# P-56, P-68: a CertRep is right here too, where a transaction id and a nonce were there
        assert set(changes) & {"certs", "omit"} and not set(changes.get("omit", ())) & {scepmsg.TXID, scepmsg.SENDER_NONCE}
    else:
        assert answer.status == 400 and len(answer.body) < 200


def test_the_same_answer_for_every_envelope_that_does_not_open(shared):
    """No decryption oracle: wrong padding, wrong key size and garbage inside are one error (P-85)."""
    texts = {shared.refused(shared.request(challenge=None, **c), BAD_REQUEST).fail_text
             for c in (dict(garbage_envelope=True), dict(plain=b"x" * 100), dict(plain=b""))}
    assert len(texts) == 1, texts


def test_wrong_and_unknown_challenge_are_one_answer(shared):
    used = shared.challenge()
    shared.enrol(shared.request(label="one", challenge=used))
    texts = {shared.refused(shared.request(label="two", challenge=c), BAD_REQUEST).fail_text for c in ("wrong", used, None)}
    assert len(texts) == 1, texts


def test_used_challenge(shared):
    used = shared.challenge()
    shared.enrol(challenge=used)
    shared.refused(shared.request(challenge=used), BAD_REQUEST)
    shared.refused(shared.request(label="another", challenge=used), BAD_REQUEST)


def test_expired_challenge(shared):
    challenge = shared.challenge()
    shared.site.execute("UPDATE scep.challenge SET expires_at = now() - interval '1 second' WHERE created_at = (SELECT max(created_at) FROM scep.challenge)")
    shared.refused(shared.request(challenge=challenge), BAD_REQUEST)


def test_revoked_challenge(shared):
    def there():
        return {row["id"] for row in shared.site.json("challenge", "list")}
    before, challenge = there(), shared.challenge()
    made, = there() - before
    shared.site.run("challenge", "revoke", made)
    shared.refused(shared.request(challenge=challenge), BAD_REQUEST)


def test_challenge_bound_to_a_subject(shared):
    challenge = shared.challenge("--subject", "CN=bound,O=Example")
    shared.refused(shared.request(label="other", challenge=challenge), BAD_REQUEST)
    shared.enrol(shared.request(label="bound", challenge=challenge))


def test_challenge_bound_to_a_device(shared):
    challenge = shared.challenge("--device", "meter-7")
    shared.refused(shared.request(label="meter-8", challenge=challenge), BAD_REQUEST)
    shared.enrol(shared.request(label="meter-7", challenge=challenge))


def test_a_refused_request_does_not_burn_the_challenge(shared):
    challenge = shared.challenge()
    device, other = Device.shared("device"), Device.shared("other")
    shared.refused(shared.request(plain=csr(device.key, "d", challenge, signed_by=other.key)), BAD_REQUEST)
    shared.refused(shared.request(plain=csr(other.key, "d", challenge)), BAD_REQUEST)
    shared.refused(shared.request(challenge=challenge, break_signature=True), BAD_MESSAGE_CHECK)
    shared.enrol(challenge=challenge)


def test_csr_of_another_key(shared):
    other = Device.shared("other")
    shared.refused(shared.request(plain=csr(other.key, "d", shared.challenge())), BAD_REQUEST)


def test_csr_signature(shared):
    device, other = Device.shared("device"), Device.shared("other")
    shared.refused(shared.request(plain=csr(device.key, "d", shared.challenge(), signed_by=other.key)), BAD_REQUEST)


def test_csr_twice_a_challenge(shared):
    device = Device.shared("device")
    second = der.seq(der.oid(scepmsg.CHALLENGE), der.set_of(der.tlv(der.UTF8, b"second")))
    shared.refused(shared.request(plain=csr(device.key, "d", shared.challenge(), attributes=[second])), BAD_REQUEST)


def test_csr_wants_to_be_a_ca(shared):
    device = Device.shared("device")
    constraints = der.seq(der.oid("2.5.29.19"), der.tlv(1, b"\xff"), der.tlv(4, der.seq(der.tlv(1, b"\xff"))))
    wish = der.seq(der.oid(scepmsg.EXTENSION_REQUEST), der.set_of(der.seq(constraints)))
    request = shared.request(plain=csr(device.key, "d", shared.challenge(), attributes=[wish]))
    reply = shared.send(request)
    if reply.status == scepmsg.SUCCESS:
        shared.check_cert(reply, request)	# it says that it is no CA
    else:
        assert reply.fail_info == BAD_REQUEST


def test_csr_without_a_name(shared):
    device = Device.shared("device")
    shared.refused(shared.request(plain=csr(device.key, "", shared.challenge(), subject=der.seq())), BAD_REQUEST)


def test_weak_key(shared):
    shared.refused(shared.request(device=Device("weak", bits=1024)), BAD_ALG)


def test_our_own_key(shared):
    """A certificate for the RA's key would be a certificate for whoever has stolen it."""
    from cryptography.hazmat.primitives import serialization
    key = serialization.load_pem_private_key(shared.site.authority.ra_key.read_bytes(), None)
    device = Device.shared("device")
    request = shared.request(device=device)
    request.key, request.cert = key, scepmsg.self_signed(key, "RA")
    request.plain = csr(key, "stolen", shared.challenge())
    answer = shared.post_raw(request.encode())
    assert answer.status == 200
    assert scepmsg.read_reply(answer.body, request, shared.trusted).status == scepmsg.FAILURE


def test_poll_of_nothing(shared):
    issuer_and_subject = der.seq(scepmsg.name("x"), scepmsg.name("y"))
    shared.refused(shared.request(message_type="20", plain=issuer_and_subject), BAD_CERT_ID)


def test_the_refusal_is_audited(shared):
    request = shared.request(label="audited refusal", challenge="wrong", txid="AUDITED-REFUSAL")
    shared.refused(request, BAD_REQUEST)
    rows = shared.site.execute("SELECT count(*) FROM scep.audit WHERE audit::text LIKE '%AUDITED-REFUSAL%'")
    assert rows[0][0] == 1


def test_cryptlib_gets_no_content(shared):
    """randomNonce among the attributes: cryptlib refuses any eContent in a FAILURE (P-198)."""
    request = shared.request(challenge="wrong", extra=(scepmsg.attribute(scepmsg.RANDOM_NONCE, der.tlv(4, bytes(16))),))
    reply = shared.send(request)
    assert reply.status == scepmsg.FAILURE and reply.empty_content is False


def test_no_secret_in_the_logs(shared):
    challenge = shared.challenge()
    shared.enrol(challenge=challenge)
    shared.refused(shared.request(challenge="a-wrong-secret"), BAD_REQUEST)
    logs = shared.front.logs()
    assert challenge not in logs and "a-wrong-secret" not in logs
