"""Every verb explains itself, and what is typed wrongly gets a useful answer."""
import os
import pathlib
import pty
import re
import signal
import subprocess
import time

import pytest

from conftest import CONFIG, FAILED, OK, SCEPTER, TOP, USAGE, bad, ok, scepter

VERBS = ["ca init", "ca issue-ra", "db init", "db migrate", "db status", "challenge new", "challenge list", "challenge revoke",
         "cert list", "cert show", "check", "show", "enroll"]


def listed():
    return [line[2:21].strip() for line in ok("help").out.splitlines() if line.startswith("  ")]


def test_help_lists_the_verbs():
    assert set(VERBS) <= set(listed())
    assert ok("--help").out == ok("help").out == ok("help", "--help").out
    assert ok("help", "help").out == ok("help").out


def test_every_verb_has_help():
    for verb in listed():
        if verb == "help":
            continue
        words = verb.split()
        result = ok(*words, "--help")
        assert result.out.startswith(f"Usage: scepter {verb} "), result
        assert result.err == ""
        assert ok("help", *words).out == result.out
        assert ok(*words, "--usage").out.startswith(f"Usage: scepter {verb} ")


def test_version():
    for option in ("--version", "-V"):
        assert ok(option).out.startswith("scepter ")
    assert ok("check", "--version").out == ok("--version").out


def test_a_group_lists_its_verbs():
    assert "challenge revoke" in ok("help", "challenge").out
    assert "challenge revoke" in ok("challenge", "--help").out
    assert "challenge revoke" in bad(USAGE, "'challenge' is not complete", "challenge").err


def test_nothing_typed():
    assert "Usage: scepter VERB" in bad(USAGE, "").err


@pytest.mark.parametrize("typed, meant", [
    (["chek"], "check"), (["sohw", "file"], "show"), (["ca", "int"], "ca init"), (["challange", "new"], "challenge new"),
    (["db", "migrat"], "db migrate"), (["cert", "lst"], "cert list"), (["HELP"], "help"),
])
def test_nearest_verb(typed, meant):
    bad(USAGE, f"did you mean '{meant}'?", *typed)


def test_far_from_any_verb():
    bad(USAGE, "`scepter help' lists them", "frobnicate")
    assert "ca issue-ra" in bad(USAGE, "'ca frobnicate' is not a verb", "ca", "frobnicate").err
    bad(USAGE, "'frobnicate' is not a verb", "help", "frobnicate")


@pytest.mark.parametrize("args, says", [
    (["check", "--frobnicate"], "scepter check: unrecognized option '--frobnicate'"),
    (["check", "file"], "'file' is one argument too many"),
    (["cert", "show"], "SERIAL is missing"),
    (["show"], "FILE is missing"),
    (["show", ""], "FILE is empty"),
    (["ca", "init", "--subject", ""], "--subject is empty"),
    (["ca", "init", "--days", "many"], "--days 'many' is not a number"),
    (["ca", "init", "--days", "0"], "--days '0' is not a number from 1"),
    (["ca", "init", "--days", "-1"], "--days '-1' is not a number"),
    (["ca", "init", "--days", "99999999999999999999"], "is not a number from 1 to 1000000000"),
    (["challenge", "new", "--expires", "24"], "--expires '24' is not a duration: write for example 90s"),
    (["challenge", "new", "--expires", "0h"], "is not a duration"),
    (["challenge", "new", "--expires", "2000y"], "is not a duration"),
    (["challenge", "new", "--uses", "100000"], "30000 at most"),
    (["cert", "list", "--expires-before", "31.1.2027"], "--expires-before '31.1.2027' is not a time"),
    (["cert", "list", "--expires-before", "2027-02-31x"], "is not a time"),
    (["cert", "show", "xyz"], "'xyz' is not a serial number"),
])
def test_wrong_options(args, says):
    assert "--help'" in bad(USAGE, says, *args).err


def test_missing_configuration():
    for verb in (["challenge", "list"], ["cert", "list"], ["db", "init"], ["db", "status"], ["challenge", "new"], ["challenge", "revoke", "x"]):
        bad(CONFIG, "/nonexistent/scepter.ini", *verb, "--conf", "/nonexistent/scepter.ini")


def test_full_disk():
    with open("/dev/full", "w") as full:
        done = subprocess.run([SCEPTER, "help"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == FAILED
    assert "standard output could not be written: No space left" in done.stderr


def has_signal(pid, masks, number):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return any(int(mask, 16) >> number - 1 & 1 for mask in re.findall(rf"^(?:{masks}):\t(\w+)", status, re.M))


def slow_key(folder):
    """Makes a key, stopped in the middle until its timer has gone off. What a terminal shows, and whether it was stopped in time."""
    master, slave = pty.openpty()
    process = subprocess.Popen([SCEPTER, "ca", "init", "-t", "rsa:4096", "-s", "CN=x", "-o", folder], stdout=subprocess.DEVNULL, stderr=slave)
    os.close(slave)
    was_late = False
    while process.poll() is None and not has_signal(process.pid, "SigCgt", signal.SIGALRM):
        pass
    os.kill(process.pid, signal.SIGSTOP)
    end = time.monotonic() + 3		# the timer may not have been set yet
    while process.poll() is None and not was_late and time.monotonic() < end:
        was_late = has_signal(process.pid, "SigPnd|ShdPnd", signal.SIGALRM)
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGCONT)
    shown = b""
    try:
        while piece := os.read(master, 65536):
            shown += piece
    except OSError:		# nobody has the other end any more
        pass
    os.close(master)
    assert process.wait(120) == OK
    return shown, was_late


@pytest.mark.plain
def test_progress_on_a_terminal(tmp_path):
    """Key making that takes long shows a sign of life on a terminal, and nothing is left of it. A stopped process is as slow as one wants."""
    for i in range(20):
        shown, was_late = slow_key(tmp_path / str(i))
        if was_late:		# else the key was ready before the stop, and nothing was to be shown
            break
    assert was_late
    assert shown.startswith(b"\r\x1b[Kmaking the key ... 1 s") and shown.endswith(b"\r\x1b[K")


def test_no_progress_in_a_pipe(tmp_path):
    assert scepter("ca", "init", "-t", "ec:p256", "-s", "CN=x", "-o", tmp_path).err == ""


def test_manual_names_everything():
    """scepter(1) has every verb, every long option of the operators' verbs, and every exit status; mandoc finds nothing wrong with it."""
    manual = (TOP / "doc/scepter.1").read_text()
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", TOP / "doc/scepter.1"], capture_output=True, text=True)
    assert lint.returncode == 0, lint.stdout
    for verb in listed():
        assert verb == "help" or f".It Cm {verb}" in manual, verb
        if verb in ("help", "enroll", "bench"):
            continue
        for option in re.findall(r"--([a-z-]+)", ok(*verb.split(), "--usage").out):
            assert option in ("help", "usage", "version") or f"Fl -{option}" in manual or f"Fl j , -{option}" in manual, (verb, option)
    for status in range(5):
        assert f"\n.It {status}\n" in manual
