"""scep-admin.fcgi behind web servers that tell a user by a client certificate: as the comments in the files of conf/ say it is done."""
import http.client
import json
import re
import ssl
from datetime import datetime, timedelta

import pytest
import scepmsg
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from processes import new_folder, write

PATH = "/scep-admin/api/challenges"
PEM = serialization.Encoding.PEM


def certificate(issuer_key, *attributes, key=None):
    """A client's, or with key None the CA's own."""
    now, ca = datetime.utcnow(), key is None
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Operators")])
    subject = issuer if ca else x509.Name([x509.NameAttribute(*a) for a in attributes])
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key((key or issuer_key).public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), True).sign(issuer_key, hashes.SHA256()))


class Operators:
    """A CA and clients of it, as files."""

    def __init__(self, folder):
        self.folder, self.ca_key, self.key = folder, scepmsg.new_key(), scepmsg.new_key()
        self.file = write(folder / "ca.pem", certificate(self.ca_key).public_bytes(PEM))

    def client(self, *attributes):
        """A TLS context with a certificate for these; without any: no certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if attributes:
            key = self.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            path = write(self.folder / "client.pem", certificate(self.ca_key, *attributes, key=self.key).public_bytes(PEM) + key, 0o600)
            context.load_cert_chain(path)
        return context


def uncomment(text, start):
    """Takes the '#' off the line whose words begin with `start`."""
    changed, n = re.subn(rf"(?m)^( *)#\s+({start}.*)$", r"\1\2", text)
    assert n == 1, start
    return changed


def without(text, *starts):
    for start in starts:
        text, n = re.subn(rf"(?m)^ *{start}.*\n", "", text)
        assert n == 1, start
    return text


def after(text, line, more):
    changed, n = re.subn(rf"(?m)^( *{line}.*)$", rf"\1\n{more}", text)
    assert n == 1, line
    return changed


def edits(ca):
    """What an administrator does with each file, by the comments in it."""
    username = 'ssl.verifyclient.username = "SSL_CLIENT_S_DN_CN"'
    the_map = {}

    def nginx_admin(text):
        the_map["line"] = re.search(r"#\s+(map .*)", text).group(1)
        return without(text, "auth_basic ", "auth_basic_user_file ").replace("$remote_user;", "$admin_user;")

    def lighttpd_admin(text):
        assert username in text
        return without(text, r"auth.backend  ", r"auth.backend.htpasswd", r"auth.require")
    return {
        "lighttpd-admin.conf": lighttpd_admin,
        "lighttpd-tls.conf": lambda text: after(text, "ssl.engine", f'ssl.verifyclient.activate = "enable"\nssl.verifyclient.enforce = "enable"\n'
                                                f'ssl.ca-file = "{ca}"\n{username}'),
        "apache-admin.conf": lambda text: uncomment(uncomment(without(text, "AuthType", "AuthName", "AuthBasicProvider", "AuthUserFile",
                                                                      "Require  *valid-user"), "SSLUserName"), "Require  *ssl-verify-client"),
        "apache-tls.conf": lambda text: after(text, "SSLEngine on", f"SSLCACertificateFile {ca}\nSSLVerifyClient require"),
        "nginx-admin.conf": nginx_admin,
        "nginx-tls.conf": lambda text: the_map["line"] + "\n" + after(text, "listen ", f"ssl_client_certificate {ca};\nssl_verify_client on;"),
    }


@pytest.fixture(scope="module", params=["lighttpd-socket", "mod_proxy_fcgi", "nginx"])
def front(request, make_site):
    site = make_site()
    operators = Operators(new_folder("operators-", site.folder))
    changes = edits(operators.file)
    front = site.administer("mdm").start(request.param, passwords={"nobody": "unused"}, edit=lambda name, text: changes.get(name, str)(text))
    front.client = operators.client
    yield front
    site.stop()


def ask(front, context, headers=None):
    """Status and body; (0, b"") when TLS was refused."""
    connection = http.client.HTTPSConnection("127.0.0.1", front.tls_port, context=context, timeout=120)
    try:
        connection.request("POST", PATH, b"{}", {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (ssl.SSLError, ConnectionError):
        return 0, b""
    finally:
        connection.close()


CN, O, OU = NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME


def test_a_certificate_names_the_user(front):
    for subject in ([(CN, "mdm")], [(O, "Example"), (OU, "Tools"), (CN, "mdm")]):
        status, body = ask(front, front.client(*subject))
        assert status == 201, f"{status} {body}\n{front.logs()[-3000:]}"
        assert json.loads(body)["created_by"] == "mdm"


@pytest.mark.parametrize("subject", [
    [(CN, "stranger")], [(CN, "mdm,x")], [(CN, "mdm\\")], [(CN, "x,CN=mdm")], [(O, "x,CN=mdm"), (CN, "stranger")], [(O, "mdm")], [(CN, "MDM")],
    [(CN, "mdm x")],
], ids=["stranger", "comma", "backslash", "inside-cn", "inside-o", "o-only", "case", "blank"])
def test_another_subject_is_another_user(front, subject):
    status, body = ask(front, front.client(*subject))
    assert status in (401, 403), f"{status} {body}\n{front.logs()[-3000:]}"


def test_no_certificate_is_nobody(front):
    assert ask(front, front.client())[0] in (0, 400, 401, 403)
    assert ask(front, front.client(), {"Remote-User": "mdm", "SSL-Client-S-DN-CN": "mdm", "Authorization": "Basic bWRtOng="})[0] in (0, 400, 401, 403)
    stranger = Operators(front.folder).client((CN, "mdm"))		# of another CA
    assert ask(front, stranger)[0] in (0, 400, 401, 403)
