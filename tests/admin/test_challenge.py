"""scepter challenge: made once, told once, stored as a digest."""
import json
import os
import re
from datetime import datetime, timedelta

import pytest
from conftest import CONFIG, FAILED, scepter


def new(site, *args):
    return site.ok("challenge", "new", *args, "--json").json


def listed(site, *args):
    return {row["id"]: row for row in site.ok("challenge", "list", *args, "--json").json}


def at(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")


def test_alone_on_standard_output(site):
    result = site.ok("challenge", "new")
    assert re.fullmatch(r"[a-z2-7]{32}\n", result.out)
    secret = result.out.strip()
    assert secret not in result.err and "profile default" in result.err and "good for 1 certificate until" in result.err


def test_stored_as_a_digest(site):
    made = new(site)
    rows = site.execute("SELECT c::text FROM scep.challenge c UNION ALL SELECT a::text FROM scep.audit a")
    assert rows and made["challenge"] not in str(rows) and made["challenge"].encode().hex() not in str(rows)
    assert made["challenge"] not in json.dumps(list(listed(site).values()))


def test_bound(site):
    made = new(site, "--subject", "cn = Dev 1 , o=Example", "--device", "d-1", "--expires", "90m", "--uses", "3")
    row = listed(site)[made["id"]]
    assert (row["subject"], row["device"], row["uses_left"], row["profile"], row["state"]) == ("CN=Dev 1,O=Example", "d-1", 3, "default", "ready")
    assert at(row["expires"]) - at(row["created"]) == timedelta(minutes=90)
    assert abs(at(row["created"]) - datetime.utcnow()) < timedelta(minutes=10)
    assert row["created_by"] and row["consumed"] is None
    assert row == {k: v for k, v in made.items() if k != "challenge"}


def test_defaults(site):
    made = new(site)
    assert (made["profile"], made["uses_left"], made["subject"], made["device"]) == ("default", 1, None, None)
    assert at(made["expires"]) - at(made["created"]) == timedelta(hours=24)


def test_actor_under_sudo(site):
    made = scepter("challenge", "new", "--json", env=site.env() | {"SUDO_USER": "alice"}).json
    assert made["created_by"] == ("alice" if os.getuid() == 0 else made["created_by"])
    actors = {actor for actor, in site.execute("SELECT actor FROM scep.audit")}
    assert made["created_by"] in actors


def test_revoke(site):
    made = new(site)
    assert site.ok("challenge", "revoke", made["id"], "--json").json == {"revoked": made["id"]}
    assert made["id"] not in listed(site)
    assert listed(site, "--all")[made["id"]]["state"] == "revoked"
    site.bad(FAILED, "there is no challenge 'nonsense'", "challenge", "revoke", "nonsense")


def test_expired(site):
    made = new(site)
    site.execute("UPDATE scep.challenge SET expires_at = now() - interval '1 second' WHERE id = %s", made["id"])
    assert made["id"] not in listed(site)
    assert listed(site, "--all")[made["id"]]["state"] == "expired"


def test_list_of_a_profile(site):
    other = site.profile.with_name("other.ini")
    other.write_text(site.profile.read_text())
    try:
        made = new(site, "--profile", "other")
        assert made["id"] in listed(site, "--profile", "other") and made["id"] in listed(site)
        assert made["id"] not in listed(site, "--profile", "default")
    finally:
        other.unlink()


def test_table(site):
    made = new(site, "--device", "a-device")
    lines = site.ok("challenge", "list").out.splitlines()
    header = lines[0].split("  ")
    assert [c.strip() for c in header if c.strip()] == ["ID", "STATE", "PROFILE", "USES LEFT", "EXPIRES", "CREATED BY", "DEVICE", "SUBJECT", "NAMES"]
    row = next(line for line in lines if line.startswith(made["id"]))
    assert row.index("a-device") == lines[0].index("DEVICE") and row.endswith("-")


def test_terminal_is_safe(site):
    """What somebody wrote into the database does not move the reader's cursor."""
    made = new(site, "--device", "a")
    site.execute("UPDATE scep.challenge SET device = %s WHERE id = %s", "a\x1b[2Jb\u009bc\nd\u202ee", made["id"])
    for form in ([], ["--json"]):
        out = site.ok("challenge", "list", *form).out
        assert "\x1b" not in out and "\u009b" not in out and "a?[2Jb??c?d???e" in out
    site.ok("challenge", "revoke", made["id"])


def test_unknown_profile(site):
    site.bad(CONFIG, "did you mean 'default'?", "challenge", "new", "--profile", "defualt")


def test_bad_subject(site):
    site.bad(FAILED, "a name is written like", "challenge", "new", "--subject", "just words")


def test_profile_that_takes_none(site):
    text = site.profile.read_text()
    secrets = site.folder / "secrets"
    secrets.write_text("a long enough secret\n")
    secrets.chmod(0o600)
    site.profile.write_text(text + f"[enrol]\none_time_challenge = no\nstatic_challenge_file = {secrets}\n")
    try:
        assert "takes no one-time challenges" in site.ok("challenge", "new").err
    finally:
        site.profile.write_text(text)


def test_without_pepper(empty_site):
    empty_site.bad(CONFIG, "`scepter db init' makes it", "challenge", "new")


def test_without_schema(empty_site):
    empty_site.pepper.write_text("00" * 32)
    empty_site.pepper.chmod(0o600)
    assert "scepter db" in empty_site.bad(CONFIG, "", "challenge", "new").err


def test_names_and_values(site):
    made = new(site, "--san", "DNS:A.Example", "--san", "ip:2001:DB8::1", "--value", "owner=Alice = A", "--value", "site=")
    row = listed(site)[made["id"]]
    assert row["sans"] == ["dns:a.example", "ip:2001:db8::1"] and row["values"] == {"owner": "Alice = A", "site": ""}
    line = next(line for line in site.ok("challenge", "list").out.splitlines() if line.startswith(made["id"]))
    assert line.endswith("dns:a.example ip:2001:db8::1")
    said = site.ok("challenge", "new", "--san", "dns:b.example", "--value", "owner=Bob").err
    assert "name dns:b.example" in said and "value owner" in said


@pytest.mark.parametrize("args,said", [
    (["--san", "a.example"], "'a.example' has no kind"), (["--san", "ip:1.2.3"], "not a name of kind IP"),
    (["--san", "dns:a", "--san", "dns:A"], "twice"), (["--value", "owner"], "is not NAME=TEXT"), (["--value", "=x"], "no name for a value"),
    (["--value", "id=x"], "another name"), (["--value", "dns=x"], "is bound to"), (["--device", "a\nb"], "clean UTF-8"), (["--san", "upn:a\u202eb@c"], "clean UTF-8"), (["--value", "a=x", "--value", "a=y"], "twice"), (["--value", "a b=x"], "no name for a value"),
    (["--value", "a=" + "x" * 1025], "too long"), (["--expires", "11y"], "3650 at most"),
    (["--device", "d" * 257], "1 to 256 octets"),
])
def test_bad_options(site, args, said):
    before = site.execute("SELECT count(*) FROM scep.challenge")
    site.bad(FAILED, said, "challenge", "new", *args)
    assert site.execute("SELECT count(*) FROM scep.challenge") == before
