"""Authenticators side by side: who judges which challenge, who has to say yes besides, and who is named when it is no."""
import pytest
from hookserver import Authority, HookServer
from processes import new_folder, write
from scepmsg import BAD_MESSAGE_CHECK, BAD_REQUEST, FAILURE, PENDING, SUCCESS, Device, csr
from signed import ES, STRANGER, settings

STATIC, ONE_TIME, WRONG = "a static secret", object(), "nobody's challenge"
COMMAND = """#!/bin/sh
if grep -q not-this-one; then echo '{"decision":"deny","reason":"too old"}'; else echo '{"decision":"allow"}'; fi
"""
NO, YES, LOOK = {"decision": "deny", "reason": "not mine"}, {"decision": "allow"}, {"decision": "pending", "reason": "look at it"}


@pytest.fixture(scope="module")
def stand(make_site, client_of):
    site = make_site()
    folder = new_folder("hooks-", site.folder)
    trusted = Authority(folder, "trusted")
    hook = HookServer(trusted.issue("hook", "127.0.0.1"))
    secrets = {"static_challenge_file": write(folder / "secrets", STATIC + "\n", 0o600)}
    token, alone = settings(site), {"one_time_challenge": "no"}
    everybody = {"enrol": secrets, "signed_challenge": token, "command": {"path": write(folder / "command", COMMAND, 0o755)},
                 "webhook": {"url": hook.url, "ca_file": trusted.file, "role": "challenge"}}
    for name, sections in {
        "all": everybody, "all-wait": {**everybody, "approval": {"mode": "manual"}},
        "static": {"enrol": {**alone, **secrets}}, "signed": {"enrol": alone, "signed_challenge": token},
        "both": {"enrol": {**alone, **secrets}, "signed_challenge": token}, "operators": {"enrol": alone, "approval": {"mode": "manual"}},
    }.items():
        site.profiles[name] = site.profile(**sections)
    front = site.start("lighttpd-socket")

    def ask(profile, challenge, answer, common_name="this-one"):
        """The answer, what the log says of it, and how often the web hook was asked."""
        hook.expect(answer)
        client, device = client_of(site, front, f"/scep/{profile}", profile), Device.shared("asks everybody")
        secret = client.challenge() if challenge is ONE_TIME else challenge() if callable(challenge) else challenge
        request = device.request(client.to, plain=csr(device.key, common_name, secret))
        reply = client.send(request)
        return reply, request, [line for line in front.logs().splitlines() if request.txid in line][-1], len(hook.questions)
    ask.site = site
    yield ask
    hook.stop()


@pytest.mark.parametrize("challenge, answer, actor, asked", [
    (STATIC, NO, "static challenge", 0), (ONE_TIME, NO, "one-time challenge", 0), (ES.token, NO, "signed challenge", 0), (WRONG, YES, "web hook", 1),
], ids=["static", "one-time", "signed", "web-hook"])
@pytest.mark.parametrize("profile, status, kind", [("all", SUCCESS, "issue"), ("all-wait", PENDING, "pend")])
def test_who_says_yes(stand, profile, status, kind, challenge, answer, actor, asked):
    """The first that knows the challenge: nobody else is asked to judge it."""
    reply, request, _, questions = stand(profile, challenge, answer)
    assert reply.status == status and questions == asked
    assert stand.site.execute("SELECT kind, actor FROM scep.audit WHERE txid = %s", request.txid) == [(kind, f"{actor} from 127.0.0.1")]


def test_who_wants_an_operator(stand):
    reply, request, _, _ = stand("all", WRONG, LOOK)
    assert reply.status == PENDING
    (actor,), = stand.site.execute("SELECT actor FROM scep.audit WHERE txid = %s", request.txid)
    assert actor == "web hook from 127.0.0.1; web hook wants approval: look at it"


NOBODY = [
    ("all", WRONG, "web hook", "challenge", BAD_REQUEST, "web hook says no: not mine"),
    ("all", STRANGER.token, "signed challenge", "signature_invalid", BAD_MESSAGE_CHECK, "fits none of the trust anchors"),
    ("all", None, "challenge", "challenge", BAD_REQUEST, "the request has no challengePassword"),
    ("static", WRONG, "static challenge", "challenge", BAD_REQUEST, "none of the profile's static secrets"),
    ("static", ES.token, "static challenge", "challenge", BAD_REQUEST, "none of the profile's static secrets"),
    ("signed", WRONG, "signed challenge", "challenge", BAD_REQUEST, "is no signed challenge"),
    ("both", WRONG, "static challenge", "challenge", BAD_REQUEST, "none of the profile's static secrets, and no signed challenge"),
    ("both", STRANGER.token, "signed challenge", "signature_invalid", BAD_MESSAGE_CHECK, "fits none of the trust anchors"),
    ("operators", WRONG, "challenge", "challenge", BAD_REQUEST, "nobody in this profile takes any"),
]


@pytest.mark.parametrize("profile, challenge, who, reason, fail_info, sentence", NOBODY, ids=[f"{n}-{row[0]}-{row[2]}" for n, row in enumerate(NOBODY)])
def test_who_says_no(stand, profile, challenge, who, reason, fail_info, sentence):
    reply, request, line, _ = stand(profile, challenge, NO)
    assert (reply.status, reply.fail_info, reply.fail_text) == (FAILURE, fail_info, "request not authorised"), "the client is told nothing else"
    (said, detail), = stand.site.execute("SELECT reason, detail FROM scep.audit WHERE txid = %s AND kind = 'refuse'", request.txid)
    assert said == reason and detail.startswith(f"{who}: ") and sentence in detail, detail
    assert f'refused_by="{who}"' in line and sentence in line


@pytest.mark.parametrize("challenge", [STATIC, ONE_TIME, ES.token, WRONG], ids=["static", "one-time", "signed", "web-hook"])
@pytest.mark.parametrize("profile", ["all", "all-wait"])
def test_who_says_no_after_a_yes(stand, profile, challenge):
    """Compliance, whoever has accepted the challenge, and before any operator."""
    reply, request, line, _ = stand(profile, challenge, YES, "not-this-one")
    assert (reply.status, reply.fail_info) == (FAILURE, BAD_REQUEST)
    assert 'refused_by="command" why="command says no: too old"' in line
    assert stand.site.execute("SELECT kind, reason, detail FROM scep.audit WHERE txid = %s", request.txid) == [
        ("refuse", "compliance_failed", "command: command says no: too old")]
