"""scepter cert: what was really issued, by the responder as plain CGI."""
import os
import subprocess
import time
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from conftest import BUILD, CONFIG, FAILED, USAGE, ok, openssl, scepter

import scepmsg


def post(site, message):
    env = os.environ | site.env() | {
        "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "POST", "SCRIPT_NAME": "/scep", "PATH_INFO": "", "QUERY_STRING": "operation=PKIOperation",
        "CONTENT_LENGTH": str(len(message)), "CONTENT_TYPE": "application/x-pki-message", "REMOTE_ADDR": "192.0.2.7", "SERVER_PROTOCOL": "HTTP/1.1"}
    done = subprocess.run([BUILD / "cgi-bin/scep.fcgi"], env=env, input=message, capture_output=True, timeout=60)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    assert b"200" in head.splitlines()[0] or b"application/x-pki-message" in head, (head, body, done.stderr)
    return body


def enrol(site, authority, name, dns=()):
    ra, ca = (scepmsg.certificate((authority / f).read_bytes()) for f in ("ra.pem", "ca.pem"))
    challenge = site.ok("challenge", "new").out.strip()
    request = scepmsg.Device.shared(name).request([ra], challenge, name, dns)
    return scepmsg.read_reply(post(site, request.encode()), request, [ra, ca]).cert


@pytest.fixture(scope="module")
def issued(site, authority):
    first = enrol(site, authority, "alpha")
    time.sleep(1.1)		# the list is ordered by the second
    return [first, enrol(site, authority, "beta", ["beta.example"])]


def listed(site, *args):
    return site.ok("cert", "list", *args, "--json").json


def test_newest_first(site, issued):
    rows = listed(site)
    assert [int(r["serial"], 16) for r in rows] == [c.serial_number for c in reversed(issued)]
    row = rows[0]
    assert row["sha256_fingerprint"] == ":".join(f"{b:02X}" for b in issued[1].fingerprint(hashes.SHA256()))
    assert (row["profile"], row["state"], row["device"]) == ("default", "valid", "beta")
    assert row["subject"] == issued[1].subject.rfc4514_string() and row["subject_alt_name"] == "DNS:beta.example"
    assert row["not_after"] == issued[1].not_valid_after.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert "192.0.2.7" in row["requester"] and row["transaction_id"]


def test_filters(site, issued):
    def names(*args):
        return [row["device"] for row in listed(site, *args)]
    assert names("--device", "alpha") == ["alpha"]
    assert names("--subject", "ALPH") == ["alpha"]
    assert names("--subject", "%beta%") == ["beta"]
    assert names("--profile", "default") == ["beta", "alpha"] and names("--profile", "none") == []
    assert names("--limit", "1") == ["beta"]
    assert names("--expires-before", "30d") == [] and names("--expires-before", "2y") == ["beta", "alpha"]
    end = issued[1].not_valid_after + timedelta(days=1)
    assert names("--expires-before", end.strftime("%Y-%m-%d")) == ["beta", "alpha"]
    assert names("--expires-before", datetime.utcnow().strftime("%Y-%m-%dT%H:%M:%SZ")) == []


def test_table(site, issued):
    lines = site.ok("cert", "list").out.splitlines()
    assert len(lines) == 3 and lines[0].startswith("SERIAL") and lines[0].endswith("SUBJECT")
    assert all(line.index("default") == lines[0].index("PROFILE") for line in lines[1:])


def test_show(site, issued, tmp_path):
    serial = f"{issued[1].serial_number:032x}"
    text = site.ok("cert", "show", serial).out
    assert "Requester:" in text and "DNS:beta.example" in text
    (tmp_path / "c.pem").write_text(text[text.index("-----BEGIN"):])
    assert openssl("x509", "-in", tmp_path / "c.pem", "-noout", "-serial").strip() == f"serial={serial.upper()}"
    shown = site.ok("cert", "show", "--json", ":".join(serial[i:i + 2] for i in range(0, 32, 2)).upper()).json
    assert x509.load_pem_x509_certificate(shown["pem"].encode()) == issued[1]
    assert shown["certificate"]["sha256_fingerprint"] == shown["sha256_fingerprint"]
    assert shown["certificate"]["key"] == "RSA 2048"


def test_unknown(site, issued):
    site.bad(FAILED, "no certificate with serial", "cert", "show", "00" * 16)


def test_challenge_is_used(site, issued):
    states = [row["state"] for row in site.ok("challenge", "list", "--all", "--json").json]
    assert states == ["used", "used"]
    assert site.ok("db", "status", "--json").json["certificates"] >= 0


# --- revoke, crl


def test_revoke_and_sign(site, authority):
    """Without a responder the command line makes the CRL."""
    cert = enrol(site, authority, "gamma")
    serial = f"{cert.serial_number:032x}"
    shown = site.ok("cert", "revoke", serial, "--reason", "KEYCOMPROMISE", "--json").json
    assert (shown["result"], shown["reason"]) == ("revoked", "keyCompromise")
    again = scepter("cert", "revoke", serial, "--json", env=site.env())
    assert again.code == FAILED and again.json["result"] == "was revoked already" and again.json["reason"] == "keyCompromise"
    row = next(r for r in listed(site) if r["serial"] == serial)
    assert (row["state"], row["revocation_reason"]) == ("revoked", "keyCompromise")
    for form in (serial, serial.lstrip("0"), serial.upper(), f"0x{cert.serial_number:x}", ":".join(serial[i:i + 2] for i in range(0, 32, 2))):
        assert site.ok("cert", "show", form, "--json").json["state"] == "revoked", form
    signed = site.ok("crl", "--sign", "--json")
    assert signed.json["number"] >= 1 and serial.lstrip("0") in [e["serial"].lstrip("0") for e in signed.json["entries"]]
    assert "was signed and published" in signed.err
    crl = site.folder / "ca.crl"
    site.ok("crl", "--out", crl)
    assert "verify OK" in subprocess.run(["openssl", "crl", "-inform", "DER", "-in", crl, "-CAfile", authority / "ca.pem", "-noout"],
                                         capture_output=True, text=True, check=True).stderr
    assert site.ok("crl", "--pem").out.startswith("-----BEGIN X509 CRL-----\n")
    shown = ok("show", crl, "--json").json[0]
    assert shown["number"] == signed.json["number"]
    assert ok("show", crl, "--profile", "default", "--json", env=site.env()).json[0]["signature"] == "right"


def test_revoke_refuses(site):
    site.bad(FAILED, "there is no certificate with serial", "cert", "revoke", "01")
    for serial in ("no", "0x", ":", "01" * 17):
        site.bad(USAGE, "is not a serial number", "cert", "revoke", serial)
    site.bad(USAGE, "is not a reason; one of unspecified, keyCompromise", "cert", "revoke", "01", "--reason", "certificateHold")
    site.bad(USAGE, "is not a time that has passed", "cert", "revoke", "01", "--invalid-since", "2999-01-01")
    site.bad(USAGE, "is not a time that has passed", "cert", "revoke", "01", "--invalid-since", "yesterday")


def test_no_crl_yet(empty_site):
    empty_site.ok("db", "init")
    empty_site.bad(FAILED, "there is no CRL of this CA yet", "crl")
    empty_site.bad(CONFIG, "there is no profile 'defualt'", "crl", "--profile", "defualt")
    empty_site.profile.write_text(empty_site.profile.read_text() + "[crl]\nenabled = no\n")
    empty_site.bad(CONFIG, "has no CRL", "crl", "--sign")
