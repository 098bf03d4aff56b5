"""The corpus of bad requests (tests/data/bad/messages), replayed through the whole server: each gets the answer that its manifest says."""
import hostile
import pytest
import scepmsg
from asn1crypto import cms
from processes import SOURCE, write

FOLDER = SOURCE / "tests" / "data" / "bad" / "messages"
GOOD = SOURCE / "tests" / "data" / "good" / "scep"
FAIL_INFO = ("badAlg", "badMessageCheck", "badRequest", "badTime", "badCertId")
ONE_ANSWER = "one-answer-"
MANIFEST = dict(line.split() for line in (FOLDER / "manifest").read_text().splitlines())


@pytest.fixture(scope="module")
def server(make_site, client_of):
    """A site with the CA and RA to which the corpus is encrypted, where its challenge is good."""
    site = make_site()
    for name in ("ca.pem", "ca.key", "ra.pem", "ra.key"):
        write(site.folder / name, (GOOD / name).read_text(), 0o600)
    write(site.folder / "secrets", "made-challenge\n", 0o600)
    site.profiles["default"] = site.profile(ca={"certificate": site.folder / "ca.pem", "key": site.folder / "ca.key"},
                                            ra={"certificate": site.folder / "ra.pem", "key": site.folder / "ra.key"},
                                            enrol={"static_challenge_file": site.folder / "secrets"})
    client = client_of(site, site.start("lighttpd-socket"))
    client.trusted = client.to = [scepmsg.certificate((GOOD / "ra.pem").read_bytes())]
    yield client
    site.stop()


def said(server, answer):
    """What an answer says: an HTTP status, or the name of a failInfo, and everything of it that could tell one case from another."""
    if answer.status != 200:
        return str(answer.status), (answer.status, answer.body)
    signed = cms.ContentInfo.load(answer.body, strict=True)["content"]
    signer = signed["signer_infos"][0]
    raw = scepmsg._read_attributes(signer)
    reply = scepmsg.Reply(int(scepmsg._text(raw, scepmsg.PKI_STATUS)), signer=signed["certificates"][0].dump(), digest=signer["digest_algorithm"]["algorithm"].native)
    assert reply.signer in server.trusted
    scepmsg._verify_signature(signer, reply)
    if reply.status != scepmsg.FAILURE:
        return f"status {reply.status}", ()
    info = scepmsg._text(raw, scepmsg.FAIL_INFO)
    return FAIL_INFO[int(info)], (info, raw.get(scepmsg.FAIL_INFO_TEXT), len(answer.body))


def replay(server, names):
    """The answers to these files; every one must be the manifest's."""
    workers = server.front.responder.all_workers()
    got = {name: said(server, server.post_raw((FOLDER / name).read_bytes())) for name in names}
    wrong = [f"{name} {got[name][0]} instead of {MANIFEST[name]}" for name in names if got[name][0] != MANIFEST[name]]
    assert not wrong, "\n" + "\n".join(wrong)
    assert server.front.responder.workers() == workers, "a worker died"
    assert server.site.execute("SELECT count(*) FROM scep.cert WHERE txid LIKE 'made by hand%%'")[0][0] == 0
    return got


def test_corpus_is_complete():
    """Nothing without an answer, no answer without its file, none too large to keep, and enough of them."""
    files = {p.name for p in FOLDER.iterdir()} - {"manifest"}
    assert files == set(MANIFEST) and len(files) >= 200
    assert all(p.stat().st_size < 20000 for p in FOLDER.iterdir())


def test_a_right_message_enrols(server):
    """What the corpus spoils is right: the challenge, the recipient and the keys are good here."""
    device = scepmsg.Device.shared("right")
    reply = server.send(device.request(server.to, "made-challenge"))
    assert reply.status == scepmsg.SUCCESS


def test_every_file_gets_its_answer(server):
    replay(server, sorted(n for n in MANIFEST if not n.startswith(ONE_ANSWER)))


def test_one_answer_for_what_only_the_key_can_tell(server):
    """Wrong padding, a key of the wrong length, garbage, a PKCS#10 with a bad signature: nothing tells them apart (P-85)."""
    answers = {answer for _, answer in replay(server, sorted(n for n in MANIFEST if n.startswith(ONE_ANSWER))).values()}
    assert len(answers) == 1, answers


STRANGE = dict(hostile.from_strangers())


def outlived(server, body):
    """What is said to this body; the workers live on."""
    workers = server.front.responder.all_workers()
    answer, _ = said(server, server.post_raw(body))
    assert server.front.responder.workers() == workers, "a worker died"
    return answer


@pytest.mark.parametrize("name", STRANGE)
def test_bombs(server, name):
    """Large bodies that break careless readers. What they cost: tests/bench/hostile_bodies."""
    assert len(STRANGE[name]) <= 1 << 20
    assert outlived(server, STRANGE[name]) == ("badRequest" if name.startswith(("a mebibyte of", "200")) else "400")


def test_sealed_bombs(server):
    answers = {name: outlived(server, body) for name, body in hostile.sealed(server.to[0])}
    assert set(answers.values()) == {"badRequest"}, answers
