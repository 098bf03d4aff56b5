"""A whole installation in a folder: programs, database, CA and RA, configuration, and any of the front ends of conf/."""
import json
import os
import shutil
import signal
import socket
from pathlib import Path

import psycopg2

import scepmsg
from processes import BUILD, SOURCE, Service, children, free_port, gone, new_folder, run, wait_for, write

PRIVATE_POSTGRES = SOURCE / "tests" / "lib" / "private-postgres"
RESPONDER, OPERATOR = "e2e_responder", "e2e_operator"	# login roles
GROUP = "www-data" if os.getuid() == 0 else None


class Postgres:
    """A private cluster; template database `scepter` with the schema in it, from which each site's database is made."""

    def __init__(self, place):
        self.place = Path(place)
        self.start()

    def _call(self, verb, *args):
        return run(PRIVATE_POSTGRES, verb, self.place, *args, user=False).stdout.strip()

    def start(self):
        self._call("start", *([GROUP] if GROUP else []))

    def stop(self):
        self._call("stop")

    def remove(self):
        self._call("remove")

    @property
    def pid(self):
        return int(self._call("pid"))

    def kill(self):
        pid = self.pid
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: gone(pid), "the killed postmaster to be gone")

    def conninfo(self, database, role="postgres"):
        return self._call("conninfo", role).replace("dbname=scepter", f"dbname={database}")

    def execute(self, database, statement, *args):
        connection = psycopg2.connect(self.conninfo(database))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, args or None)		# None: a '%' is a '%'
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def _alone(self, database):
        """Nobody is connected any more, and nobody can be."""
        self.execute("postgres", f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
        self.execute("postgres", "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", database)

    def backup(self, database):
        """A copy of it as it is now, by its name."""
        copy = f"{database}_backup"
        self._alone(database)
        self.execute("postgres", f"CREATE DATABASE {copy} TEMPLATE {database}")
        self.execute("postgres", f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")
        return copy

    def restore(self, database, copy):
        """What happened since is gone."""
        self._alone(database)
        self.execute("postgres", f"DROP DATABASE {database}")
        self.execute("postgres", f"ALTER DATABASE {copy} RENAME TO {database}")


class Authority:
    """A CA and a dedicated RA, made by `scepter ca`; shared by sites, since keys are dear to make."""

    def __init__(self, folder, scepter, key="rsa:2048", *options):
        names = ("ca.pem", "ca.key", "ra.pem", "ra.key")
        self.ca_cert, self.ca_key, self.ra_cert, self.ra_key = (Path(folder) / name for name in names)
        run(scepter, "ca", "init", "--out", folder, "--key-type", key, "--subject", f"CN=Test CA {key},O=Example", *options)
        run(scepter, "ca", "issue-ra", "--out", folder, "--ca-cert", self.ca_cert, "--ca-key", self.ca_key,
            "--subject", "CN=Test RA,O=Example")

    @property
    def ca(self):
        return scepmsg.certificate(self.ca_cert.read_bytes())

    @property
    def ra(self):
        return scepmsg.certificate(self.ra_cert.read_bytes())


class Site:
    """One installation. Settings are dictionaries until write(); nothing runs until a front end is started."""

    def __init__(self, folder, programs, postgres, database, authority):
        self.folder, self.programs, self.authority = Path(folder), programs, authority
        self.postgres, self.database = postgres, database
        self.scepter, self.fcgi = programs / "scepter", programs / "scep.fcgi"
        self.ini = self.folder / "scepter.ini"			# the responder's
        self.operator_ini, self.owner_ini = self.folder / "operator.ini", self.folder / "owner.ini"
        self.socket = self.folder / "run" / "fcgi.sock"
        self.admin_fcgi, self.admin_socket = programs / "scep-admin.fcgi", self.folder / "run" / "admin.sock"
        self.running = []
        self.server = {
            "server": {"profiles_dir": "profiles.d", "workers": 2},
            "database": {"conninfo": postgres.conninfo(database, RESPONDER), "pepper_file": "pepper", "timeout": "10s"},	# slow is not away
        }
        self.profiles = {"default": self.profile()}
        write(self.folder / "pepper", os.urandom(32).hex() + "\n", 0o600)
        write(self.socket.parent / ".keep", "")

    def profile(self, **sections):
        """The settings of a profile with RA and one-time challenges; `sections` are merged in, None removes a section."""
        authority = self.authority
        out = {
            "ca": {"certificate": authority.ca_cert, "key": authority.ca_key},
            "ra": {"certificate": authority.ra_cert, "key": authority.ra_key},
            "enrol": {"one_time_challenge": "yes"},
            "limits": {"wrong_challenges": "0"},	# tests that share a site send many
        }
        for name, values in sections.items():
            if values is None:
                out.pop(name, None)
            else:
                out.setdefault(name, {}).update(values)
        return out

    def write(self):
        write(self.ini, self._text(self.server), 0o640)
        for role, path in ((OPERATOR, self.operator_ini), ("postgres", self.owner_ini)):
            database = {**self.server["database"], "conninfo": self.postgres.conninfo(self.database, role)}
            write(path, self._text({**self.server, "database": database}), 0o640)
        shutil.rmtree(self.folder / "profiles.d", ignore_errors=True)
        for name, sections in self.profiles.items():
            write(self.folder / "profiles.d" / f"{name}.ini", self._text(sections), 0o640)
        return self

    @staticmethod
    def _text(sections):
        def section(name, values):
            return f"[{name}]\n" + "".join(f"{k} = {v}\n" for k, v in values.items()) + "\n"
        return "".join(section(*item) for item in sections.items())

    # --- the command line ---

    def run(self, *args, ini=None, **how):
        """The tool, by default as an operator."""
        return run(self.scepter, *args, env={"SCEPTER_CONF": str(ini or self.operator_ini)}, **how)

    def json(self, *args):
        return json.loads(self.run(*args, "--json").stdout)

    def administer(self, *users, **more):
        """Lets scep-admin.fcgi serve these users."""
        self.server["admin"] = {"conninfo": self.postgres.conninfo(self.database, OPERATOR), "users": " ".join(users), **more}
        return self

    def init_database(self):
        self.run("db", "init", "--grant", RESPONDER, "--grant-admin", OPERATOR, ini=self.owner_ini)
        return self

    def challenge(self, *args, profile="default"):
        return self.run("challenge", "new", "--profile", profile, *args).stdout.split()[-1]

    def certs(self):
        return self.json("cert", "list")

    def execute(self, statement, *args):
        return self.postgres.execute(self.database, statement, *args)

    # --- what runs ---

    def start(self, kind, **how):
        from frontends import FRONT_ENDS	# it needs this module
        front = FRONT_ENDS[kind](self, **how)
        self.running.append(front)
        return front

    def stop(self):
        """Stops what still runs, last started first; the first failure is raised after everything was stopped."""
        failures = []
        while self.running:
            try:
                self.running.pop().stop()
            except Exception as failure:	# whatever it is, the others are stopped
                failures.append(failure)
        if failures:
            raise failures[0]


def accepts(path):
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(str(path)) == 0


class Responder(Service):
    """scep.fcgi --listen on the site's socket."""

    def __init__(self, site, wrapper=(), **env):
        site.write()
        super().__init__([*wrapper, site.fcgi, "--conf", site.ini, "--listen", site.socket],
                         site.folder / "log" / "responder.log", ready=lambda: accepts(site.socket), env=env)

    def workers(self):
        return children(self.pid)

    def all_workers(self, n=2):
        """The same, when all were born: the first requests may be answered before."""
        return wait_for(lambda: len(born := self.workers()) == n and born, f"{n} workers")


class AdminResponder(Service):
    """scep-admin.fcgi --listen on a socket of its own, as [admin] of the site says."""

    def __init__(self, site, **env):
        super().__init__([site.admin_fcgi, "--conf", site.ini, "--listen", site.admin_socket],
                         site.folder / "log" / "admin.log", ready=lambda: accepts(site.admin_socket), env=env)


def install_programs(folder):
    """Copies of the programs under test, where every user can run them."""
    for path in (BUILD / "scepter", BUILD / "cgi-bin" / "scep.fcgi", BUILD / "cgi-bin" / "scep-admin.fcgi"):
        shutil.copy(path, folder)
        (folder / path.name).chmod(0o755)
    return folder


__all__ = ["AdminResponder", "Authority", "Postgres", "Responder", "Site", "free_port", "install_programs", "new_folder"]
