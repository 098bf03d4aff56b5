"""A SCEP server in Python that answers as it is told to: for tests of the client."""
import base64
import datetime
import http.server
import ssl
import threading
import urllib.parse

from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

import der
import pwri
import scepmsg
from scepmsg import attribute

CAPS = b"AES\nSHA-256\nSHA-512\nPOSTPKIOperation\nSCEPStandard\n"


def certificate(subject, key, issuer, issuer_key, ca=False, public=None, usage=True):
    now = datetime.datetime.utcnow()
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, n)]) for n in (subject, issuer)]
    b = x509.CertificateBuilder().subject_name(names[0]).issuer_name(names[1]).public_key(public or key.public_key())
    b = b.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
    b = b.not_valid_after(now + datetime.timedelta(days=30)).add_extension(x509.BasicConstraints(ca, None), True)
    if usage:
        b = b.add_extension(x509.KeyUsage(True, False, not ca, False, False, ca, ca, False, False), True)
    return b.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def certs_only(*certs):
    body = der.seq(der.integer(1), der.set_of(), der.seq(der.oid(scepmsg.ID_DATA)), der.tlv(0xA0, b"".join(certs)), der.set_of())
    return der.seq(der.oid(scepmsg.ID_SIGNED), der.tlv(0xA0, body))


class Pki:
    """A CA with a dedicated RA."""

    def __init__(self):
        self.ca_key, self.ra_key = scepmsg.new_key(), scepmsg.new_key()
        self.ca = certificate("Fake CA", self.ca_key, "Fake CA", self.ca_key, ca=True)
        self.ra = certificate("Fake RA", self.ra_key, "Fake CA", self.ca_key)

    def fingerprint(self):
        return scepmsg.digest_of("sha256", self.ca).hex()


class Received:
    """A request as the server sees it."""

    def __init__(self, body, pki):
        signed = cms.ContentInfo.load(body)["content"]
        signer = signed["signer_infos"][0]
        raw = {a["type"].dotted: a["values"][0] for a in signer["signed_attrs"]}
        self.type, self.txid = (raw[o].native for o in (scepmsg.MESSAGE_TYPE, scepmsg.TXID))
        self.nonce = raw[scepmsg.SENDER_NONCE].native
        self.cert = signed["certificates"][0].chosen.dump()
        self.digest = signer["digest_algorithm"]["algorithm"].native
        env = cms.ContentInfo.load(signed["encap_content_info"]["content"].native)["content"]
        recipient = env["recipient_infos"][0].chosen
        assert recipient["rid"].chosen.dump() == scepmsg.issuer_and_serial(pki.ra), "encrypted to another certificate"
        info = env["encrypted_content_info"]
        oid = info["content_encryption_algorithm"]["algorithm"].dotted
        self.cipher = next(n for n, c in scepmsg.CIPHERS.items() if c[0] == oid)
        cek = pki.ra_key.decrypt(recipient["encrypted_key"].native, padding.PKCS1v15())
        self.plain = scepmsg.decrypt(self.cipher, cek, info["content_encryption_algorithm"]["parameters"].native,
                                     info["encrypted_content"].native)
        self.method = None

    def csr(self):
        return x509.load_der_x509_csr(self.plain)


def certrep(pki, got, status, content=b"", **changes):
    """A CertRep to `got`, of which every field of scepmsg.Request may be made wrong."""
    def text(dotted, value):
        return attribute(dotted, der.tlv(der.PRINTABLE, str(value).encode()))

    extra = [text(scepmsg.PKI_STATUS, status), attribute(scepmsg.RECIPIENT_NONCE, der.tlv(der.OCTETS, changes.pop("recipient_nonce", got.nonce)))]
    if status == scepmsg.FAILURE:
        extra += [text(scepmsg.FAIL_INFO, changes.pop("fail_info", 2)),
                  attribute(scepmsg.FAIL_INFO_TEXT, der.tlv(der.UTF8, changes.pop("fail_text", "no").encode()))]
    values = {"key": pki.ra_key, "cert": pki.ra, "recipients": [], "message_type": "3", "txid": got.txid, "content": content,
              "extra": tuple(extra)}
    return scepmsg.Request(**{**values, **changes}).encode()


def issued(pki, got):
    cert = certificate("issued", None, "Fake CA", pki.ca_key, public=x509.load_der_x509_certificate(got.cert).public_key())
    return certs_only(cert)


def issue_under(password, **how):
    """Answers a key that cannot decrypt; how: what pwri.wrap takes."""
    def answer(pki, got):
        wrap = (lambda key: pwri.wrap(key, password, cipher=got.cipher, **how),)
        return certrep(pki, got, scepmsg.SUCCESS, scepmsg.enveloped(issued(pki, got), [], got.cipher, more=wrap))
    return answer


def issue(pki, got, **changes):
    return certrep(pki, got, scepmsg.SUCCESS, scepmsg.enveloped(issued(pki, got), [got.cert], got.cipher), **changes)


def pending(pki, got, **changes):
    return certrep(pki, got, scepmsg.PENDING, **changes)


def refuse(pki, got, **changes):
    return certrep(pki, got, scepmsg.FAILURE, **changes)


class Server:
    """Answers the requests with the functions of `answers` in turn, the last one for ever; each gets (pki, Received) and gives the
    body, or (status, body)."""

    def __init__(self, answers, pki=None, caps=CAPS, ca_body=None, tls=None):
        self.pki, self.answers, self.received = pki or Pki(), list(answers), []
        self.bodies = {"GetCACaps": caps, "GetCACert": ca_body if ca_body is not None else certs_only(self.pki.ra, self.pki.ca)}
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                query = dict(p.partition("=")[::2] for p in urllib.parse.urlsplit(self.path).query.split("&"))
                if query["operation"] == "PKIOperation":
                    return self.answer(*server.operate("GET", base64.b64decode(urllib.parse.unquote(query["message"]), validate=True)))
                body = server.bodies[query["operation"]]
                return self.answer(404 if body is None else 200, body or b"nothing here\nsecond line")

            def do_POST(self):
                assert self.path.endswith("?operation=PKIOperation") and self.headers["Content-Type"] == "application/x-pki-message"
                self.answer(*server.operate("POST", self.rfile.read(int(self.headers["Content-Length"]))))

            def answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://localhost:{self.http.server_port}/scep"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def operate(self, method, body):
        got = Received(body, self.pki)
        got.method = method
        self.received.append(got)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        result = answer(self.pki, got)
        return result if isinstance(result, tuple) else (200, result)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()
