"""A bad deploy: whatever is wrong anywhere, nothing changes, and every problem is a line with file, section, key and remedy."""
import contextlib
import os
import shutil
import signal
import socket
import tempfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

import scepmsg
from conftest import RESPONDER, Server, wait_for
from test_responder import PROFILE, authority, certificate, run, site, write, write_pair  # noqa: F401

OTHER = "[profile]\npaths = /mscep /certsrv/mscep.dll\n"


def profile(site, name, text):
    write(site / "profiles.d" / f"{name}.ini", text, 0o644)


def wrong_key(site, ra):
    """The certificate was renewed, the key stayed behind."""
    write_pair(site, "fresh", ra[0], scepmsg.new_key())
    profile(site, "ra1", PROFILE.replace("../ra.", "../fresh."))


def unreadable_key(site, ra):
    write_pair(site, "shut", ra[0], ra[1])
    (site / "shut.key").chmod(0)
    profile(site, "ra1", PROFILE.replace("key = ../ra.key", "key = ../shut.key"))


def open_key(site, ra):
    write_pair(site, "open", ra[0], ra[1])
    (site / "open.key").chmod(0o644)
    profile(site, "ra1", PROFILE.replace("key = ../ra.key", "key = ../open.key"))


def foreign_ra(site, ra):
    key = scepmsg.new_key()
    write_pair(site, "foreign", certificate("Foreign RA", key), key)
    profile(site, "ra1", PROFILE.replace("../ra.", "../foreign."))


def expired_ra(site, ra):
    key = scepmsg.new_key()
    cert = certificate("Old RA", key, ra[2], ra[3], days=-1)
    write_pair(site, "expired", cert, key)
    profile(site, "ra1", PROFILE.replace("../ra.", "../expired."))


def settings(text):
    return lambda site, ra: profile(site, "ra1", text)


def two_owners(site, ra):
    profile(site, "ra1", PROFILE + OTHER)
    profile(site, "ra2", PROFILE + OTHER)


def half_copied(site, ra):
    cert = ra[0].public_bytes(serialization.Encoding.PEM)
    write(site / "half.pem", cert[:len(cert) // 2], 0o644)
    profile(site, "ra1", PROFILE.replace("certificate = ../ra.pem", "certificate = ../half.pem"))


def short_secret(site, ra):
    write(site / "short", "abc\n")
    profile(site, "ra1", PROFILE.replace("../secrets", "../short"))


def server_setting(old, new):
    return lambda site, ra: write(site / "scepter.ini", (site / "scepter.ini").read_text().replace(old, new))


def pepper(site, ra):
    write(site / "pepper", b"short")


def no_pepper(site, ra):
    (site / "pepper").unlink()


# what was deployed; the file and the place in it that are named; what is said of it; the remedy
DEPLOYS = {
    "key does not match": (wrong_key, "ra1.ini [ra] key", "the RA key does not belong to the RA certificate", "name the key"),
    "key unreadable": (unreadable_key, "ra1.ini [ra] key", "Permission denied", "let the user that this runs as read it"),
    "key open to others": (open_key, "ra1.ini [ra] key", "is open to group or others", "chmod 600"),
    "key missing": (settings(PROFILE.replace("../ra.key", "../no.key")), "ra1.ini [ra] key", "no.key", "is the name right?"),
    "certificate missing": (settings(PROFILE.replace("../ra.pem", "../no.pem")), "ra1.ini [ra] certificate", "no.pem", "is the name right?"),
    "certificate half copied": (half_copied, "ra1.ini [ra] certificate", "half.pem", "damaged PEM"),
    "chain missing": (settings(PROFILE.replace("[ra]", "chain = ../no-chain.pem\n[ra]")), "ra1.ini [ca] chain", "no-chain.pem",
                      "is the name right?"),
    "RA of another CA": (foreign_ra, "ra1.ini [ra]", "was not issued by the profile's CA", ""),
    "RA expired": (expired_ra, "ra1.ini [ra]", "expired on", "issue a new one"),
    "former RA missing": (settings(PROFILE + "[old_ra]\ncertificate = ../no.pem\nkey = ../ra.key\n"), "ra1.ini [old_ra] certificate", "no.pem",
                          "is the name right?"),
    "former CA missing": (settings(PROFILE + "[old_ca]\ncertificate = ../no.pem\n"), "ra1.ini [old_ca] certificate", "no.pem",
                          "is the name right?"),
    "next CA missing": (settings(PROFILE + "[next_ca]\ncertificate = ../no.pem\nkey = ../ca.key\n"), "ra1.ini [next_ca] certificate",
                        "no.pem", "is the name right?"),
    "CAs to renew from missing": (settings(PROFILE + "[renewal]\nrenew_from = ../no.pem\nrenew_from_until = 2099-01-01\n"),
                                  "ra1.ini [renewal] renew_from", "no.pem", "is the name right?"),
    "their CRL missing": (settings(PROFILE + "[renewal]\nrenew_from = ../ca.pem\nrenew_from_crl = ../no.crl\nrenew_from_until = 2099-01-01\n"),
                          "ra1.ini [renewal] renew_from_crl", "no.crl", "is the name right?"),
    "secrets missing": (settings(PROFILE.replace("../secrets", "../none")), "ra1.ini [enrol] static_challenge_file", "none",
                        "is the name right?"),
    "secret too short": (short_secret, "ra1.ini [enrol] static_challenge_file", "too short", "make every line"),
    "secret of the web hook missing": (settings(PROFILE + "[webhook]\nurl = https://hook.example/\nsecret_file = ../no.secret\n"),
                                       "ra1.ini [webhook] secret_file", "no.secret", "is the name right?"),
    "command missing": (settings(PROFILE + "[command]\npath = /nowhere/may-enrol\n"), "ra1.ini [command] path", "/nowhere/may-enrol", ""),
    "CAs of client certificates missing": (settings(PROFILE + "[client_certificate]\ntrust = ../no-trust.pem\n"),
                                           "ra1.ini [client_certificate]", "no-trust.pem", "is the name right?"),
    "section misspelt": (settings(PROFILE.replace("[enrol]", "[enroll]")), "ra1.ini:7 [enroll]", "unknown section", "did you mean 'enrol'?"),
    "key misspelt": (settings(PROFILE.replace("certificate = ../ra", "certifcate = ../ra")), "ra1.ini:5 [ra] certifcate", "unknown key",
                     "did you mean 'certificate'?"),
    "value out of range": (settings(PROFILE + "[certificate]\nvalidity = 1s\n"), "ra1.ini:10 [certificate] validity", "'1s'", "from 1m"),
    "no way in": (settings(PROFILE.replace("static_challenge_file = ../secrets", "one_time_challenge = no")),
                  "ra1.ini [enrol]", "nothing could authorise a device", "any of these would: "),
    "two profiles with one path": (two_owners, "ra2.ini [profile] paths", "is a path of profile 'ra1' already", "leads to one profile"),
    "bad name of a profile": (lambda site, ra: profile(site, "Bad Name", PROFILE), "Bad Name.ini", "is not a profile's name", "1 to 63 of"),
    "scepter.ini misspelt": (server_setting("max_body", "max_bdy"), "scepter.ini:4 [server] max_bdy", "unknown key", "did you mean 'max_body'?"),
    "pepper too short": (pepper, "scepter.ini [database] pepper_file", "holds 5 octets", "head -c 32"),
    "pepper missing": (no_pepper, "scepter.ini [database] pepper_file", "pepper", "is the name right?"),
}

UNPRIVILEGED = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"] if os.getuid() == 0 else []


@contextlib.contextmanager
def open_folder():
    """Which every user may pass. pytest's own is closed again and again, by every other pytest that starts on the machine."""
    with tempfile.TemporaryDirectory(prefix="scepter-") as path:
        os.chmod(path, 0o755)
        yield Path(path)


@pytest.fixture
def tmp_path():
    with open_folder() as path:
        yield path


@pytest.fixture(scope="session")
def installed():
    """The responder where every user can start it, wherever it was built."""
    with open_folder() as path:
        yield shutil.copy(RESPONDER, path / "scep.fcgi")


@pytest.fixture
def unprivileged(site, tmp_path, installed):
    """The responder as a user whom the modes of files bind, and where it tells systemd how it is."""
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(tmp_path / "notify"))
    notify.settimeout(60)
    for path in [tmp_path, *tmp_path.rglob("*")]:
        if UNPRIVILEGED:
            os.chown(path, 65534, 65534)
    server = Server([*UNPRIVILEGED, installed, "--conf", site / "scepter.ini", "--listen", tmp_path / "s"], tmp_path / "s", tmp_path / "log0",
                    env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}).ready()
    server.notify = notify
    yield server
    assert server.stop() == 0


def said(server, n):
    """What the master logged since then: its workers say what they have to say at any time."""
    return [line for line in server.log()[n:].splitlines() if f"[{server.process.pid}]" in line]


def told(server, word):
    """What systemd is told, up to the message with `word`."""
    seen = []
    while not seen or word not in seen[-1]:
        seen.append(server.notify.recv(4096).decode())
    return seen


@pytest.mark.parametrize("what", DEPLOYS)
def test_a_bad_deploy_changes_nothing_and_says_why(unprivileged, site, authority, what):	# noqa: F811
    deploy, place, text, remedy = DEPLOYS[what]
    server = unprivileged
    told(server, "READY=1")
    before = set(server.workers(2))
    profile(site, "good", PROFILE)		# beside it, and not wrong: all or nothing
    deploy(site, (authority[2], authority[3], authority[0], authority[1]))
    for path in site.rglob("*"):
        if UNPRIVILEGED and path.name != "notify":
            os.chown(path, 65534, 65534)
    n = len(server.log())
    server.signal(signal.SIGHUP)
    states = told(server, "READY=1")
    assert states[0].startswith("RELOADING=1\nMONOTONIC_USEC=") and states[-1] == "READY=1"
    status, = [s for s in states if s.startswith("STATUS=")]
    assert "reload failed" in status and "old configuration goes on" in status
    lines = said(server, n)
    named = [line for line in lines if place in line]
    assert named and text in named[0] and remedy in named[0], lines
    assert "was not reloaded" in lines[-1] and "the old configuration goes on" in lines[-1]
    assert set(server.children()) == before
    for name, http in (("default", 200), ("ra1", 200), ("good", 404), ("ra2", 404)):
        assert server.ask(path=f"/scep/{name}", query="operation=GetCACaps").status == http
    # what is wrong is what --check says as well
    assert text in run("--check", "--conf", site / "scepter.ini").stdout.decode() or "unreadable" in what


def test_each_problem_is_a_line(unprivileged, site):	# noqa: F811
    profile(site, "ra1", PROFILE.replace("[enrol]", "[enroll]"))
    profile(site, "two", PROFILE.replace("../ca.pem", "../missing.pem").replace("../ra.key", "../gone.key"))
    n = len(unprivileged.log())
    unprivileged.signal(signal.SIGHUP)
    wait_for(lambda: "was not reloaded" in unprivileged.log()[n:])
    *lines, last = said(unprivileged, n)
    assert [sum(word in line for line in lines) for word in ("[enroll]", "missing.pem", "gone.key")] == [1, 1, 1]
    assert "(3 errors, see above)" in last


def test_a_reload_that_is_good_again(unprivileged, site):	# noqa: F811
    told(unprivileged, "READY=1")
    profile(site, "ra1", "nonsense")
    unprivileged.signal(signal.SIGHUP)
    assert any("reload failed" in s for s in told(unprivileged, "READY=1"))
    profile(site, "ra1", PROFILE)
    profile(site, "third", PROFILE)
    unprivileged.signal(signal.SIGHUP)
    assert any(s == "STATUS=Serving 3 profiles." for s in told(unprivileged, "READY=1"))
    (site / "profiles.d" / "third.ini").unlink()
    unprivileged.signal(signal.SIGHUP)
    wait_for(lambda: unprivileged.ask(path="/scep/third", query="operation=GetCACaps").status == 404)


def test_a_bad_reload_of_a_process_that_is_alone(site, tmp_path):	# noqa: F811
    """mod_fcgid and lighttpd start one process: it goes on with what it has, its database and its keys included."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "fd0"))
    listener.listen(16)
    (site / "scepter.ini").write_text((site / "scepter.ini").read_text().replace("workers = 2", "workers = 1"))
    server = Server([RESPONDER, "--conf", site / "scepter.ini"], tmp_path / "fd0", tmp_path / "log0", stdin=listener).ready()
    listener.close()
    profile(site, "new", PROFILE)
    (site / "pepper").rename(site / "away")
    server.signal(signal.SIGHUP)
    wait_for(lambda: "was not reloaded" in server.log())
    assert "[database] pepper_file" in server.log()
    assert server.ask(path="/scep/new", query="operation=GetCACaps").status == 404
    assert server.ask(query="operation=GetCACaps").status == 200
    (site / "away").rename(site / "pepper")
    server.signal(signal.SIGHUP)
    wait_for(lambda: server.ask(path="/scep/new", query="operation=GetCACaps").status == 200)
    assert server.stop() == 0
