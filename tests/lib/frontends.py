"""The front ends of conf/, as private servers on free loopback ports. The files of conf/ are used as they are: only what an
administrator would adapt is replaced, paths and ports."""
import base64
import hashlib
import signal
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

import scepmsg
from processes import SOURCE, Service, children, free_port, new_folder, port_open, wait_for, write
from installation import AdminResponder, Responder

MODULES = "/usr/lib/apache2/modules"


def tls_files(folder):
    """A certificate for localhost and its key: paths."""
    key = scepmsg.new_key(2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.utcnow()
    cert = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
            .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), True).sign(key, hashes.SHA256()))
    pem = serialization.Encoding.PEM
    return (write(folder / "tls" / "server.pem", cert.public_bytes(pem)),
            write(folder / "tls" / "server.key", key.private_bytes(pem, serialization.PrivateFormat.PKCS8,
                                                                   serialization.NoEncryption()), 0o600))


def sha1(password):
    """As all three servers read it in an htpasswd file; a real one would be slower to guess from."""
    return "{SHA}" + base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()


def with_more_paths(text):
    """A file of conf/ with its example of a further path switched on."""
    lines = iter(text.splitlines())
    out = []
    for line in lines:
        out.append(line[1:] if line.startswith("#") and "mscep" in line else line)
        if line.startswith("#location"):
            next(lines)			# it stands instead of the next one
    return "\n".join(out) + "\n"


class FrontEnd:
    """A web server and, where it does not start it itself, the responder."""

    responder = admin = None
    admin_file = None		# of conf/, for scep-admin.fcgi
    stop_signal = signal.SIGTERM

    def __init__(self, site, responder=True, more_paths=False, passwords=None, client_cas=None, edit=None, **env):
        """passwords: of scep-admin.fcgi. client_cas: PEM of the CAs whose client certificates it asks for; None: it asks for none.
        edit(name, text): what else an administrator would change in the files of conf/."""
        self.edit = edit or (lambda name, text: text)
        self.site, self.more_paths = site.write(), more_paths
        self.folder = new_folder(f"{type(self).__name__.lower()}-", site.folder)
        self.port, self.tls_port = free_port(), free_port()
        tls_files(self.folder)
        if self.listens and responder:
            self.responder = Responder(site, **env)
        try:
            if passwords:
                self.administer(passwords)
            self.file, self.tls_file = self.copy(type(self).file), self.copy(type(self).tls_file.replace("-tls", "-mtls" if client_cas else "-tls"))
            if client_cas:
                write(self.folder / "client-cas.pem", client_cas)
            config = write(self.folder / "server.conf", self.configuration())
            self.server = Service(self.command(config), self.folder / "server.log",
                                  lambda: port_open(self.port) and port_open(self.tls_port),
                                  env={"SCEPTER_CONF": str(site.ini), **env})
        except BaseException:
            for service in filter(None, (self.responder, self.admin)):
                service.kill()
            raise

    def administer(self, passwords):
        """scep-admin.fcgi, and who may come there: {user: password}."""
        self.admin = AdminResponder(self.site)
        write(self.folder / "htpasswd", "".join(f"{u}:{sha1(p)}\n" for u, p in passwords.items()))
        self.admin_file = self.copy(type(self).admin_file)

    listens = True		# the responder listens by itself

    def copy(self, name):
        """A file of conf/ as it is, but for the places and ports that an administrator would adapt."""
        text = with_more_paths((SOURCE / "conf" / name).read_text()) if self.more_paths else (SOURCE / "conf" / name).read_text()
        for theirs, ours in {
            "/run/scepter/fcgi.sock": self.site.socket,
            "/run/scepter-admin/fcgi.sock": self.site.admin_socket,
            "/etc/scepter-admin.htpasswd": self.folder / "htpasswd",
            "/run/lighttpd/scepter.sock": self.folder / "spawned.sock",
            "/usr/lib/cgi-bin": self.site.programs,
            "/etc/scepter/scepter.ini": self.site.ini,
            "/etc/scepter/tls": self.folder / "tls",
            "/etc/scepter/client-cas.pem": self.folder / "client-cas.pem",
            "/etc/scepter/nginx.conf": self.folder / "nginx.conf",
            '":443"': f'"127.0.0.1:{self.tls_port}"',
            "Listen 443": f"Listen 127.0.0.1:{self.tls_port}",
            "*:443": f"127.0.0.1:{self.tls_port}",
            "listen 443": f"listen 127.0.0.1:{self.tls_port}",
        }.items():
            text = text.replace(theirs, str(ours))
        return write(self.folder / name, self.edit(name, text))

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/scep"

    @property
    def tls_url(self):
        return f"https://localhost:{self.tls_port}/scep"

    def master(self):
        """The process id of the responder's master."""
        if self.responder:
            return self.responder.pid

        def find(pid):
            for child in children(pid):
                try:
                    command = open(f"/proc/{child}/cmdline", "rb").read()
                except OSError:
                    continue
                if b"scep.fcgi" in command:
                    return child
                if found := find(child):
                    return found
            return None
        return wait_for(lambda: find(self.server.pid), "the spawned responder")

    def logs(self):
        files = sorted(self.folder.glob("*.log")) + sorted(self.site.folder.glob("log/*.log"))
        return "\n".join(f.read_text(errors="replace") for f in files)

    def stop(self):
        services = [s for s in (self.server, self.admin, self.responder) if s]
        try:
            self.server.stop(self.stop_signal)
            for service in services[1:]:
                assert service.stop() == 0, service.text()
        finally:
            for service in services:
                service.kill()


class Lighttpd(FrontEnd):
    file, tls_file, admin_file = "lighttpd-socket.conf", "lighttpd-tls.conf", "lighttpd-admin.conf"

    def configuration(self):
        write(self.folder / "up" / ".keep", "")
        return f"""server.document-root = "{self.folder}/up"
server.bind = "127.0.0.1"
server.port = {self.port}
server.upload-dirs = ( "{self.folder}/up" )
server.errorlog = "{self.folder}/error.log"
{f'include "{self.admin_file}"' if self.admin else ""}
include "{self.file}"
include "{self.tls_file}"
"""

    def command(self, config):
        return ["/usr/sbin/lighttpd", "-D", "-f", config]


class LighttpdSpawned(Lighttpd):
    file = "lighttpd-spawned.conf"
    listens = False


class Cgi(Lighttpd):
    file = "cgi-lighttpd.conf"
    listens = False

    def master(self):
        raise AssertionError("there is no master: each request is a process")


class Nginx(FrontEnd):
    file, tls_file, admin_file = "nginx.conf", "nginx-tls.conf", "nginx-admin.conf"

    def configuration(self):
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        if self.admin:		# what both servers have
            write(self.file, f"{self.file.read_text()}include {self.admin_file};\n")
        temporary = "\n".join(f"\t{kind}_temp_path {self.folder}/{kind};" for kind in kinds)
        return f"""worker_processes 1;
daemon off;
pid {self.folder}/nginx.pid;
error_log {self.folder}/error.log warn;
events {{ worker_connections 256; }}
http {{
	access_log off;
{temporary}
	server {{
		listen 127.0.0.1:{self.port};
		include {self.file};
	}}
	include {self.tls_file};
}}
"""

    def command(self, config):
        return ["/usr/sbin/nginx", "-e", "stderr", "-p", self.folder, "-c", config]


class Apache(FrontEnd):
    file, tls_file, admin_file = "apache-mod_proxy_fcgi.conf", "apache-tls.conf", "apache-admin.conf"
    modules = ("proxy", "proxy_fcgi", "reqtimeout")
    stop_signal = signal.SIGTERM

    def configuration(self):
        modules = ["mpm_event", "authn_core", "authn_file", "auth_basic", "authz_user", "authz_core", "authz_host", "alias", "env", "mime", "setenvif", "socache_shmcb", "ssl",
                   *self.modules]
        load = "\n".join(f"LoadModule {m}_module {MODULES}/mod_{m}.so" for m in modules)
        return f"""ServerRoot {self.folder}
PidFile {self.folder}/httpd.pid
ErrorLog {self.folder}/error.log
ServerName localhost
DefaultRuntimeDir {self.folder}
Mutex file:{self.folder} default
{load}
TypesConfig /etc/mime.types
DocumentRoot {self.folder}/tls
{self.extra()}
Listen 127.0.0.1:{self.port}
{f"Include {self.admin_file}" if self.admin else ""}
Include {self.file}
Include {self.tls_file}
"""

    def extra(self):
        return ""

    def command(self, config):
        return ["/usr/sbin/apache2", "-DFOREGROUND", "-f", config]


class ApacheFcgid(Apache):
    file = "apache-mod_fcgid.conf"
    modules = ("fcgid",)
    listens = False

    def extra(self):
        return f"FcgidIPCDir {self.folder}/fcgid\nFcgidProcessTableFile {self.folder}/fcgid_shm"


FRONT_ENDS = {
    "lighttpd-socket": Lighttpd, "lighttpd-spawned": LighttpdSpawned, "mod_fcgid": ApacheFcgid, "mod_proxy_fcgi": Apache,
    "nginx": Nginx, "cgi": Cgi,
}
