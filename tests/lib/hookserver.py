"""A web hook's service as an operator might write one, for real: HTTPS with certificates made here; and the check of its signature, made without
the code under test."""
import datetime
import hashlib
import hmac
import http.server
import ipaddress
import json
import re
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from processes import write

NOW = datetime.datetime.utcnow()
DAY = datetime.timedelta(days=1)


class Authority:
    """A CA for servers and clients of TLS."""

    def __init__(self, folder, label):
        self.folder, self.label = folder, label
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"{label} TLS CA")])
        cert = self._sign(self._builder(self.name, self.key).add_extension(x509.BasicConstraints(True, None), True))
        self.file = write(folder / f"{label}.pem", cert)

    def _builder(self, subject, key, start=NOW - DAY, end=NOW + DAY):
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key.public_key())
                .serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end))

    def _sign(self, builder):
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def issue(self, label, host=None, expired=False):
        """Files of a certificate and its key; host: a name or an address."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, label)])
        builder = self._builder(subject, key, *((NOW - 3 * DAY, NOW - DAY) if expired else ()))
        if host:
            try:
                san = x509.IPAddress(ipaddress.ip_address(host))
            except ValueError:
                san = x509.DNSName(host)
            builder = builder.add_extension(x509.SubjectAlternativeName([san]), False)
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return (write(self.folder / f"{self.label}-{label}.pem", self._sign(builder)),
                write(self.folder / f"{self.label}-{label}.key", pem, 0o600))


def signature_is_right(secret, header, body, now, tolerance=300):
    match = re.fullmatch(r"t=([0-9]+),v1=([0-9a-f]{64})", header)
    if not match or abs(now - int(match[1])) > tolerance:
        return False
    wanted = hmac.new(secret, match[1].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(match[2], wanted)


class Question:
    """One POST."""

    def __init__(self, handler, body):
        self.path, self.headers, self.body, self.port = handler.path, handler.headers, body, handler.client_address[1]
        self.event = json.loads(body)
        self.peer = handler.connection.getpeercert() if isinstance(handler.connection, ssl.SSLSocket) else None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1	# head and body in one packet

    def do_POST(self):
        question = Question(self, self.rfile.read(int(self.headers["content-length"])))
        with self.server.lock:
            self.server.questions.append(question)
        answer = self.server.answer
        if callable(answer):
            answer = answer(self, question)
        if answer is not None:
            self.give(answer)

    def give(self, answer, status=200, headers=()):
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def give_up(self):
        """Closes without another octet."""
        self.close_connection = True

    def log_message(self, *args):
        pass


class HookServer(http.server.ThreadingHTTPServer):
    """answer: a dictionary or bytes, or a function (handler, question) that gives one, or writes by itself and gives None."""
    daemon_threads = True

    def __init__(self, files=None, client_ca=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock, self.questions, self.answer, self.tls = threading.Lock(), [], {"decision": "allow"}, None
        if files:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*files)
            if client_ca:
                self.tls.load_verify_locations(client_ca)
                self.tls.verify_mode = ssl.CERT_REQUIRED
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def finish_request(self, request, client_address):
        """In the connection's own thread, so that a handshake that fails or hangs is nobody else's."""
        if self.tls:
            request = self.tls.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        pass	# clients that do not trust us are part of the tests

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.server_port}/hook?token=hidden"

    def expect(self, answer):
        self.questions, self.answer = [], answer
        return self

    def stop(self):
        self.shutdown()
        self.server_close()
