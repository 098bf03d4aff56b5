"""The command line, run as an operator runs it."""
import json
import os
import pathlib
import subprocess
import sys

import psycopg2
import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))

TOP = HERE.parent.parent
BUILD = pathlib.Path(os.environ.get("top_builddir", TOP / "build" / "plain")).resolve()
SCEPTER = BUILD / "scepter"
DATA = TOP / "tests/data"

OK, FAILED, USAGE, CONFIG = 0, 1, 2, 3


class Result:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


def scepter(*args, env=None, stdin="", **how):
    """Runs the program; text streams."""
    environment = {k: v for k, v in os.environ.items() if k != "SCEPTER_CONF"} | (env or {})
    return Result(subprocess.run([str(SCEPTER), *map(str, args)], capture_output=True, text=True, input=stdin, env=environment,
                                 timeout=300, **how))


def ok(*args, **how):
    result = scepter(*args, **how)
    assert result.code == OK, result
    return result


def bad(code, says, *args, **how):
    """Must end with `code`, say why on stderr under the verb's name, and print nothing else."""
    result = scepter(*args, **how)
    assert result.code == code, result
    assert result.out == "", result
    assert says in result.err, result
    return result


def openssl(*args):
    return subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, check=True, timeout=60).stdout


class Postgres:
    def __init__(self, place):
        self.place = place
        self.call("start")
        for statement in ("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"):		# nobody cuts the power
            self.execute("postgres", statement)

    def call(self, verb, *args):
        script = TOP / "tests/lib/private-postgres"
        return subprocess.run([script, verb, str(self.place), *args], capture_output=True, text=True, check=True, timeout=120).stdout.strip()

    def conninfo(self, database, role="postgres"):
        return self.call("conninfo", role).replace("dbname=scepter", f"dbname={database}")

    def execute(self, database, statement, *args):
        connection = psycopg2.connect(self.conninfo(database))
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, args)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def new_database(self, name):
        self.execute("postgres", f'CREATE DATABASE "{name}"')


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    cluster = Postgres(tmp_path_factory.mktemp("pg"))
    yield cluster
    cluster.call("remove")


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A folder with a CA and its RA, made by the program under test."""
    folder = tmp_path_factory.mktemp("authority")
    ok("ca", "init", "--subject", "CN=Test CA,O=Example", "--key-type", "rsa:2048", "--out", folder)
    ok("ca", "issue-ra", "--ca-cert", folder / "ca.pem", "--ca-key", folder / "ca.key", "--out", folder)
    return folder


class Site:
    """A configuration with one profile, and a database of its own."""

    def __init__(self, folder, postgres, authority):
        self.folder, self.postgres, self.database = folder, postgres, folder.name.replace("-", "_")
        postgres.new_database(self.database)
        self.ini, self.pepper = folder / "scepter.ini", folder / "pepper"
        self.profile = folder / "profiles.d" / "default.ini"
        self.profile.parent.mkdir()
        self.write_ini("postgres")
        self.profile.write_text(f"[ca]\ncertificate = {authority}/ca.pem\nkey = {authority}/ca.key\n"
                                f"[ra]\ncertificate = {authority}/ra.pem\nkey = {authority}/ra.key\n")

    def write_ini(self, role):
        self.ini.write_text(f"[database]\nconninfo = {self.postgres.conninfo(self.database, role)}\npepper_file = pepper\ntimeout = 30s\n")

    def env(self):
        return {"SCEPTER_CONF": str(self.ini)}

    def ok(self, *args, **how):
        return ok(*args, env=self.env(), **how)

    def bad(self, code, says, *args, **how):
        return bad(code, says, *args, env=self.env(), **how)

    def execute(self, statement, *args):
        return self.postgres.execute(self.database, statement, *args)


@pytest.fixture
def empty_site(tmp_path, postgres, authority):
    return Site(tmp_path, postgres, authority)


@pytest.fixture(scope="module")
def site(tmp_path_factory, postgres, authority):
    """One with its schema in place, shared by the tests of a module."""
    made = Site(tmp_path_factory.mktemp("site"), postgres, authority)
    made.ok("db", "init")
    return made
