#!/usr/bin/python3
"""Captures the PKCSReq of SCEP clients that others wrote, as test data.

    capture_clients.py DIR

Makes a CA and an RA in DIR (once), answers GetCACaps and GetCACert, and keeps the body of the first PKIOperation of each client:
micromdm's scepclient, strongSwan's pki and certmonger. Every certificate and key here is for tests only.
"""
import base64
import datetime
import http.server
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

CAPS = b"AES\nDES3\nSHA-1\nSHA-256\nSHA-384\nSHA-512\nPOSTPKIOperation\nRenewal\nSCEPStandard\n"
CHALLENGE = "captured-challenge"
BEGIN, END = datetime.datetime(2024, 1, 1), datetime.datetime(2124, 1, 1)


def name(cn):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Scepter Test")])


def usage(**on):
    bits = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
            "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]
    return x509.KeyUsage(**{b: on.get(b, False) for b in bits})


def issue(subject, key, issuer, issuer_key, ca):
    b = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(key.public_key())
    b = b.serial_number(x509.random_serial_number()).not_valid_before(BEGIN).not_valid_after(END)
    b = b.add_extension(x509.BasicConstraints(ca, None), True)
    use = usage(key_cert_sign=True, crl_sign=True, digital_signature=True) if ca else usage(digital_signature=True, key_encipherment=True)
    b = b.add_extension(use, True).add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    b = b.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False)
    return b.sign(issuer_key, hashes.SHA256())


def pem_key(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def make_ca(folder):
    if (folder / "ra.key").exists():
        return
    ca, ra = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 2048)
    for stem, key, cert in (("ca", ca, issue("Test CA", ca, "Test CA", ca, True)), ("ra", ra, issue("Test RA", ra, "Test CA", ca, False))):
        (folder / f"{stem}.key").write_bytes(pem_key(key))
        (folder / f"{stem}.key").chmod(0o600)
        (folder / f"{stem}.pem").write_bytes(cert.public_bytes(serialization.Encoding.PEM))


class Capture(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        query = urllib.parse.urlsplit(self.path).query
        operation = urllib.parse.parse_qs(query).get("operation", [""])[0]
        if operation == "GetCACaps":
            self.answer(200, "text/plain", CAPS)
        elif operation == "GetCACert":
            self.answer(200, "application/x-x509-ca-ra-cert", self.server.p7)
        elif operation == "PKIOperation":
            raw = [p[8:] for p in query.split("&") if p.startswith("message=")][0]
            text = urllib.parse.unquote(raw).replace("\n", "").replace("-", "+").replace("_", "/")
            self.keep(base64.b64decode(text + "=" * (-len(text) % 4)))
        else:
            self.answer(400, "text/plain", b"")

    def do_POST(self):
        self.keep(self.rfile.read(int(self.headers["Content-Length"])))

    def keep(self, body):
        if self.server.got is None:
            self.server.got = body
        self.answer(503, "text/plain", b"")

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def micromdm(url, folder, tmp):
    return ["scepclient", "-private-key", f"{tmp}/k.pem", "-certificate", f"{tmp}/c.pem", "-server-url", url, "-challenge",
            CHALLENGE, "-cn", "micromdm-device", "-organization", "Scepter Test", "-country", "DE", "-ca-fingerprint",
            fingerprint(folder / "ra.pem")]


def fingerprint(path):
    return x509.load_pem_x509_certificate(path.read_bytes()).fingerprint(hashes.SHA256()).hex()


def strongswan(url, folder, tmp):
    with open(f"{tmp}/k.pem", "wb") as f:
        subprocess.run(["pki", "--gen", "--type", "rsa", "--size", "2048", "--outform", "pem"], stdout=f, check=True)
    return ["pki", "--scep", "--url", url, "--in", f"{tmp}/k.pem", "--dn", "CN=strongswan-device, O=Scepter Test", "--san",
            "device.example", "--password", CHALLENGE, "--cacert-enc", f"{folder}/ra.pem", "--cacert-sig", f"{folder}/ra.pem",
            "-C", f"{folder}/ca.pem", "--outform", "pem"]


def certmonger(url, folder, tmp):
    script = pathlib.Path(tmp) / "inner.sh"
    script.write_text(f"""getcert add-scep-ca -c scep -u {url}
for i in $(seq 40); do grep -qs ca_encryption_cert {tmp}/config/certmonger/cas/* && break; sleep 0.5; done
getcert request -c scep -k {tmp}/k.pem -f {tmp}/c.pem -N "CN=certmonger-device,O=Scepter Test" -D device.example -L {CHALLENGE}
sleep 15
""")
    os.makedirs(f"{tmp}/config")
    return ["/usr/lib/certmonger/certmonger-session", "-s", "-L", "-P", f"{tmp}/sock", "-n", "-d", "1", "-c", f"bash {script}"]


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    make_ca(folder)
    certs = [x509.load_pem_x509_certificate((folder / f"{n}.pem").read_bytes()) for n in ("ra", "ca")]
    for client in (micromdm, strongswan, certmonger):
        out = folder / f"{client.__name__}-pkcsreq.der"
        if out.exists():
            continue
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Capture)
        server.p7, server.got = pkcs7.serialize_certificates(certs, serialization.Encoding.DER), None
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/scep"
        tmp = tempfile.mkdtemp(dir="/tmp")
        env = dict(os.environ, HOME=tmp, XDG_CONFIG_HOME=f"{tmp}/config")
        run = subprocess.Popen(client(url, folder, tmp), env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        end = time.monotonic() + 60
        while server.got is None and run.poll() is None and time.monotonic() < end:
            time.sleep(0.2)
        run.terminate()
        said = run.communicate()[0].decode(errors="replace")
        server.shutdown()
        shutil.rmtree(tmp, ignore_errors=True)
        if server.got is None:
            sys.exit(f"{client.__name__} sent nothing:\n{said}")
        out.write_bytes(server.got)
        print(f"{out.name}: {len(server.got)} octets")


main()
