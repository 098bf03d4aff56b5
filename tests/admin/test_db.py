"""scepter db: from an empty database to one that serves, without psql."""
import stat

import psycopg2
import pytest

from conftest import CONFIG, ok, scepter


def login(postgres, database, role, statement):
    connection = psycopg2.connect(postgres.conninfo(database, role))
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()
    finally:
        connection.close()


def test_from_nothing(empty_site):
    site = empty_site
    status = scepter("db", "status", "--json", env=site.env())
    assert status.code == CONFIG and status.json["schema"] == "missing" and "scepter db init" in status.err
    assert "scepter db init" in site.bad(CONFIG, "", "db", "migrate").err
    result = site.ok("db", "init", "--json")
    said = result.json
    assert (said["schema"], said["pepper"], said["pepper_file"]) == ("made", "made", str(site.pepper))
    assert str(site.pepper) in result.err
    assert stat.S_IMODE(site.pepper.stat().st_mode) == 0o600
    assert len(bytes.fromhex(site.pepper.read_text())) == 32
    status = site.ok("db", "status", "--json").json
    assert status["schema"] == "up to date" and status["version"] == status["needed_version"] == said["version"] > 0
    assert status["certificates"] == status["challenges"] == 0 and float(status["postgresql"]) >= 14
    assert site.ok("db", "migrate", "--json").json["schema"] == "up to date"


def test_can_be_repeated(empty_site):
    empty_site.ok("db", "init")
    before = empty_site.pepper.read_bytes()
    again = empty_site.ok("db", "init", "--json")
    assert (again.json["schema"], again.json["pepper"], again.err) == ("was there", "was there", "")
    assert empty_site.pepper.read_bytes() == before


def test_lost_pepper(empty_site):
    """On a second host, or after a loss: a new pepper is never made unasked for a database that has one."""
    empty_site.ok("db", "init")
    first = empty_site.pepper.read_bytes()
    empty_site.pepper.unlink()
    empty_site.bad(CONFIG, "copy the file from the host that has it", "db", "init")
    assert not empty_site.pepper.exists()
    assert empty_site.ok("db", "init", "--new-pepper", "--json").json["pepper"] == "made"
    assert empty_site.pepper.read_bytes() != first
    empty_site.ok("check")


def test_pepper_that_others_can_read(empty_site):
    empty_site.pepper.write_text("00" * 32)
    empty_site.pepper.chmod(0o644)
    empty_site.bad(CONFIG, "chmod", "db", "init")
    empty_site.pepper.chmod(0o600)
    empty_site.pepper.write_text("short")
    empty_site.bad(CONFIG, "at least 32", "db", "init")


def test_grants(empty_site, postgres):
    """Login roles are made and put into their group; each can do its own work and no more. Names are quoted."""
    site, database = empty_site, empty_site.database
    responder, operator = f"r-{database}", f'o "{database}\' $$'
    said = site.ok("db", "init", "--grant", responder, "--grant-admin", operator, "--json").json
    assert (said["responder_role"], said["admin_role"]) == (responder, operator)
    members = dict(site.execute("SELECT m.rolname, g.rolname FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid "
                                "JOIN pg_roles m ON m.oid = a.member WHERE m.rolname IN (%s, %s)", responder, operator))
    assert members == {responder: "scep_responder", operator: "scep_admin"}
    assert site.execute("SELECT bool_and(rolcanlogin AND NOT rolsuper) FROM pg_roles WHERE rolname IN (%s, %s)", responder, operator) == [(True,)]
    site.ok("db", "init", "--grant", responder, "--grant-admin", operator)		# again: no harm
    site.write_ini(responder)
    site.ok("check")
    site.bad(CONFIG, "scep_admin", "challenge", "list")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        login(postgres, database, responder, "SELECT * FROM scep.challenge")


def test_conninfo_overrides(empty_site, postgres):
    site = empty_site
    good = postgres.conninfo(site.database)
    site.ini.write_text("[database]\nconninfo = host=/nonexistent dbname=x\npepper_file = pepper\ntimeout = 5s\n")
    site.bad(CONFIG, "/nonexistent", "db", "status")
    site.ok("db", "init", "--conninfo", good)
    assert site.ok("db", "status", "--conninfo", good, "--json").json["schema"] == "up to date"
    site.ok("db", "migrate", "--conninfo", good)
    assert site.ok("challenge", "list", "--conninfo", good, "--json").json == []
    assert ok("db", "status", "--conninfo", good, "--conf", "/nonexistent").code == 0		# nothing of the configuration is needed


def test_database_away(empty_site):
    empty_site.ini.write_text("[database]\nconninfo = host=127.0.0.1 port=1 dbname=x\npepper_file = pepper\ntimeout = 500ms\n")
    for verb in (["db", "status"], ["db", "migrate"], ["db", "init"]):
        empty_site.bad(CONFIG, "127.0.0.1", *verb)
    assert not empty_site.pepper.exists()


def test_role_without_rights(empty_site, postgres):
    role = f"nobody_{empty_site.database}"
    empty_site.execute(f'CREATE ROLE "{role}" LOGIN')
    empty_site.write_ini(role)
    result = empty_site.bad(CONFIG, "", "db", "init")
    assert "CREATEROLE" in result.err
