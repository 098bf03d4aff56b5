"""scepter profile list, show and new: what is served, by which settings, and one more."""
import os
import re
import shutil

import pytest
from cryptography import x509

from conftest import CONFIG, FAILED, USAGE, Site, ok
from test_cert import enrol
from test_rotate_ra import sections


@pytest.fixture
def own(tmp_path, postgres, authority):
    """A site for one test, with its schema in place."""
    made = Site(tmp_path, postgres, authority)
    made.ok("db", "init")
    return made


def settings(site, name):
    return site.ok("profile", "show", name, "--json").json["settings"]


def end(path):
    return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after.strftime("%Y-%m-%dT%H:%M:%SZ")


# --- list


def test_list(own, authority):
    enrol(own, authority, "one")
    enrol(own, authority, "two")
    (own.profile.parent / "second.ini").write_text(own.profile.read_text().split("[ra]")[0] + "[approval]\nmode = manual\n")
    rows = own.ok("profile", "list", "--json").json
    assert [r["name"] for r in rows] == ["default", "second"]
    assert rows[0] == {"name": "default", "description": None, "ca": "CN=Test CA,O=Example", "ca_ends": end(authority / "ca.pem"),
                       "ra_ends": end(authority / "ra.pem"), "authenticators": "one-time challenges", "issued": 2, "file": str(own.profile)}
    assert (rows[1]["ra_ends"], rows[1]["issued"], rows[1]["authenticators"]) == (None, 0, "one-time challenges, operators")
    text = own.ok("profile", "list").out
    assert re.search(r"^default +2 +20", text, re.M) and "CN=Test CA,O=Example" in text


def test_list_after_a_switch(own, tmp_path):
    for what, subject in (("init", "CN=Next CA"), ("issue-ra", "CN=Next RA")):
        ok("ca", what, "--out", tmp_path / "next", "--subject", subject,
           *(("--key-type", "ec:p256") if what == "init" else ("--ca-cert", tmp_path / "next/ca.pem", "--ca-key", tmp_path / "next/ca.key")))
    before = own.profile.read_text()
    for switch, name in (("2026-01-01", "CN=Next CA"), ("30d", "CN=Test CA,O=Example")):
        when = switch if "-" in switch else "2027-06-01"
        own.profile.write_text(before + f"[next_ca]\ncertificate = {tmp_path}/next/ca.pem\nkey = {tmp_path}/next/ca.key\nswitch = {when}\n"
                               f"[next_ra]\ncertificate = {tmp_path}/next/ra.pem\nkey = {tmp_path}/next/ra.key\n")
        row, = own.ok("profile", "list", "--json").json
        assert row["ca"] == name


def test_list_without_the_database_or_a_certificate(own, tmp_path):
    own.ini.write_text(f"[database]\nconninfo = host={tmp_path}/nowhere dbname=scepter\npepper_file = pepper\ntimeout = 1s\n")
    own.profile.write_text(own.profile.read_text().replace("ra.pem", "gone.pem"))
    result = own.ok("profile", "list", "--json")
    row, = result.json
    assert (row["issued"], row["ra_ends"], row["ca"]) == (None, None, "CN=Test CA,O=Example")
    assert "certificates were not counted" in result.err and "gone.pem" in result.err


# --- show


def test_show_is_a_file_that_says_the_same(own):
    own.profile.write_text(own.profile.read_text() + "[certificate]\nvalidity = 90d\n[enrol]\nmin_rsa_bits = 3072\n")
    shown = own.ok("profile", "show", "default").out
    assert "validity = 90d" in shown and "min_rsa_bits = 3072" in shown and "max_rsa_bits = 8192" in shown
    said = settings(own, "default")
    assert (said["certificate"]["validity"], said["enrol"]["max_rsa_bits"], said["ca"]["chain"]) == ("90d", "8192", None)
    (own.profile.parent / "again.ini").write_text(shown)
    assert settings(own, "again") == said


def test_show_what_is_not_there(own):
    own.bad(CONFIG, "did you mean 'default'", "profile", "show", "defalt")
    own.bad(USAGE, "NAME is missing", "profile", "show")


# --- new


def new(site, name, *args):
    return site.ok("profile", "new", name, "--json", *args).json


def test_new_from_the_table(own, authority):
    said = new(own, "devices", "--ca", authority, "--description", "Phones; and tablets", "--set", "certificate.validity=30d",
               "--set", "certificate.crl_url=http://pki.example.com/scep/devices/crl")
    path = own.profile.parent / "devices.ini"
    assert said["file"] == str(path) and said["path"] == "/scep/devices" and said["secret_file"] is None and said["ca"] == "CN=Test CA,O=Example"
    got = settings(own, "devices")
    assert (got["profile"]["description"], got["certificate"]["validity"]) == ("Phones; and tablets", "30d")
    assert got["ca"]["certificate"] == str(authority / "ca.pem") and got["ra"]["key"] == str(authority / "ra.key")
    text = path.read_text()
    assert "# The certificate of the CA that issues" in text and "#backdate = 5m" in text, "it explains what it could say"
    assert own.ok("check").out == f"{own.ini}: in order\n"
    # nothing else differs from a profile that says only this
    path.unlink()
    (own.profile.parent / "plain.ini").write_text(own.profile.read_text())
    plain = settings(own, "plain")
    assert {s for s in got if got[s] != plain[s]} == {"profile", "certificate"}


def test_new_with_a_ca_that_answers_itself(own, tmp_path):
    home = tmp_path / "own-ca"
    ok("ca", "init", "--subject", "CN=Self", "--key-type", "rsa:2048", "--scep-peer", "--out", home)
    new(own, "self", "--ca", home)
    assert settings(own, "self")["ra"]["certificate"] is None
    new(own, "self2", "--ca-certificate", home / "ca.pem", "--ca-key", home / "ca.key")
    assert settings(own, "self2")["ca"]["certificate"] == str(home / "ca.pem")
    own.ok("check")


def test_new_with_an_intermediate(own, tmp_path):
    root, home = tmp_path / "root", tmp_path / "below"
    ok("ca", "init", "--subject", "CN=Root", "--key-type", "ec:p256", "--out", root)
    ok("ca", "init", "--subject", "CN=Below", "--key-type", "ec:p256", "--out", home, "--parent-cert", root / "ca.pem", "--parent-key", root / "ca.key")
    ok("ca", "issue-ra", "--ca-cert", home / "ca.pem", "--ca-key", home / "ca.key", "--out", home)
    new(own, "below", "--ca", home)
    assert settings(own, "below")["ca"]["chain"] == str(home / "ca-chain.pem")


@pytest.mark.parametrize("kind, one_time", [("static", "no"), ("both", "yes"), ("one-time", "yes")])
def test_new_challenges(own, authority, kind, one_time):
    said = new(own, "devices", "--ca", authority, "--challenge", kind)
    got = settings(own, "devices")["enrol"]
    assert got["one_time_challenge"] == one_time and got["static_challenge_file"] == said["secret_file"]
    if kind != "one-time":
        secret = own.profile.parent / "devices.secret"
        assert said["secret_file"] == str(secret) and secret.stat().st_mode & 0o777 == 0o600
        assert re.fullmatch(r"[a-z2-7]{32}\n", secret.read_text())


def test_new_without_challenges(own, authority):
    said = own.bad(CONFIG, "devices.ini was not made", "profile", "new", "devices", "--ca", authority, "--challenge", "none")
    assert "nothing could authorise a device" in said.err
    new(own, "devices", "--ca", authority, "--challenge", "none", "--set", "approval.mode=manual")
    assert own.ok("profile", "list", "--json").json[1]["authenticators"] == "operators"


def test_new_from_another(own, authority):
    secrets = own.folder / "secrets"
    secrets.write_text("first-secret\n")
    secrets.chmod(0o600)
    own.profile.write_text("# ours\n" + own.profile.read_text() + "[enrol]\nstatic_challenge_file = ../secrets\none_time_challenge = no\n"
                           "[profile]\npaths = /mscep\ndescription = Ours\n[certificate]\nvalidity = 7d\n")
    said = new(own, "copy", "--from", "default")
    got = settings(own, "copy")
    assert (got["certificate"]["validity"], got["profile"]["paths"], got["profile"]["description"]) == ("7d", None, None)
    assert got["enrol"]["static_challenge_file"] == said["secret_file"] != str(secrets), "not the other profile's secret"
    assert (own.profile.parent / "copy.ini").read_text().startswith("# ours\n")
    own.ok("check")


def test_new_from_another_with_a_ca_of_its_own(own, authority, tmp_path):
    home = tmp_path / "third"
    ok("ca", "init", "--subject", "CN=Third", "--key-type", "ec:p256", "--out", home)
    ok("ca", "issue-ra", "--ca-cert", home / "ca.pem", "--ca-key", home / "ca.key", "--out", home)
    own.ok("ca", "rotate-ra", "--profile", "default", "--out", tmp_path / "rotated")
    new(own, "third", "--from", "default", "--ca", home)
    got = settings(own, "third")
    assert got["ra"]["certificate"] == str(home / "ra.pem") and got["old_ra"]["certificate"] is None
    own.ok("check")


def test_new_is_the_first(own, authority):
    own.profile.unlink()
    new(own, "default", "--ca", authority)
    assert own.ok("check").out == f"{own.ini}: in order\n"


def test_new_says_what_comes_next(own, authority):
    result = own.ok("profile", "new", "devices", "--ca", authority, "--challenge", "both")
    for part in ("scepter check", "systemctl reload scepter", "http://HOST/scep/devices", "challenge new --profile devices", "devices.secret"):
        assert part in result.err, part
    assert "SHA-256 fingerprint:" in result.out


def test_new_never_overwrites(own, authority):
    before = own.profile.read_bytes()
    own.bad(FAILED, "there is a profile 'default' already", "profile", "new", "default", "--ca", authority)
    (own.profile.parent / "broken.ini").write_text("nonsense\n")
    own.bad(FAILED, "is there already", "profile", "new", "broken", "--ca", authority)
    assert (own.profile.parent / "broken.ini").read_text() == "nonsense\n" and own.profile.read_bytes() == before
    (own.profile.parent / "broken.ini").unlink()
    (own.profile.parent / "devices.secret").write_text("mine\n")
    own.bad(FAILED, "is there already", "profile", "new", "devices", "--ca", authority, "--challenge", "static")
    assert (own.profile.parent / "devices.secret").read_text() == "mine\n" and not (own.profile.parent / "devices.ini").exists()


@pytest.mark.parametrize("args, code, says", [
    (("--set", "certificate.validty=1d"), CONFIG, "did you mean 'validity'"),
    (("--set", "certificate.validity=1"), CONFIG, "validity"),
    (("--set", "validity=1d"), CONFIG, "is not SECTION.KEY=VALUE"),
    (("--set", "profile.paths=/mscep"), CONFIG, "is a path of profile 'default' already"),
    (("--challenge", "password"), USAGE, "one-time, static, both or none"),
    (("--ca-certificate", "x"), USAGE, "exclude each other"),
])
def test_new_refused(own, authority, args, code, says):
    own.profile.write_text(own.profile.read_text() + "[profile]\npaths = /mscep\n")
    files = sorted(own.profile.parent.iterdir())
    own.bad(code, says, "profile", "new", "devices", "--ca", authority, *args)
    assert sorted(own.profile.parent.iterdir()) == files


def test_new_misused(own, authority, tmp_path):
    own.bad(USAGE, "which CA?", "profile", "new", "devices")
    own.bad(USAGE, "is not a profile's name", "profile", "new", "../devices", "--ca", authority)
    own.bad(USAGE, "go together", "profile", "new", "devices", "--ca-certificate", authority / "ca.pem")
    own.bad(CONFIG, "there is no profile 'defalt'", "profile", "new", "devices", "--from", "defalt")
    foreign = tmp_path / "foreign"
    shutil.copytree(authority, foreign)
    ok("ca", "init", "--subject", "CN=Foreign", "--key-type", "ec:p256", "--out", foreign, "--force")
    result = own.bad(CONFIG, "devices.ini was not made", "profile", "new", "devices", "--ca", foreign)
    assert "[ra]: the RA certificate was not issued by the profile's CA" in result.err


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("mode", [0o644, 0o640])
def test_new_by_root_is_for_the_responder(own, authority, mode):
    """Who can read scepter.ini can read the profile, and who has the pepper has the secret."""
    ini, pepper = own.profile.parent.parent / "scepter.ini", own.profile.parent.parent / "pepper"
    os.chown(ini, 0, 65534)
    ini.chmod(mode)
    os.chown(pepper, 65534, 65534)
    new(own, "devices", "--ca", authority, "--challenge", "static")
    made, secret = [(own.profile.parent / name).stat() for name in ("devices.ini", "devices.secret")]
    assert (made.st_uid, made.st_gid, made.st_mode & 0o777) == (0, 65534, mode)
    assert (secret.st_uid, secret.st_gid, secret.st_mode & 0o777) == (65534, 65534, 0o600)
