"""A FastCGI client small enough to be wrong on purpose: records are made one by one, whole or cut."""
import socket
import struct

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES, GET_VALUES_RESULT, UNKNOWN = range(1, 12)
KEEP_CONN = 1


def record(kind, content=b"", request_id=1, padding=0, version=1):
    head = struct.pack(">BBHHBB", version, kind, request_id, len(content), padding, 0)
    return head + content + b"\0" * padding


def begin(flags=0, request_id=1, role=1):
    return record(BEGIN, struct.pack(">HB5x", role, flags), request_id)


def _length(n):
    return bytes([n]) if n < 128 else struct.pack(">I", n | 0x80000000)


def pairs(variables):
    out = b""
    for name, value in variables.items():
        name, value = name.encode("latin-1"), value.encode("latin-1")
        out += _length(len(name)) + _length(len(value)) + name + value
    return out


def stream(kind, content, request_id=1, piece=65528, padding=0):
    """A stream in records of `piece` octets, with the empty record that ends it."""
    out = b"".join(record(kind, content[i:i + piece], request_id, padding) for i in range(0, len(content), piece))
    return out + record(kind, b"", request_id)


def variables(method="GET", path="/scep", query="", body=b"", **more):
    v = {
        "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": method, "SCRIPT_NAME": path, "PATH_INFO": "", "QUERY_STRING": query,
        "REQUEST_URI": path + ("?" + query if query else ""), "REMOTE_ADDR": "192.0.2.7", "SERVER_PROTOCOL": "HTTP/1.1",
    }
    if method == "POST":
        v["CONTENT_LENGTH"] = str(len(body))
        v["CONTENT_TYPE"] = "application/x-pki-message"
    v.update(more)
    return {k: x for k, x in v.items() if x is not None}


def request(method="GET", path="/scep", query="", body=b"", flags=0, piece=65528, padding=0, **more):
    """All the octets of one request."""
    v = variables(method, path, query, body, **more)
    return begin(flags) + stream(PARAMS, pairs(v), piece=piece, padding=padding) + stream(STDIN, body, piece=piece, padding=padding)


TIMEOUT = 60		# seconds; only tells that an answer does not come from that it is late


def connect(where, timeout=TIMEOUT):
    if isinstance(where, tuple):
        return socket.create_connection(where, timeout)
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(timeout)
    s.connect(str(where))
    return s


class Answer:
    """What came back: status, headers (lower-case names), body, and whether END_REQUEST was seen."""

    def __init__(self, out, ended, rest=b""):
        self.raw, self.ended, self.rest = out, ended, rest
        head, _, self.body = out.partition(b"\r\n\r\n")
        self.headers = {}
        for line in head.decode("latin-1").split("\r\n"):
            name, _, value = line.partition(": ")
            self.headers[name.lower()] = value
        self.status = int(self.headers.get("status", "0").split()[0] or 0)
        self.text = self.body.decode("latin-1")

    def field(self, name):
        """name=value in the first line of the echo program's answer."""
        for word in self.text.split("\n")[0].split(" "):
            key, _, value = word.partition("=")
            if key == name:
                return value
        return None


def receive(s, to_eof=True):
    """Reads records up to the end of the connection, or to END_REQUEST."""
    data, out, ended = b"", b"", False
    while True:
        while len(data) >= 8:
            _, kind, _, n, pad, _ = struct.unpack(">BBHHBB", data[:8])
            if len(data) < 8 + n + pad:
                break
            content, data = data[8:8 + n], data[8 + n + pad:]
            if kind == STDOUT:
                out += content
            elif kind == END:
                ended = True
        if ended and not to_eof:
            return Answer(out, ended, data)
        try:
            more = s.recv(65536)
        except ConnectionResetError:
            more = b""
        if not more:
            return Answer(out, ended, data)
        data += more


def ask(where, method="GET", timeout=TIMEOUT, **kw):
    """One request on its own connection; it is made before, because who only connects is not waited for."""
    octets = request(method, **kw)
    with connect(where, timeout) as s:
        s.sendall(octets)
        return receive(s)
