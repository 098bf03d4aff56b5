"""scepter check: everything that is wrong, in one run."""
from conftest import CONFIG, scepter


def test_in_order(site):
    result = site.ok("check")
    assert result.out == f"{site.ini}: in order\n"
    assert site.ok("check", "--json").json == []


def test_all_problems_at_once(empty_site, authority):
    site = empty_site
    site.profile.write_text(f"[ca]\ncertificate = {authority}/ca.pem\nkey = {authority}/ra.key\n[ra]\ncertificate = /nonexistent/ra.pem\n"
                            f"key = {authority}/ra.key\n")
    result = scepter("check", env=site.env())
    assert result.code == CONFIG and result.out == ""
    assert "/nonexistent/ra.pem" in result.err and "[ca]" in result.err and "pepper" in result.err and "errors\n" in result.err
    listed = scepter("check", "--json", env=site.env())
    assert listed.code == CONFIG and len(listed.json) >= 3
    assert all(p["level"] in ("error", "warning") and p["where"] and p["text"] for p in listed.json)


def test_unknown_setting(empty_site):
    empty_site.ini.write_text(empty_site.ini.read_text() + "[server]\nworkes = 3\n")
    result = scepter("check", env=empty_site.env())
    assert result.code == CONFIG and "workes" in result.err and "workers" in result.err and str(empty_site.ini) in result.err


def test_schema_behind(empty_site):
    empty_site.ok("db", "init")
    empty_site.ok("check")
    empty_site.execute("DELETE FROM scep.schema_version WHERE version = (SELECT max(version) FROM scep.schema_version)")
    result = scepter("check", env=empty_site.env())
    assert result.code == CONFIG and "scepter db migrate" in result.err


def test_missing_file():
    result = scepter("check", "--conf", "/nonexistent/scepter.ini")
    assert result.code == CONFIG and "/nonexistent/scepter.ini" in result.err
