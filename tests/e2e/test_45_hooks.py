"""Web hook and command: what they are asked, what becomes of their answers, and that nothing is issued without one (doc/HOOKS.md)."""
import base64
import calendar
import gzip
import json
import os
import socket
import threading
import time

import pytest
import rawhttp
import scepmsg
from cryptography import x509
from clientcerts import ClientCa
from hookserver import Authority, HookServer, signature_is_right
from processes import DEADLINE, SOURCE, alive, new_folder, run, wait_for, write
from reload import reload_whole
from scepmsg import Device, Request, csr
from windows import widening

SECRET = "s3cret of the web hook"
ALLOW, DENY = {"decision": "allow"}, {"decision": "deny", "reason": "not in the inventory"}
WAIT = {"decision": "pending", "reason": "ask Ms. M\u00fcller"}
RENEWALREQ = "17"
HANGING = 2, 10, 50	# seconds until a command is killed; more for machines on which it has not begun after those


class Stand:
    """A site whose profiles ask in every way, and the services that they ask."""

    def __init__(self, make_site, client_of):
        self.site = site = make_site()
        self.client_of, self.folder = client_of, new_folder("hooks-", site.folder)
        self.clients = ClientCa(self.folder, "Clients")
        trusted, stranger = Authority(self.folder, "trusted"), Authority(self.folder, "stranger")
        self.services = {
            "good": HookServer(trusted.issue("good", "127.0.0.1")),
            "stranger": HookServer(stranger.issue("good", "127.0.0.1")),
            "host": HookServer(trusted.issue("host", "mdm.example.com")),
            "expired": HookServer(trusted.issue("expired", "127.0.0.1", expired=True)),
            "mutual": HookServer(trusted.issue("mutual", "127.0.0.1"), client_ca=trusted.file),
            "plain": HookServer(),
        }
        self.hook = self.services["good"]
        secret = write(self.folder / "secret", SECRET + "\n", 0o600)
        write(self.folder / "shared", "a static secret\n", 0o600)
        client = dict(zip(("client_certificate", "client_key"), trusted.issue("responder")))

        def web(service="good", **more):
            return {"url": self.services[service].url, "ca_file": trusted.file, "timeout": "60s", **more}

        def command(**more):
            return {"path": self.script, "timeout": "60s", **more}
        self.script = self.folder / "command"
        self.command("exit 1")
        static = {"static_challenge_file": self.folder / "shared"}
        for name, sections in {
            "judge": {"webhook": web(role="challenge", secret_file=secret)},
            "open": {"webhook": web(role="challenge", without_challenge="yes"), "enrol": {"one_time_challenge": "no"}},
            "comply": {"webhook": web(role="compliance"), "enrol": static},
            "first": {"webhook": web(renewals="no")},
            "hasty": {"webhook": web(timeout="600ms")},
            "once": {"webhook": web(retries="0")},
            **{name: {"webhook": web(name)} for name in ("stranger", "host", "expired", "plain")},
            "system": {"webhook": {"url": self.services["good"].url}},
            "mutual": {"webhook": web("mutual", **client)},
            "anonymous": {"webhook": web("mutual")},
            "command": {"command": command()},
            **{f"command-{seconds}": {"command": command(timeout=f"{seconds}s")} for seconds in HANGING},
            "commands-judge": {"command": command(role="challenge")},
            "both": {"webhook": web(), "command": command()},
            "named": {"webhook": web(), "subject": {"template": "CN=${hook.name},OU=${hook.unit:-none},O=Example"}},
            "device-limit": {"webhook": web(role="challenge"), "limits": {"per_device": "2/1h"}},
            "guess-limit": {"webhook": web(role="challenge"), "limits": {"wrong_challenges": "2/1h"}},
            "tls": {"webhook": web(), "client_certificate": {"trust": write(self.folder / "clients.pem", self.clients.pem)}},
            "manual": {"webhook": web(), "approval": {"mode": "manual"}},
        }.items():
            site.profiles[name] = site.profile(**sections)
        self.front = site.start("lighttpd-socket", client_cas=self.clients.pem)

    def client(self, profile):
        return self.client_of(self.site, self.front, f"/scep/{profile}", profile)

    def command(self, script, interpreter="/bin/sh"):
        write(self.script, f"#!{interpreter}\n{script}\n", 0o755)

    def audit(self, request):
        return self.site.execute("SELECT kind, reason, detail FROM scep.audit WHERE txid = %s", request.txid)

    def stop(self):
        for service in self.services.values():
            service.stop()


@pytest.fixture(scope="module")
def stand(make_site, client_of):
    made = Stand(make_site, client_of)
    yield made
    made.stop()


def log_line(client, request):
    return [line for line in client.front.logs().splitlines() if request.txid in line][-1]


def put_off(client, request, *words):
    """Nothing is issued, and the device is asked to come back; the log says why."""
    before = len(client.site.certs())
    answer = client.post_raw(request.encode())
    assert answer.status == 503 and int(answer.headers["retry-after"]) > 0, client.front.logs()[-1500:]
    assert len(client.site.certs()) == before
    line = log_line(client, request)
    assert "err=hook" in line, line
    for word in words:
        assert word in line, f"{word!r} is not in: {line}"


def gets_it(client, request):
    """It comes back, as often as it is put off: a machine under load may be slower than a short deadline."""
    wait_for(lambda: client.post_raw(request.encode()).status != 503, "anything but 503")
    client.enrol(request)


def queued(client, request):
    return [r for r in client.site.json("request", "list", "--profile", client.profile) if r["transaction"] == request.txid]


# --- what is asked ------------------------------------------------------------------------------------------------------


def test_what_a_judge_of_challenges_is_told(stand):
    hook, client = stand.hook.expect(ALLOW), stand.client("judge")
    request = client.request(label="told", challenge="what only the service knows", dns=("a.example", "b.example"))
    begun = int(time.time())
    client.enrol(request)
    (question,) = hook.questions
    event = question.event
    key = scepmsg.digest_of("sha256", scepmsg.spki(request.key)).hex()
    assert begun <= calendar.timegm(time.strptime(event.pop("time"), "%Y-%m-%dT%H:%M:%SZ")) <= time.time()
    assert base64.b64decode(event.pop("csr")) == request.plain
    assert len(event["id"]) == 32 and event.pop("id") == question.headers["idempotency-key"]
    assert event == {
        "version": 1, "event": "request", "role": "challenge", "profile": "judge", "transaction": request.txid, "message": "PKCSReq",
        "source": "127.0.0.1", "tls_client": None, "subject": "CN=told,O=Example", "sans": ["DNS:a.example", "DNS:b.example"],
        "key": {"type": "RSA", "bits": 2048, "sha256": key}, "device": "told", "renewal": None, "accepted_by": None,
        "challenge": "what only the service knows", "values": {},
    }
    assert question.path == "/hook?token=hidden"
    assert question.headers["content-type"] == "application/json" and question.headers["user-agent"].startswith("scepter/")
    assert signature_is_right(SECRET.encode(), question.headers["x-scepter-signature"], question.body, time.time())
    assert not signature_is_right(b"another secret", question.headers["x-scepter-signature"], question.body, time.time())


def test_the_manuals_checks_of_the_signature(stand):
    """As they stand in doc/HOOKS.md, with the question that they are for and with others."""
    hook, client = stand.hook.expect(ALLOW), stand.client("judge")
    client.enrol(client.request(challenge="signed"))
    (question,) = hook.questions
    header, text = question.headers["x-scepter-signature"], (SOURCE / "doc" / "HOOKS.md").read_text()
    python, shell = (text.split(f"```{kind}\n")[1].split("```")[0] for kind in ("python", "sh"))
    names = {}
    exec(python, names)
    body, secret = write(stand.folder / "body", question.body), stand.folder / "secret"
    for what, data, expected in [(header, question.body, True), (header, question.body + b" ", False),
                                 (header.replace("t=", "t=1"), question.body, False), (header.replace("t=1", "t=0"), question.body, False)]:
        assert names["is_from_scepter"](SECRET.encode(), what, data) == expected
        body.write_bytes(data)
        done = run("sh", "-c", shell + 'is_from_scepter "$@"', "sh", secret, what, body, check=False)
        assert (done.returncode == 0) == expected, done.stderr


def test_what_a_compliance_check_is_told(stand):
    hook, client = stand.hook.expect(ALLOW), stand.client("comply")
    challenge = client.challenge()
    request = client.request(challenge=challenge)
    client.enrol(request)
    event = hook.questions[0].event
    assert event["role"] == "compliance" and event["accepted_by"] == "one-time challenge" and "challenge" not in event
    masked = base64.b64decode(event["csr"])
    assert challenge.encode() not in hook.questions[0].body and challenge.encode() not in masked
    assert masked == request.plain.replace(challenge.encode(), b"*" * len(challenge)), "it can still be read"
    assert "x-scepter-signature" not in hook.questions[0].headers
    client.enrol(client.request(challenge="a static secret"))
    assert hook.questions[1].event["accepted_by"] == "static challenge"


def test_the_tls_client_is_told(stand):
    hook, client, holder = stand.hook.expect(ALLOW), stand.client("tls"), stand.clients.issue("holder")
    answer = rawhttp.post(stand.front.tls_port, "/scep-mtls/tls?operation=PKIOperation", client.request().encode(), tls=holder.context)
    assert answer.status == 200, client.front.logs()[-1500:]
    event = hook.questions[0].event
    assert event["tls_client"] == "CN=holder,O=Example" and event["values"]["tls.cn"] == ["holder"]


def test_connections_are_kept(stand):
    hook, client = stand.hook.expect(ALLOW), stand.client("comply")
    for _ in range(9):
        client.enrol()
    assert len({q.port for q in hook.questions}) <= 2, "two workers, each with one connection"


def test_secrets_stay_out_of_the_log(stand):
    stand.hook.expect(DENY)
    client = stand.client("judge")
    client.refused(client.request(challenge="very-secret-challenge"), scepmsg.BAD_REQUEST)
    logs = client.front.logs()
    assert "very-secret-challenge" not in logs and SECRET not in logs and "token=hidden" not in logs
    rows = client.site.execute("SELECT count(*) FROM scep.audit WHERE audit::text LIKE '%%very-secret%%'")
    assert rows == [(0,)]


# --- who is asked when --------------------------------------------------------------------------------------------------


def test_the_judge_comes_after_the_database(stand):
    hook, client = stand.hook.expect(ALLOW), stand.client("judge")
    client.enrol()	# a one-time challenge that the database knows
    assert hook.questions == []
    request = client.request(challenge=None)
    client.refused(request, scepmsg.BAD_REQUEST)
    assert hook.questions == [], "without_challenge is off"
    assert "no challenge" in stand.audit(request)[0][2]


def test_whom_the_hook_accepts_is_counted(stand):
    """Though the database did not accept the challenge: by device. Nobody is asked about one request too many."""
    hook, client = stand.hook.expect(ALLOW), stand.client("device-limit")
    for n in range(2):
        client.enrol(client.request(label="counted", challenge=f"unknown {n}"))
    assert client.post_raw(client.request(label="counted", challenge="unknown 2").encode()).status == 429
    assert len(hook.questions) == 2
    client.enrol(client.request(label="another", challenge="unknown 3"))


def test_whom_the_hook_refuses_has_guessed(stand):
    hook, client = stand.hook.expect(ALLOW), stand.client("guess-limit")
    for n in range(4):
        client.enrol(client.request(challenge=f"right {n}"))
    hook.expect(DENY)
    for n in range(2):
        client.refused(client.request(challenge=f"wrong {n}"), scepmsg.BAD_REQUEST)
    assert client.post_raw(client.request(challenge="wrong again").encode()).status == 429
    assert len(hook.questions) == 2


def test_requests_without_a_challenge(stand):
    hook, client = stand.hook.expect(ALLOW), stand.client("open")
    client.enrol(client.request(challenge=None))
    assert hook.questions[0].event["challenge"] is None
    client.enrol(client.request(challenge="any"))
    assert hook.questions[1].event["challenge"] == "any"


def test_a_resend_asks_nobody(stand):
    hook, client = stand.hook.expect(ALLOW), stand.client("judge")
    request = client.request(challenge="resent")
    first = client.enrol(request)
    hook.expect(DENY)
    assert client.enrol(request.but(nonce=os.urandom(16))).certs == first.certs
    assert hook.questions == []


def test_refused_requests_ask_nobody(stand):
    hook, client = stand.hook.expect(ALLOW), stand.client("comply")
    client.refused(client.request(challenge="wrong"), scepmsg.BAD_REQUEST)
    assert hook.questions == []


def renewed(client, request, cert, label):
    plain = csr(Device.shared(label).key, request_name(request))
    return Request(request.key, cert, list(client.to), plain, message_type=RENEWALREQ)


def request_name(request):
    return x509.load_der_x509_csr(request.plain).subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value


def test_renewals(stand):
    for profile, asked in (("comply", 2), ("first", 1), ("judge", 0)):
        hook, client = stand.hook.expect(ALLOW), stand.client(profile)
        request = client.request(label=f"renews {profile}")
        cert = client.enrol(request).certs[0]
        client.enrol(renewed(client, request, cert, "renewed"))
        assert len(hook.questions) == asked, profile
        if asked == 2:
            event = hook.questions[1].event
            parsed = x509.load_der_x509_certificate(cert)
            assert event["accepted_by"] == "renewal" and event["message"] == "RenewalReq"
            assert int(event["renewal"]["serial"], 16) == parsed.serial_number and event["renewal"]["subject"] == event["subject"]
            assert event["renewal"]["issuer"] == parsed.issuer.rfc4514_string()
            hook.expect(DENY)
            refused = renewed(client, request, cert, "renewed again")
            client.refused(refused, scepmsg.BAD_REQUEST)
            assert stand.audit(refused) == [("refuse", "compliance_failed", "web hook: web hook says no: not in the inventory")]


# --- what becomes of the answer -----------------------------------------------------------------------------------------


def test_no(stand):
    stand.hook.expect(DENY)
    client = stand.client("judge")
    request = client.request(challenge="unknown to all")
    reply = client.refused(request, scepmsg.BAD_REQUEST)
    assert "inventory" not in (reply.fail_text or ""), "the reason is for log and audit"
    assert stand.audit(request) == [("refuse", "challenge", "web hook: web hook says no: not in the inventory")]
    assert 'refused_by="web hook"' in log_line(client, request)
    client = stand.client("comply")
    challenge = client.challenge()
    request = client.request(challenge=challenge)
    client.refused(request, scepmsg.BAD_REQUEST)
    assert stand.audit(request) == [("refuse", "compliance_failed", "web hook: web hook says no: not in the inventory")]
    stand.hook.expect(ALLOW)
    client.enrol(client.request(challenge=challenge))	# it was not spent


@pytest.mark.parametrize("profile", ["judge", "comply"])
def test_operators_decide(stand, profile):
    hook, client = stand.hook.expect({**WAIT, "values": {"site": ["Ulm", "Bonn"]}}), stand.client(profile)
    request = client.request(label="waits", challenge="judged by the hook" if profile == "judge" else "")
    assert client.send(request).status == scepmsg.PENDING
    (row,) = queued(client, request)
    assert "web hook wants approval: ask Ms. M\u00fcller" in row["requester"]
    assert "web hook wants approval: ask Ms." in client.site.run("request", "list", "--profile", profile).stdout
    assert client.send(request.but(nonce=os.urandom(16))).status == scepmsg.PENDING
    client.site.run("request", "approve", row["id"])
    client.enrol(request.but(nonce=os.urandom(16)))
    assert len(hook.questions) == 1, "asked once, however often the device comes back"


def subject_of(reply):
    return x509.load_der_x509_certificate(reply.certs[0]).subject.rfc4514_string()


def test_values_name_the_device(stand):
    hook, client = stand.hook.expect({**ALLOW, "values": {"name": "M\u00fcller, Ulm", "unit": ["first", "second"]}}), stand.client("named")
    assert subject_of(client.send(client.request())) == "CN=M\u00fcller\\, Ulm,OU=first,O=Example"
    hook.expect({**ALLOW, "values": {"name": "alone"}})
    assert subject_of(client.send(client.request())) == "CN=alone,OU=none,O=Example"
    hook.expect(ALLOW)
    request = client.request()
    client.refused(request, scepmsg.BAD_REQUEST)
    assert "hook.name" in log_line(client, request)


def test_values_wait_with_the_request(stand):
    hook, client = stand.hook.expect({**WAIT, "values": {"name": "waited"}}), stand.client("named")
    request = client.request()
    assert client.send(request).status == scepmsg.PENDING
    client.site.run("request", "approve", queued(client, request)[0]["id"])
    assert subject_of(client.send(request.but(nonce=os.urandom(16)))) == "CN=waited,OU=none,O=Example"
    assert len(hook.questions) == 1


def test_compliance_before_operators(stand):
    hook, client = stand.hook.expect(DENY), stand.client("manual")
    client.refused(client.request(challenge=None), scepmsg.BAD_REQUEST)
    assert hook.questions[0].event["accepted_by"] is None
    hook.expect(ALLOW)
    request = client.request(challenge=None)
    assert client.send(request).status == scepmsg.PENDING
    assert "wants approval" not in queued(client, request)[0]["requester"]


def test_raced(stand):
    """The same request several times at once: the service may be asked each time, and there is one certificate."""
    hook, client = stand.hook.expect(ALLOW), stand.client("judge")
    request, barrier, replies = client.request(challenge="raced"), threading.Barrier(2, timeout=DEADLINE), []

    def both(handler, question):
        barrier.wait()	# nobody is answered before both have asked
        return ALLOW
    hook.expect(both)
    threads = [threading.Thread(target=lambda: replies.append(client.send(request))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(hook.questions) == 2 and len(replies) == 2 and replies[0].certs == replies[1].certs
    assert client.site.execute("SELECT count(*) FROM scep.cert WHERE txid = %s", request.txid) == [(1,)]


# --- a service that is broken -------------------------------------------------------------------------------------------


def after(*steps):
    """Each step answers one question, the last one all that follow."""
    left = list(steps)

    def answer(handler, question):
        step = left.pop(0) if len(left) > 1 else left[0]
        return step(handler, question) if callable(step) else step
    return answer


def closed(handler, question):
    handler.give_up()


def half(handler, question):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"decision\": \"allow\"")
    handler.give_up()


def status(code, *headers):
    def answer(handler, question):
        handler.give(b"{\"decision\": \"allow\"}", code, headers)
    return answer


@pytest.mark.parametrize("failure", [closed, half, status(500), status(503)], ids=["closed", "half", "500", "503"])
def test_asked_again(stand, failure):
    hook, client = stand.hook.expect(after(failure, ALLOW)), stand.client("comply")
    client.enrol()
    assert len(hook.questions) == 2 and len({q.headers["idempotency-key"] for q in hook.questions}) == 1


def test_not_asked_again(stand):
    hook = stand.hook.expect(after(status(500), ALLOW))
    put_off(stand.client("once"), stand.client("once").request(), "web hook", "HTTP 500")
    assert len(hook.questions) == 1


@pytest.mark.parametrize("answer, words", [
    (closed, "cannot be asked"), (half, "cannot be asked"), (status(500), "HTTP 500"), (status(404), "HTTP 404"), (status(403), "HTTP 403"),
    (status(302, ("Location", "https://127.0.0.1:1/")), "redirects are not followed"),
    (b"x" * (64 * 1024 + 1), "more than 64 KiB"), (b"", "empty"), (b"allow", "not JSON"), (b"{\"decision\": \"allow\"", "not JSON"),
    ({"decision": "yes"}, "not allow, deny or pending"), ({}, "missing"), ({**ALLOW, "value": {}}, "no member 'value'"),
    ({**ALLOW, "values": {"a": 1}}, "'a' is neither"), ({**ALLOW, "values": {"a": "x" * 2000}}, "too long"),
], ids=lambda x: getattr(x, "__name__", None) or str(x)[:20])
def test_fails_closed(stand, answer, words):
    stand.hook.expect(answer)
    client = stand.client("comply")
    challenge = client.challenge()
    request = client.request(challenge=challenge)
    put_off(client, request, "web hook", words)
    assert stand.audit(request) == [], "nothing was refused"
    stand.hook.expect(ALLOW)
    client.enrol(request)	# the same request, when the service is well again: its challenge was not spent


YES = b'{"decision": "allow"}'


def octets(*parts, end=False):
    """An answer as it stands. end: its connection ends with it, as TLS wants it; else it stays."""
    def answer(handler, question):
        handler.wfile.write(b"".join(parts))
        handler.wfile.flush()
        if end:
            handler.give_up()
            try:
                handler.connection.unwrap()
            except (OSError, ValueError):
                pass			# it does not say goodbye
    return answer


def with_length(body, *head):
    return b"\r\n".join((*head, b"Content-Length: %d" % len(body), b"", body))


@pytest.mark.parametrize("answer", [
    octets(b"HTTP/1.0 200 OK\r\n\r\n", YES, end=True), octets(with_length(YES, b"HTTP/1.0 200 OK")),
    octets(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n", YES[:5], b"\r\n%x\r\n" % (len(YES) - 5), YES[5:], b"\r\n0\r\n\r\n"),
    octets(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n", with_length(YES, b"HTTP/1.1 201 Created")),
    b"\r\n\t " + YES + b" \n", b'{"values": {"a": ":\\"{"}, "decision": "allow", "version": 1}',
], ids=["1.0", "1.0-length", "chunked", "interim", "blanks", "order"])
def test_forms_of_an_answer(stand, answer):
    stand.hook.expect(answer)
    stand.client("comply").enrol()
    assert len(stand.hook.questions) == 1


@pytest.mark.parametrize("answer, words", [
    (octets(b"HTTP/1.0 200 OK\r\n\r\n", YES[:9], end=True), "not JSON"), (octets(b"HTTP/1.1 204 No Content\r\n\r\n"), "empty"),
    (octets(with_length(gzip.compress(YES), b"HTTP/1.1 200 OK", b"Content-Encoding: gzip")), "not UTF-8"),
    (octets(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxx\r\n", end=True), "cannot be asked"), (octets(YES, end=True), "cannot be asked"),
    (b"\xef\xbb\xbf" + YES, "byte order mark"), (YES.decode().encode("utf-16"), "not UTF-8"), (YES + YES, "not JSON"), (YES + b"\0", "a NUL"),
    (b'{"decision": "deny", "decisio\\u006e": "allow"}', "twice"), (b'{"decision": "allow", "values": {"a": "1", "a": "2"}}', "twice"),
    (b'{"decision": "allow", "values": {"a": ' + b"[" * 5000 + b"]" * 5000 + b"}}", "too deep"), (b'{"Decision": "allow"}', "no member"), (b"[" + YES + b"]", "JSON object"),
], ids=["cut", "204", "gzip", "bad-chunk", "no-head", "bom", "utf-16", "two", "nul", "twice", "twice-inside", "deep", "case", "list"])
def test_forms_that_are_none(stand, answer, words):
    stand.hook.expect(answer)
    client = stand.client("comply")
    put_off(client, client.request(), "the web hook failed, so nothing was issued", words)


def test_a_redirect_leads_nowhere(stand):
    elsewhere = stand.services["plain"].expect(ALLOW)
    stand.hook.expect(status(307, ("Location", elsewhere.url)))
    put_off(stand.client("comply"), stand.client("comply").request(), "HTTP 307")
    assert elsewhere.questions == []


def test_late(stand):
    """One deadline for all attempts, whatever the service does; the worker is free again after it."""
    release = threading.Event()

    def late(handler, question):
        release.wait()
        handler.give_up()
    hook, client = stand.hook.expect(late), stand.client("hasty")
    request = client.request()
    begun = time.monotonic()
    put_off(client, request, "did not answer within")
    assert time.monotonic() - begun > 0.5
    release.set()
    hook.expect(ALLOW)
    gets_it(client, request)


def test_away(stand):
    """Nobody listens; then somebody does."""
    site, service = stand.site, HookServer()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))		# it does not listen, and nobody else can
        site.profiles["away"] = site.profile(webhook={"url": f"http://127.0.0.1:{nobody.getsockname()[1]}/"})
        site.write()
        reload_whole(stand.front)
        client = stand.client("away")
        request = client.request()
        put_off(client, request, "cannot be asked")
    site.profiles["away"] = site.profile(webhook={"url": service.url})
    site.write()
    reload_whole(stand.front)
    client.enrol(request)
    service.stop()


@pytest.mark.parametrize("profile", ["stranger", "host", "expired", "system"])
def test_wrong_certificates(stand, profile):
    """system: without ca_file, the system's authorities count, of which ours is none."""
    service, client = stand.services.get(profile, stand.hook).expect(ALLOW), stand.client(profile)
    put_off(client, client.request(), "is not trusted")
    assert service.questions == [], "nothing was sent"


def test_client_certificate(stand):
    service = stand.services["mutual"].expect(ALLOW)
    stand.client("mutual").enrol()
    assert dict(rdn[0] for rdn in service.questions[0].peer["subject"]) == {"commonName": "responder"}
    put_off(stand.client("anonymous"), stand.client("anonymous").request(), "cannot be asked")


def test_loopback_in_the_clear(stand):
    stand.services["plain"].expect(ALLOW)
    stand.client("plain").enrol()


# --- a command ----------------------------------------------------------------------------------------------------------


def test_command_says_yes(stand):
    seen = stand.folder / "seen"
    stand.command(f"cat >{seen}; env >{seen}.env; ls -l /proc/self/fd >{seen}.fd; grep -E '^Sig(Blk|Ign)' /proc/self/status >{seen}.sig\n"
                  "echo '{\"decision\": \"allow\", \"values\": {\"site\": \"Ulm\"}}'")
    client = stand.client("command")
    request = client.request(label="by command")
    client.enrol(request)
    event = json.loads(seen.read_text())
    assert event["subject"] == "CN=by command,O=Example" and event["accepted_by"] == "one-time challenge"
    env = dict(line.split("=", 1) for line in (stand.folder / "seen.env").read_text().splitlines())
    assert set(env) <= {"PATH", "LC_ALL", "PWD", "_", "SHLVL", "OLDPWD"} and env["PWD"] == "/"
    fds = [line.split()[8] for line in (stand.folder / "seen.fd").read_text().splitlines()[1:]]
    assert set(fds) <= {"0", "1", "2", "3"}, "3 is the folder that ls reads"
    masks = [line.split()[1] for line in (stand.folder / "seen.sig").read_text().splitlines()]
    assert [int(mask, 16) & 0x7fffffff for mask in masks] == [0, 0], "blocks and ignores nothing but what the C library has for itself"


def test_command_says_no(stand):
    stand.command("""cat >/dev/null; echo '{"decision": "deny", "reason": "no such asset"}'""")
    client = stand.client("command")
    request = client.request()
    client.refused(request, scepmsg.BAD_REQUEST)
    assert stand.audit(request) == [("refuse", "compliance_failed", "command: command says no: no such asset")]
    client = stand.client("commands-judge")
    request = client.request(challenge="unknown")
    client.refused(request, scepmsg.BAD_REQUEST)
    assert stand.audit(request) == [("refuse", "challenge", "command: command says no: no such asset")]


def test_command_judges_challenges(stand):
    stand.command("""case $(cat) in *'"challenge":"open sesame"'*) d=allow;; *) d=pending;; esac; printf '{"decision": "%s"}' $d""")
    client = stand.client("commands-judge")
    client.enrol(client.request(challenge="open sesame"))
    request = client.request(challenge="close sesame")
    assert client.send(request).status == scepmsg.PENDING
    assert queued(client, request)[0]["requester"].endswith("; command wants approval")


@pytest.mark.parametrize("script, words", [
    ("cat >/dev/null; echo the database is away >&2; echo more >&2; exit 1", ("exit code 1", "it said: the database is away")),
    ("kill -9 $$", ("killed by signal 9",)),
    ("echo nonsense", ("not JSON",)),
    ("exit 0", ("empty",)),
    ("cat /dev/zero", ("more than 64 KiB",)),
    ("yes >&2; exit 0", ("did not end within", "2000 ms")),
], ids=["exit", "killed", "garbage", "nothing", "huge", "chatty"])
def test_command_fails_closed(stand, script, words):
    stand.command(script)
    client = stand.client("command-2" if "2000 ms" in words else "command")
    request = client.request()
    put_off(client, request, 'refused_by="command"', *words)
    stand.command("""echo '{"decision": "allow"}'""")	# it reads nothing
    gets_it(client, request)


def test_command_cannot_be_run(stand):
    write(stand.script, "#!/nonexistent/interpreter\n", 0o755)
    client = stand.client("command")
    put_off(client, client.request(), "cannot be run")


def pids_in(path):
    return [int(p) for p in path.read_text().split()] if path.exists() else []


def test_command_hangs(stand):
    """It is killed, with what it started."""
    def hangs(seconds):
        """Its process ids; None: it was killed before it had begun."""
        pids = stand.folder / f"hanging-{seconds}"
        stand.command(f"echo $$ >>{pids}; sleep 1000 & echo $! >>{pids}; wait")
        client = stand.client(f"command-{seconds}")
        put_off(client, client.request(), "did not end within", f"{seconds}000 ms")
        return pids_in(pids) if len(pids_in(pids)) == 2 else None
    both = widening(hangs, *HANGING)
    wait_for(lambda: not any(alive(pid) for pid in both), "both to be dead")


def test_command_leaves_somebody_behind(stand):
    """A process that it left holds the pipes: nobody waits for that one."""
    pids = stand.folder / "left"
    stand.command(f"""sleep 1000 & echo $! >{pids}; echo '{{"decision": "allow"}}'""")
    client = stand.client("command")
    begun = time.monotonic()
    client.enrol()
    assert time.monotonic() - begun < 30, "of the 60 that it has"
    wait_for(lambda: not alive(pids_in(pids)[0]), "it to be gone")


def test_no_zombies(stand):
    from processes import children
    stand.command("""echo '{"decision": "allow"}'""")
    client = stand.client("command")
    for _ in range(6):
        client.enrol()
    assert [children(worker) for worker in client.front.responder.workers()] == [[], []]


def test_web_hook_then_command(stand):
    hook, client = stand.hook.expect({**ALLOW, "values": {"owner": "M\u00fcller"}}), stand.client("both")
    stand.command("""case $(cat) in *'"hook.owner":["M\u00fcller"]'*) d=allow;; *) d=deny;; esac; printf '{"decision": "%s"}' $d""")
    client.enrol()
    hook.expect(DENY)
    stand.command("exit 1")
    client.refused(client.request(), scepmsg.BAD_REQUEST)	# the command was not asked any more


# --- however it is started ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["cgi", "lighttpd-spawned", "mod_fcgid"])
def test_front_ends(make_site, client_of, kind):
    """One process for one request, and processes that a web server starts, with its signals and descriptors."""
    site = make_site()
    service, script = HookServer(), site.folder / "command"
    write(script, """#!/bin/sh\necho '{"decision": "allow"}'\n""", 0o755)
    site.profiles["default"] = site.profile(webhook={"url": service.url}, command={"path": script})
    client = client_of(site, site.start(kind))
    for _ in range(3):
        client.enrol()
    assert len(service.questions) == 3
    service.expect(DENY)
    client.refused(client.request(), scepmsg.BAD_REQUEST)
    service.stop()
