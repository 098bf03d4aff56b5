"""scepter ca rotate-ra: the new RA is in [ra], those before it go on opening messages, and the profile stays the operator's."""
import os
from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509

from conftest import CONFIG, FAILED, USAGE, Site, ok, openssl
from test_rollover import DAY, fresh, read, when	# noqa: F401

ROTATE = ("ca", "rotate-ra", "--profile", "default")


def sections(path):
    out, name = {}, None
    for line in path.read_text().splitlines():
        line = line.strip()
        if line.startswith("["):
            name = line.strip("[]")
            out[name] = {}
        elif "=" in line and not line.startswith("#"):
            key, value = (part.strip() for part in line.split("=", 1))
            out[name][key] = value
    return out


def rotate(site, *args):
    return site.ok(*ROTATE, "--json", *args).json


def test_rotation(fresh):	# noqa: F811
    site, home = fresh("--key-type", "ec:p256")
    site.profile.write_text("# how we do it\n" + site.profile.read_text().replace("[ra]", "[enrol]\n# ours\nmin_rsa_bits = 3072\n\n# the RA\n[ra]"))
    site.profile.chmod(0o640)
    os.chown(site.profile, 0, 65534) if os.getuid() == 0 else None
    untouched = {path: path.read_bytes() for path in home.iterdir()}
    said = rotate(site)
    new, old = read(said["ra"]["certificate_file"]), read(home / "ra.pem")
    assert new.subject == old.subject and new.public_key().public_numbers() != old.public_key().public_numbers()
    assert abs((new.not_valid_after - new.not_valid_before) - (old.not_valid_after - old.not_valid_before)) < 2 * DAY
    assert "OK" in openssl("verify", "-x509_strict", "-CAfile", home / "ca.pem", said["ra"]["certificate_file"])
    assert all(path.read_bytes() == was for path, was in untouched.items())
    now = sections(site.profile)
    assert now["ra"] == {"certificate": said["ra"]["certificate_file"], "key": said["ra"]["key_file"]}
    assert os.stat(said["ra"]["key_file"]).st_mode & 0o777 == 0o600
    assert os.path.samefile(now["old_ra"]["certificate"], home / "ra.pem") and os.path.samefile(now["old_ra"]["key"], home / "ra.key")
    assert abs(when(now["old_ra"]["until"]) - datetime.now(timezone.utc) - 30 * DAY) < timedelta(minutes=5)
    text = site.profile.read_text()
    assert text.startswith("# how we do it\n") and "[enrol]\n# ours\nmin_rsa_bits = 3072\n\n# the RA\n[ra]\n" in text
    assert site.profile.stat().st_mode & 0o777 == 0o640 and (os.getuid() != 0 or site.profile.stat().st_gid == 65534)
    assert site.ok("check").out == f"{site.ini}: in order\n"


def test_three_at_a_time(fresh):	# noqa: F811
    site, home = fresh("--key-type", "ec:p256")
    first = rotate(site, "--until", "90d")["ra"]["certificate_file"]
    second = rotate(site, "--until", "60d", "--days", "10")["ra"]["certificate_file"]
    now = sections(site.profile)
    assert now["ra"]["certificate"] == second and now["old_ra"]["certificate"] == first
    assert os.path.samefile(now["older_ra"]["certificate"], home / "ra.pem")
    assert when(now["old_ra"]["until"]) < when(now["older_ra"]["until"])
    assert site.ok("check").out.startswith(f"{site.ini}: in order")
    before = site.profile.read_bytes(), sorted(home.iterdir())
    site.bad(FAILED, "two former RAs are still in use: [old_ra] until ", *ROTATE)
    assert (site.profile.read_bytes(), sorted(home.iterdir())) == before
    # the older one's time is over: its place is free
    text = site.profile.read_text()
    site.profile.write_text(text.replace(now["older_ra"]["until"], "2026-01-01T00:00:00Z"))
    third = rotate(site)["ra"]["certificate_file"]
    now = sections(site.profile)
    assert (now["ra"]["certificate"], now["old_ra"]["certificate"], now["older_ra"]["certificate"]) == (third, second, first)


def test_an_old_one_that_is_over_goes(fresh):	# noqa: F811
    site, home = fresh("--key-type", "ec:p256")
    rotate(site)
    site.profile.write_text(site.profile.read_text().replace(sections(site.profile)["old_ra"]["until"], "2026-01-01"))
    present = sections(site.profile)["ra"]["certificate"]
    said = rotate(site)
    now = sections(site.profile)
    assert "older_ra" not in now and "older_ra" not in said and now["old_ra"]["certificate"] == present


def test_an_older_one_alone_stays(fresh):	# noqa: F811
    site, home = fresh("--key-type", "ec:p256")
    rotate(site)
    site.profile.write_text(site.profile.read_text().replace("[old_ra]", "[older_ra]"))
    rotate(site)
    now = sections(site.profile)
    assert os.path.samefile(now["older_ra"]["certificate"], home / "ra.pem") and "old_ra" in now


def test_where_one_decrypts_and_one_signs(fresh):	# noqa: F811
    """[ra] is rotated; [ra_sign] goes on signing, also what the old one opened."""
    site, home = fresh("--key-type", "ec:p256")
    for usage in ("encrypt", "sign"):
        ok("ca", "issue-ra", "--ca-cert", home / "ca.pem", "--ca-key", home / "ca.key", "--out", home / "two", "--for", usage,
           *(("--key-type", "ec:p256") if usage == "sign" else ()))
    site.profile.write_text(f"[ca]\ncertificate = {home}/ca.pem\nkey = {home}/ca.key\n" + "".join(
        f"[{section}]\ncertificate = {home}/two/{stem}.pem\nkey = {home}/two/{stem}.key\n" for section, stem in
        (("ra", "ra"), ("ra_sign", "ra-sign"))))
    said = rotate(site)
    usage = read(said["ra"]["certificate_file"]).extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.key_encipherment and not usage.digital_signature
    assert sections(site.profile)["ra_sign"]["certificate"] == f"{home}/two/ra-sign.pem"
    assert site.ok("check").out == f"{site.ini}: in order\n"


def test_refused(fresh, tmp_path):	# noqa: F811
    site, home = fresh("--key-type", "ec:p256")
    before = site.profile.read_bytes(), sorted(home.iterdir())
    site.bad(USAGE, "--profile NAME", "ca", "rotate-ra")
    site.bad(USAGE, "pkcs11: URI", *ROTATE, "--key", home / "x.key")
    site.bad(CONFIG, "there is no profile 'defalt'", "ca", "rotate-ra", "--profile", "defalt")
    site.bad(FAILED, "--until has passed", *ROTATE, "--until", "2026-01-01")
    site.bad(FAILED, "", *ROTATE, "--subject", "nonsense")
    assert (site.profile.read_bytes(), sorted(home.iterdir())) == before
    switched = site.profile.read_text() + f"[next_ca]\ncertificate = {home}/ca.pem\nkey = {home}/ca.key\nswitch = 2026-01-01\n"
    site.profile.write_text(switched)
    site.bad(FAILED, "put these into [ca] and [ra] first", *ROTATE)
    assert site.profile.read_text() == switched


def test_without_an_ra(fresh):	# noqa: F811
    site, home = fresh("--key-type", "rsa:2048", "--scep-peer")
    site.profile.write_text(f"[ca]\ncertificate = {home}/ca.pem\nkey = {home}/ca.key\n")
    site.bad(FAILED, "its CA answers by itself", *ROTATE)


def test_a_profile_that_would_not_be_in_order_is_put_back(fresh):	# noqa: F811
    """Something else is wrong by now that only the whole check sees: nothing is changed, and no file stays."""
    site, home = fresh("--key-type", "ec:p256")
    secrets = site.folder / "secrets"
    secrets.write_text("x\n")
    secrets.chmod(0o600)
    site.profile.write_text(site.profile.read_text() + f"[enrol]\nstatic_challenge_file = {secrets}\n")
    before = site.profile.read_bytes(), sorted(home.iterdir())
    site.bad(CONFIG, "was left as it was", *ROTATE)
    assert (site.profile.read_bytes(), sorted(home.iterdir())) == before


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_root_gives_the_files_to_the_responder(fresh):	# noqa: F811
    site, home = fresh("--key-type", "ec:p256")
    for path in home.iterdir():
        os.chown(path, 65534, 65534)
    said = rotate(site)
    for name in ("certificate_file", "key_file"):
        assert os.stat(said["ra"][name]).st_uid == 65534
