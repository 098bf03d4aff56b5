"""Signed challenges (Intune-style tokens, checked here): every outcome with its failInfo, log line and audit row; once, whatever happens."""
import hashlib
import hmac
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import der
import families
import psycopg2
import pytest
import rawhttp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from installation import Postgres
from processes import new_folder, wait_for, write
from scepmsg import BAD_MESSAGE_CHECK, BAD_REQUEST, FAILURE, PENDING, SUCCESS, Device, Request, csr
from signed import ES, RS, STRANGER, audit, refused, request, settings
from tokens import AUDIENCE, Issuer, as_der, b64, mirrored
from windows import widening


@pytest.fixture(scope="module")
def signed(make_site, client_of):
    site = make_site()
    secrets = write(site.folder / "secrets", "a static secret\n", 0o600)
    mixed = settings(site)
    for name, more in {
        "default": {}, "unbound": {"unbound_san": "allow"}, "optional": {"optional_claims": "nonce iat exp aud"},
        "three": {"per_device": "3/24h"}, "other": {"audience": "https://scep.example/scep/other"}, "strict": {"validity": "10m", "skew": "5s"},
    }.items():
        site.profiles[name] = site.profile(enrol={"one_time_challenge": "no"}, signed_challenge={**mixed, **more})
    for name in ("any-a", "any-b"):
        section = {k: v for k, v in mixed.items() if k != "audience"}
        site.profiles[name] = site.profile(enrol={"one_time_challenge": "no"}, signed_challenge={**section, "per_device": "3/24h"})
    stranger = write(site.folder / "stranger.pem", STRANGER.public())
    site.profiles["hostile"] = site.profile(enrol={"one_time_challenge": "no"}, signed_challenge={**mixed, "anchors": stranger, "per_device": "9/1h"})
    site.profiles["mixed"] = site.profile(enrol={"static_challenge_file": secrets}, signed_challenge=mixed)
    site.profiles["waiting"] = site.profile(approval={"mode": "manual"}, signed_challenge=mixed)
    site.profiles["windows"] = site.profile(scep={"dialect": "windows", "legacy": "sha1"}, signed_challenge=mixed)
    site.profiles["light"] = site.profile(scep={"raw_csr": "yes"}, signed_challenge=mixed)
    told = new_folder("told-", site.folder)
    command = write(told / "command", f'#!/bin/sh\ncat >/dev/null\ntest -e {told}/yes && echo \'{{"decision":"allow"}}\' || '
                    'echo \'{"decision":"deny","reason":"not compliant"}\'\n', 0o755)
    site.profiles["compliant"] = site.profile(command={"path": command}, signed_challenge=mixed)
    site.profiles["templates"] = site.profile(
        subject={"template": "CN=${intune.device_name},OU=${intune.sub},O=${intune.iss}"}, certificate={"san": "dns email"},
        san={"template": "upn:${intune.upn} email:${intune.email:-none@example.com}"}, signed_challenge=mixed)
    site.profiles["renewing"] = site.profile(renewal={"challenge": "yes"}, signed_challenge=mixed)
    front = site.start("lighttpd-socket")
    yield lambda name="default": client_of(site, front, f"/scep/{name}", name)
    site.stop()


# --- accepted -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [
    lambda: ES.token(), lambda: RS.token(), lambda: as_der(ES.token()), ES.padded, RS.padded,
    lambda: ES.token(version=None), lambda: ES.token(version=""), lambda: ES.token(iat=int(time.time()) + 50), lambda: RS.token(iat=int(time.time()) - 3000),
    lambda: ES.token(exp=int(time.time()) - 1), lambda: ES.token(exp=253402300799), lambda: ES.token(headers={"kid": "1", "jku": "http://evil.example", "x5c": ["AAAA"], "typ": "x"}),
    lambda: ES.token(device_name="device"), lambda: ES.token(device_name="", san_dns=[], san_upn=None), lambda: ES.token(unknown={"a": [1.5, None]}),
], ids=range(15))
def test_accepted(signed, token):
    client = signed()
    req = request(client, token())
    client.enrol(req)
    (actor,), = client.site.execute("SELECT actor FROM scep.audit WHERE txid = %s AND kind = 'issue'", req.txid)
    assert actor.startswith("signed challenge from ")


def test_names_bound(signed):
    client = signed()
    token = ES.token(device_name="pc-7", san_dns=["PC-7.example"], san_rfc822=["Me@example.com"], san_upn=["ME@corp.example"])
    san = {"dns": ["pc-7.EXAMPLE"], "email": ["me@Example.com"], "upn": ["me@corp.example"]}
    client.enrol(request(client, token, common_name="pc-7", san=san))


# --- refused ------------------------------------------------------------------------------------------------------------


def now(seconds):
    return int(time.time()) + seconds


def hs256():
    """Signed with the public key as if it were a secret."""
    text = f"{b64(json.dumps({'alg': 'HS256'}).encode())}.{b64(json.dumps(ES.claims()).encode())}"
    return f"{text}.{b64(hmac.new(ES.public().encode(), text.encode(), hashlib.sha256).digest())}"


def changed(token, part, text):
    parts = token.split(".")
    parts[part] = text
    return ".".join(parts)


REFUSALS = [
    # signature_invalid
    ("signature_invalid", BAD_MESSAGE_CHECK, lambda: STRANGER.token(), {}),
    ("signature_invalid", BAD_MESSAGE_CHECK, lambda: Issuer("RS256").token(), {}),
    ("signature_invalid", BAD_MESSAGE_CHECK, lambda: changed(ES.token(), 1, b64(json.dumps(ES.claims()).encode())), {}),
    ("signature_invalid", BAD_MESSAGE_CHECK, lambda: changed(ES.token(), 2, b64(bytes(64))), {}),
    ("signature_invalid", BAD_MESSAGE_CHECK, lambda: changed(ES.token(), 2, b64(b"\x01" * 63)), {}),
    ("signature_invalid", BAD_MESSAGE_CHECK, lambda: RS.token("PS256"), {}),
    ("signature_invalid", BAD_MESSAGE_CHECK, lambda: RS.token("RS512"), {}),
    ("signature_invalid", BAD_MESSAGE_CHECK, lambda: Issuer("ES256", ec.generate_private_key(ec.SECP384R1())).token("ES384"), {}),
    ("signature_invalid", BAD_MESSAGE_CHECK, hs256, {}),
    ("signature_invalid", BAD_MESSAGE_CHECK, lambda: ES.with_header(b'{"alg":"none"}'), {}),
    ("signature_invalid", BAD_MESSAGE_CHECK, lambda: ES.with_header(b'{"typ":"JWT"}'), {}),
    ("signature_invalid", BAD_MESSAGE_CHECK, lambda: ES.with_header(b'{"alg":"es256"}'), {}),
    ("signature_invalid", BAD_MESSAGE_CHECK, lambda: ES.with_header(b'{"alg":"RS256"}'), {}),
    # malformed
    ("malformed", BAD_REQUEST, lambda: ES.with_header(b'["ES256"]'), {}),
    ("malformed", BAD_REQUEST, lambda: ES.with_header(b'{"alg":"ES256","alg":"ES256"}'), {}),
    ("malformed", BAD_REQUEST, lambda: ES.with_header(b'{"alg":"ES256","crit":["exp"]}'), {}),
    ("malformed", BAD_REQUEST, lambda: changed(RS.token(), 1, ""), {}),
    ("malformed", BAD_REQUEST, lambda: ES.token() + "!", {}),
    ("malformed", BAD_REQUEST, lambda: changed(ES.token(), 0, "e30*"), {}),
    ("malformed", BAD_REQUEST, lambda: ES.sign(b"x" * 200), {}),
    ("malformed", BAD_REQUEST, lambda: ES.sign(json.dumps(ES.claims()).encode() + b" x"), {}),
    ("malformed", BAD_REQUEST, lambda: ES.sign(json.dumps(ES.claims()).replace("{", '{"nonce": "first", ').encode()), {}),
    ("malformed", BAD_REQUEST, lambda: ES.token(iat=time.time()), {}),
    ("malformed", BAD_REQUEST, lambda: ES.token(aud=[AUDIENCE]), {}),
    ("malformed", BAD_REQUEST, lambda: ES.token(nonce=None), {}),
    ("malformed", BAD_REQUEST, lambda: ES.token(iat=None), {}),
    ("malformed", BAD_REQUEST, lambda: ES.token(exp=None), {}),
    ("malformed", BAD_REQUEST, lambda: ES.token(san_dns="a.example"), {}),
    ("malformed", BAD_REQUEST, lambda: ES.token(padding="x" * 13000), {}),
    # the rest
    ("unknown_version", BAD_REQUEST, lambda: ES.token(version="v2"), {}),
    ("not_yet_valid", BAD_MESSAGE_CHECK, lambda: ES.token(iat=now(300), exp=now(900)), {}),
    ("expired", BAD_MESSAGE_CHECK, lambda: ES.token(exp=now(-61)), {}),
    ("expired", BAD_MESSAGE_CHECK, lambda: ES.token(iat=now(-3700)), {}),
    ("wrong_audience", BAD_MESSAGE_CHECK, lambda: ES.token(aud="https://scep.example/scep/default/"), {}),
    ("wrong_audience", BAD_MESSAGE_CHECK, lambda: ES.token(aud=None), {}),
    ("claim_mismatch", BAD_REQUEST, lambda: ES.token(device_name="Device"), {}),
    ("claim_mismatch", BAD_REQUEST, lambda: ES.token(san_dns=["a.example"]), {}),
    ("claim_mismatch", BAD_REQUEST, lambda: ES.token(san_dns=["a.example"]), {"san": {"dns": ["a.example", "b.example"]}}),
    ("claim_mismatch", BAD_REQUEST, lambda: ES.token(san_rfc822=["a@b.example"]), {"san": {"email": ["c@b.example"]}}),
    ("claim_mismatch", BAD_REQUEST, lambda: ES.token(san_upn=["me@corp.example"]), {"san": {"upn": ["you@corp.example"]}}),
    ("claim_mismatch", BAD_REQUEST, lambda: ES.token(), {"san": {"ip": [b"\xc0\0\2\1"]}}),
    ("claim_mismatch", BAD_REQUEST, lambda: ES.token(), {"san": {"uri": ["tag:microsoft.com,2022-09-14:sid:S-1-5-21-1"]}}),
]


@pytest.mark.parametrize("label,fail_info,token,how", REFUSALS, ids=[f"{n}-{r[0]}" for n, r in enumerate(REFUSALS)])
def test_refused(signed, label, fail_info, token, how):
    client = signed()
    refused(client, request(client, token(), **how), label, fail_info)


def test_two_common_names(signed):
    """The certificate would have both, whichever was compared."""
    subject = der.seq(*(der.set_of(der.seq(der.oid("2.5.4.3"), der.tlv(der.UTF8, n))) for n in (b"bank.example", b"device")))
    client = signed()
    refused(client, request(client, ES.token(device_name="device"), subject=subject), "claim_mismatch", BAD_REQUEST, "2 common names")


def test_what_looks_like_no_token(signed):
    """Short, or with another number of dots: a challenge like any other."""
    client = signed()
    for challenge in ("a.b.c", "x" * 300, "x" * 150 + "." + "x" * 150, "." * 3 + "x" * 300):
        req = request(client, challenge)
        client.refused(req, BAD_REQUEST)
        assert [reason for reason, _ in audit(client, req)] == ["challenge"]


def test_unbound_names_where_allowed(signed):
    client = signed("unbound")
    san = {"dns": ["a.example"], "uri": ["tag:microsoft.com,2022-09-14:sid:S-1-5-21-1"], "ip": [b"\xc0\0\2\1"]}
    client.enrol(request(client, ES.token(san_dns=["a.example"]), san=san))


def test_times_as_the_profile_has_them(signed):
    client = signed("strict")
    refused(client, request(client, ES.token(iat=now(-700))), "expired", BAD_MESSAGE_CHECK, "'validity'")
    refused(client, request(client, ES.token(exp=now(-10))), "expired", BAD_MESSAGE_CHECK)
    refused(client, request(client, ES.token(iat=now(300))), "not_yet_valid", BAD_MESSAGE_CHECK)
    client.enrol(request(client, ES.token(iat=now(-100))))


def test_optional_claims(signed):
    client = signed("optional")
    for missing in ({"nonce": None}, {"iat": None}, {"exp": None}, {"aud": None}, {"nonce": None, "aud": None, "exp": None}):
        token = ES.token(**missing)
        client.enrol(request(client, token))
        refused(client, request(client, token, label="again"), "replay", BAD_MESSAGE_CHECK)
    refused(client, request(client, ES.token(iat=None, exp=None)), "malformed", BAD_REQUEST)
    refused(client, request(client, ES.token(iat=None, exp=now(86400))), "expired", BAD_MESSAGE_CHECK)


# --- once ---------------------------------------------------------------------------------------------------------------


def test_replay(signed):
    """The nonce counts: for another device, with other claims, under another signature."""
    client = signed()
    claims = ES.claims()
    token = ES.sign(json.dumps(claims).encode())
    client.enrol(request(client, token))
    refused(client, request(client, token, label="other"), "replay", BAD_MESSAGE_CHECK, "was used at")
    refused(client, request(client, token), "replay", BAD_MESSAGE_CHECK)		# the same device, another transaction
    refused(client, request(client, ES.token(iss=claims["iss"], nonce=claims["nonce"])), "replay", BAD_MESSAGE_CHECK)
    client.enrol(request(client, ES.token(iss="https://other.example", nonce=claims["nonce"])))


def test_replay_without_nonce_by_another_signature(signed):
    """ES256: anybody can make the second right signature, and write either in two ways. It is the same token."""
    client = signed("optional")
    token = ES.token(nonce=None)
    client.enrol(request(client, token))
    for again in (mirrored(token), as_der(token), as_der(mirrored(token)), token + "=="):
        refused(client, request(client, again, label="again"), "replay", BAD_MESSAGE_CHECK)


def test_resend(signed):
    """The same request gets its certificate, also when the token has expired since."""
    client = signed("strict")

    def in_time(seconds):
        """An enrolment with a token that is good for less than so many seconds more; None: for none."""
        end = time.time() + seconds
        req = request(client, ES.token(exp=now(seconds - 5)))	# 5 s of skew
        reply = client.send(req)
        if time.time() > end - 1:
            return None
        assert reply.status == SUCCESS, reply
        return end, req, reply
    end, req, first = widening(in_time, 3, 6, 12, 24, 48)
    assert client.send(req).certs == first.certs
    wait_for(lambda: time.time() > end + 1, "the token to expire")
    assert client.send(req.but(nonce=os.urandom(16))).certs == first.certs
    late = request(client, ES.token(exp=now(-6)))
    refused(client, late, "expired", BAD_MESSAGE_CHECK)


def many(client, requests):
    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(client.send, requests))


def reasons(client, requests):
    """Of each refusal, by whomever it was: at the first look, or by who came second in the end."""
    rows = [row for req in requests for row in audit(client, req)]
    assert all(detail.startswith("signed challenge: ") and len(detail) > 30 for _, detail in rows), rows
    return [reason for reason, _ in rows]


def test_race_for_one_token(signed):
    client = signed()
    token = ES.token()
    requests = [request(client, token, label=f"race {n}") for n in range(16)]
    statuses = [reply.status for reply in many(client, requests)]
    assert (statuses.count(SUCCESS), statuses.count(FAILURE)) == (1, 15)
    assert reasons(client, requests) == ["replay"] * 15


def test_race_of_one_device(signed):
    """16 tokens of one device at once, of which three are accepted; then none, until the time is over."""
    client = signed("three")
    requests = [request(client, ES.token(sub="racer"), label=f"race {n}") for n in range(16)]
    statuses = [reply.status for reply in many(client, requests)]
    assert statuses.count(SUCCESS) == 3
    assert reasons(client, requests) == ["rate_limited"] * 13
    refused(client, request(client, RS.token(sub="racer")), "rate_limited", BAD_REQUEST, "3")
    client.enrol(request(client, ES.token(sub="racer", iss="https://other.example")))
    client.enrol(request(client, ES.token(sub="another")))


def test_race_of_one_request(signed):
    client = signed("three")
    req = request(client, ES.token())
    replies = many(client, [req] * 16)
    assert {reply.status for reply in replies} == {SUCCESS} and len({reply.certs[0] for reply in replies}) == 1


def test_across_profiles(signed):
    default, other, a, b = signed(), signed("other"), signed("any-a"), signed("any-b")
    refused(other, request(other, ES.token()), "wrong_audience", BAD_MESSAGE_CHECK)
    default.enrol(request(default, token := ES.token()))
    for client in (a, b):		# without an audience it would be good, but is spent
        refused(client, request(client, token), "replay", BAD_MESSAGE_CHECK)
    device = "in both"
    for client in (a, a, a, b):		# the limit is the profile's own
        client.enrol(request(client, ES.token(sub=device, aud="anything")))
    refused(a, request(a, ES.token(sub=device)), "rate_limited", BAD_REQUEST)


def test_no_issuer_uses_up_what_is_anothers(signed):
    """Whom another profile trusts may sign whatever names he likes: neither the nonces nor the limits of this one's devices are his."""
    client, hostile = signed("three"), signed("hostile")
    claims = {"iss": "https://mdm.example", "sub": "victim"}
    nonces = [os.urandom(8).hex() for _ in range(3)]
    for nonce in nonces:
        hostile.enrol(request(hostile, STRANGER.token(**claims, nonce=nonce)))
    for nonce in nonces:
        client.enrol(request(client, ES.token(**claims, nonce=nonce)))
    client.site.execute("UPDATE scep.holder SET used_at = ARRAY(SELECT t - interval '2 hours' FROM unnest(used_at) t)")
    hostile.enrol(request(hostile, STRANGER.token(**claims)))	# whose window is one hour, and forgets what is older
    refused(client, request(client, ES.token(**claims)), "rate_limited", BAD_REQUEST, "3")


def test_a_refused_request_does_not_burn_it(signed):
    client = signed()
    token = ES.token(device_name="device")
    stranger = Device.shared("stranger")
    refused(client, request(client, token, common_name="other"), "claim_mismatch", BAD_REQUEST)
    other = request(client, token, device=stranger, common_name="device")
    other.key, other.cert = Device.shared("x").key, Device.shared("x").cert	# not the key to be certified
    client.refused(other, BAD_REQUEST)
    client.enrol(request(client, token))


@pytest.fixture
def stand(place, make_site, client_of):
    cluster = Postgres(new_folder("pg-", place))
    site = make_site(cluster=cluster)
    site.server["database"]["timeout"] = "10s"
    site.profiles["default"] = site.profile(signed_challenge=settings(site))
    yield client_of(site, site.start("lighttpd-socket"))
    cluster.start()
    site.stop()
    cluster.remove()


def test_outage_does_not_burn_it(stand):
    """The database is away before the request, and killed while it records the certificate: the same request gets one in the end."""
    req = request(stand, ES.token())
    stand.site.postgres.kill()
    answer = stand.post_raw(req.encode())
    assert answer.status == 503 and int(answer.headers["retry-after"]) > 0
    stand.site.postgres.start()
    lock = psycopg2.connect(stand.site.postgres.conninfo(stand.site.database))
    lock.cursor().execute("LOCK TABLE scep.cert IN EXCLUSIVE MODE")		# the nonce is spent when this is reached
    with ThreadPoolExecutor(1) as pool:
        tries = [pool.submit(stand.post_raw, req.encode())]

        def waits():
            if tries[-1].done():	# it waits for three seconds at most
                tries.append(pool.submit(stand.post_raw, req.encode()))
            return stand.site.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'scep.cert'::regclass")
        wait_for(waits, "the insertion to wait")
        stand.site.postgres.kill()
        assert {answer.result().status for answer in tries} == {503}
    stand.site.postgres.start()
    assert stand.site.execute("SELECT count(*) FROM scep.cert")[0][0] == 0
    stand.enrol(req)
    refused(stand, request(stand, req.password, label="other"), "replay", BAD_MESSAGE_CHECK)


# --- with everything else -----------------------------------------------------------------------------------------------


def test_beside_other_challenges(signed):
    client = signed("mixed")
    client.enrol(request(client, "a static secret"))
    client.enrol(request(client, client.challenge()))
    client.enrol(request(client, RS.token()))
    refused(client, request(client, STRANGER.token()), "signature_invalid", BAD_MESSAGE_CHECK)
    client.refused(request(client, "a wrong secret"), BAD_REQUEST)


def test_large_token_as_password(signed):
    """16 KiB, for a key that cannot decrypt: the answer comes under the token."""
    client = signed()
    device = Device("p256", curve=ec.SECP256R1())
    token = ES.token(padding="x" * 11800)
    assert 16000 < len(token) <= 16384
    reply = client.enrol(request(client, token, device=device))
    assert reply.prf == "sha256"
    client.enrol(request(client, RS.token()))


def test_windows(signed):
    """Self-signed as 'SCEP Protocol Certificate' by another key, the token as BMPString, names by Microsoft's attribute."""
    client = signed("windows")
    key = Device.shared("pc").key
    req = families.windows(key, client.site.authority.ra, ES.token(device_name="windows", san_dns=["pc.example"]))
    client.enrol(req)
    wrong = families.windows(key, client.site.authority.ra, ES.token(device_name="windows", san_dns=["pc2.example"]))
    client.refused(wrong, BAD_REQUEST)
    assert [reason for reason, _ in audit(client, wrong)] == ["claim_mismatch"]
    strict = signed()
    other = families.windows(key, strict.site.authority.ra, ES.token())
    strict.refused(other, BAD_REQUEST)
    assert [reason for reason, _ in audit(strict, other)] == ["signer_key"]


def test_light_client(signed):
    client, token = signed("light"), ES.token(device_name="light")

    def post(label):
        return rawhttp.post(client.front.port, client.path, csr(Device.shared(label).key, "light", token), "application/pkcs10")
    assert post("light").status == 200
    assert post("light").status == 200		# the same request again
    assert post("another").status == 403


def test_renewal_spends_nothing(signed):
    client = signed()
    old = request(client, first := ES.token(), label="old")
    cert = client.enrol(old).certs[0]
    for token in (fresh := ES.token(), first, ES.token(exp=now(-600)), STRANGER.token()):	# whatever it is
        plain = csr(Device.shared("new").key, "old", token)
        client.enrol(Request(old.key, cert, list(client.to), plain, message_type="17"))
    client.enrol(request(client, fresh))


def test_renewal_that_needs_a_challenge(signed):
    client = signed("renewing")
    old = request(client, first := ES.token(), label="old")
    cert = client.enrol(old).certs[0]

    def renewal(token):
        return Request(old.key, cert, list(client.to), csr(Device.shared("new").key, "old", token), message_type="17")
    refused(client, renewal(first), "replay", BAD_MESSAGE_CHECK)
    client.enrol(renewal(second := ES.token()))
    refused(client, renewal(second), "replay", BAD_MESSAGE_CHECK)


def test_spent_when_queued(signed):
    client = signed("waiting")
    req = request(client, token := ES.token())
    assert client.send(req).status == PENDING
    assert client.send(req).status == PENDING
    refused(client, request(client, token, label="other"), "replay", BAD_MESSAGE_CHECK)
    waiting = next(r["id"] for r in client.site.json("request", "list") if r["transaction"] == req.txid)
    client.site.run("request", "approve", waiting)
    client.enrol(req)
    refused(client, request(client, STRANGER.token()), "signature_invalid", BAD_MESSAGE_CHECK)	# a wrong one does not wait


def test_compliance_after_it(signed):
    """Who says no after the token was found good spends nothing of it."""
    client = signed("compliant")
    token = ES.token()
    req = request(client, token)
    client.refused(req, BAD_REQUEST)
    (reason, detail), = audit(client, req)
    assert reason == "compliance_failed" and detail.startswith("command: ") and "not compliant" in detail
    command, = client.site.folder.glob("told-*")
    write(command / "yes", "")
    client.enrol(request(client, token))


def test_values_in_templates(signed):
    client = signed("templates")
    upns = ["me@corp.example", "us@corp.example"]
    req = request(client, ES.token(device_name="pc-9", sub="guid-9", iss="MDM", san_upn=upns), common_name="pc-9", san={"upn": upns})
    reply = client.send(req)
    assert reply.status == SUCCESS, client.front.logs()[-1500:]
    assert reply.cert.subject.rfc4514_string() == "CN=pc-9,OU=guid-9,O=MDM"
    san = reply.cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [name.value.decode()[2:] for name in san.get_values_for_type(x509.OtherName)] == upns
    assert san.get_values_for_type(x509.RFC822Name) == ["none@example.com"]
