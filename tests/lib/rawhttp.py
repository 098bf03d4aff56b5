"""HTTP as octets: requests that a library would refuse to send, and answers as they came."""
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import quote

from processes import DEADLINE


@dataclass
class Answer:
    status: int
    headers: dict		# names in lower case; a repeated header's last value
    body: bytes
    raw: bytes

    @property
    def type(self):
        return self.headers.get("content-type", "")


def tls_context(cert=None, key=None):
    """Trusts every server; `cert` and `key`: files of a client certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if cert:
        context.load_cert_chain(cert, key)
    return context


def exchange(port, data, tls=False, timeout=DEADLINE, half_close=False, source=None):
    """Sends `data`, from the address `source` if there is one, to 127.0.0.1:port and reads one answer. tls: whether, or a context of tls_context()."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout, source_address=(source, 0) if source else None) as sock:
        if tls:
            context = tls_context() if tls is True else tls
            sock = context.wrap_socket(sock, server_hostname="localhost")
        try:
            sock.sendall(data)
            if half_close:
                sock.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass			# answered before all was read: 413
        return read_answer(sock, head=data.startswith(b"HEAD "))


def read_answer(sock, head=False):
    raw = b""
    while True:
        while b"\r\n\r\n" not in raw:
            raw += receive(sock)
        top, body = raw.split(b"\r\n\r\n", 1)
        lines = top.decode("latin-1").split("\r\n")
        status = int(lines[0].split()[1])
        if status != 100:
            break
        raw = body
    headers = {k.strip().lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
    length = headers.get("content-length")
    assert "chunked" not in headers.get("transfer-encoding", ""), "answered in chunks (P-23)"
    if head or status in (204, 304):
        return Answer(status, headers, b"", raw)
    while length is None or len(body) < int(length):
        try:
            piece = sock.recv(65536)
        except ConnectionResetError:
            break
        if not piece:
            break
        raw, body = raw + piece, body + piece
    assert length is None or len(body) == int(length), f"{len(body)} of {length} octets came"
    return Answer(status, headers, body, raw)


def receive(sock):
    piece = sock.recv(65536)
    if not piece:
        raise ConnectionError("closed without an answer")
    return piece


def request(method, target, headers=(), body=None, version="1.1", host=True):
    lines = [f"{method} {target} HTTP/{version}"]
    if host:
        lines.append("Host: localhost")
    if version == "1.1":
        lines.append("Connection: close")
    if body is not None and not any(h.lower().startswith(("content-length", "transfer-encoding")) for h in headers):
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join([*lines, *headers]) + "\r\n\r\n").encode("latin-1") + (body or b"")


def get(port, target, tls=False, **how):
    return exchange(port, request("GET", target, **how), tls)


def post(port, target, body, content_type="application/x-pki-message", tls=False, headers=(), source=None, **how):
    headers = [*headers, *([f"Content-Type: {content_type}"] if content_type is not None else [])]
    return exchange(port, request("POST", target, headers, body, **how), tls, source=source)


def escaped(text):
    """Percent-escaped, '/' and '+' too."""
    return quote(text, safe="")
