"""scepter ca rollover: the next CA and RA are like the present ones, and what it prints is a profile that checks out."""
import os
from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509

from conftest import CONFIG, FAILED, USAGE, Site, bad, ok, openssl

DAY = timedelta(days=1)


def read(path):
    return x509.load_pem_x509_certificate(open(path, "rb").read())


def when(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


@pytest.fixture
def fresh(tmp_path, postgres):
    """A site whose CA and RA nobody else uses."""
    def make(*how, name="CN=Own CA,O=Example"):
        home = tmp_path / "ca"
        ok("ca", "init", "--subject", name, "--out", home, *how)
        ok("ca", "issue-ra", "--ca-cert", home / "ca.pem", "--ca-key", home / "ca.key", "--out", home, "--days", "700")
        folder = tmp_path / f"{tmp_path.name}_site"
        folder.mkdir()
        site = Site(folder, postgres, home)
        site.ok("db", "init")
        return site, home
    return make


def roll(site, *args):
    return site.ok("ca", "rollover", "--profile", "default", "--json", *args).json


def test_like_the_present_ones(fresh):
    site, home = fresh("--key-type", "ec:p384", "--days", "1000", "--path-length", "0")
    before = {path: path.read_bytes() for path in home.iterdir()}
    said = roll(site)
    ca, ra = read(said["next_ca"]["certificate_file"]), read(said["next_ra"]["certificate_file"])
    old_ca, old_ra = read(home / "ca.pem"), read(home / "ra.pem")
    assert ca.subject.public_bytes() == old_ca.subject.public_bytes() and ra.subject.public_bytes() == old_ra.subject.public_bytes()
    assert ca.public_key().public_numbers() != old_ca.public_key().public_numbers() and said["next_ca"]["key"] == "EC P-384"
    for new, old in ((ca, old_ca), (ra, old_ra)):
        after_switch = new.not_valid_after.replace(tzinfo=timezone.utc) - when(said["switch"])
        assert abs(after_switch - (old.not_valid_after - old.not_valid_before)) < 2 * DAY
        for kind in (x509.KeyUsage, x509.BasicConstraints):
            assert new.extensions.get_extension_for_class(kind) == old.extensions.get_extension_for_class(kind)
    assert "OK" in openssl("verify", "-x509_strict", "-CAfile", said["next_ca"]["certificate_file"], said["next_ra"]["certificate_file"])
    assert all(path.read_bytes() == was for path, was in before.items()), "a file that existed was changed"
    end = old_ca.not_valid_after.replace(tzinfo=timezone.utc)
    switch, announce = when(said["switch"]), when(said["announce"])
    assert end - 366 * DAY - DAY <= switch <= end - 365 * DAY, "certificates of the last day keep their validity of a year"
    assert switch - announce == 90 * DAY and said["next_ca"]["certificate_file"] == str(home / f"ca-{switch:%Y-%m-%d}.pem")


def test_its_lines_make_a_profile(fresh):
    site, home = fresh("--key-type", "ec:p256")
    lines = site.ok("ca", "rollover", "--profile", "default", "--announce", "2026-01-01", "--switch", "60d").out
    assert "Next CA:" in lines and "[next_ra]" in lines
    site.profile.write_text(site.profile.read_text() + lines[lines.index("[next_ca]"):])
    assert site.ok("check").out == f"{site.ini}: in order\n"
    site.bad(FAILED, "has a next CA already", "ca", "rollover", "--profile", "default")


def test_never_overwrites(fresh):
    site, home = fresh("--key-type", "ec:p256")
    said = roll(site, "--switch", "2027-06-01")
    assert said["switch"] == "2027-06-01T00:00:00Z"
    there = {path: path.read_bytes() for path in home.iterdir()}
    site.bad(FAILED, "exists already", "ca", "rollover", "--profile", "default", "--switch", "2027-06-01")
    (home / "ca-2027-06-01.pem").unlink()		# the RA's are still there
    site.bad(FAILED, "exists already", "ca", "rollover", "--profile", "default", "--switch", "2027-06-01")
    assert {path: path.read_bytes() for path in home.iterdir()} == {p: d for p, d in there.items() if p.name != "ca-2027-06-01.pem"}
    roll(site, "--switch", "2027-06-01", "--out", home / "new")
    assert sorted(p.name for p in (home / "new").iterdir()) == [f"{w}-2027-06-01.{e}" for w in ("ca", "ra") for e in ("key", "pem")]


def test_other_name_and_key(fresh):
    site, _ = fresh("--key-type", "ec:p256")
    said = roll(site, "--subject", "CN=Another", "--key-type", "rsa:2048", "--days", "30", "--ra-days", "20", "--ra-subject", "CN=RA 2")
    assert (said["next_ca"]["subject"], said["next_ca"]["key"], said["next_ra"]["subject"]) == ("CN=Another", "RSA 2048", "CN=RA 2")
    ra = read(said["next_ra"]["certificate_file"])
    assert ra.not_valid_after.replace(tzinfo=timezone.utc) - when(said["switch"]) < 21 * DAY


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_root_gives_the_files_to_the_responder(fresh, tmp_path):
    ok("ca", "init", "--subject", "CN=Root", "--key-type", "ec:p256", "--out", tmp_path / "root")
    parent = ("--parent-cert", tmp_path / "root/ca.pem", "--parent-key", tmp_path / "root/ca.key")
    site, home = fresh("--key-type", "ec:p256", *parent)
    for path in home.iterdir():
        os.chown(path, 65534, 65534)
    site.ok("ca", "issue-ra", "--profile", "default", "--force")
    roll(site, *parent)
    assert len(list(home.iterdir())) == 10 and {path.stat().st_uid for path in home.iterdir()} == {65534}


def test_without_an_ra(fresh, tmp_path):
    site, home = fresh("--key-type", "rsa:2048", "--scep-peer")
    site.profile.write_text(f"[ca]\ncertificate = {home}/ca.pem\nkey = {home}/ca.key\n")
    said = roll(site)
    assert "next_ra" not in said and "[next_ra]" not in said["settings"]
    site.profile.write_text(site.profile.read_text() + said["settings"])
    site.ok("check")


def test_two_ra_certificates(fresh):
    site, home = fresh("--key-type", "ec:p256")
    for usage in ("encrypt", "sign"):
        ok("ca", "issue-ra", "--ca-cert", home / "ca.pem", "--ca-key", home / "ca.key", "--out", home / "two", "--for", usage,
           *(("--key-type", "ec:p256") if usage == "sign" else ()))
    site.profile.write_text(f"[ca]\ncertificate = {home}/ca.pem\nkey = {home}/ca.key\n" + "".join(
        f"[{section}]\ncertificate = {home}/two/{stem}.pem\nkey = {home}/two/{stem}.key\n" for section, stem in
        (("ra", "ra"), ("ra_sign", "ra-sign"))))
    said = roll(site)
    assert (said["next_ra"]["key"], said["next_ra_sign"]["key"]) == ("RSA 2048", "EC P-256")
    site.profile.write_text(site.profile.read_text() + said["settings"])
    assert site.ok("check").out == f"{site.ini}: in order\n"


def test_intermediate(fresh, tmp_path):
    root = tmp_path / "root"
    ok("ca", "init", "--subject", "CN=Root", "--key-type", "ec:p256", "--out", root)
    parent = ("--parent-cert", root / "ca.pem", "--parent-key", root / "ca.key")
    site, _ = fresh("--key-type", "ec:p256", *parent)
    site.bad(CONFIG, "is an intermediate CA", "ca", "rollover", "--profile", "default")
    said = roll(site, *parent)
    assert "no later than the present one" in site.ok("ca", "rollover", "--profile", "default", "--out", tmp_path / "again", *parent).err
    assert "OK" in openssl("verify", "-CAfile", root / "ca.pem", said["next_ca"]["certificate_file"])
    site.profile.write_text(site.profile.read_text() + said["settings"])
    assert "chain = " in said["settings"]
    site.ok("check")


def test_wrong_dates_and_options(fresh):
    site, home = fresh("--key-type", "ec:p256", "--days", "40")
    files = sorted(home.iterdir())
    roll_over = ("ca", "rollover", "--profile", "default")
    site.bad(FAILED, "the switch has to come before", *roll_over, "--switch", "41d")
    site.bad(FAILED, "--announce is after --switch", *roll_over, "--switch", "20d", "--announce", "21d")
    site.bad(USAGE, "go together", *roll_over, "--parent-cert", home / "ca.pem")
    site.bad(USAGE, "pkcs11: URIs", *roll_over, "--key", home / "new.key")
    site.bad(USAGE, "--profile NAME", "ca", "rollover")
    site.bad(CONFIG, "no profile 'defalt'", "ca", "rollover", "--profile", "defalt")
    site.bad(FAILED, "", *roll_over, "--subject", "nonsense")
    assert sorted(home.iterdir()) == files
    warned = site.ok("check")
    assert "the CA ends on" in warned.err and "scepter ca rollover --profile default" in warned.err
    assert bad(CONFIG, "", *roll_over, env={"SCEPTER_CONF": "/nonexistent"})
