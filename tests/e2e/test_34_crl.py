"""Revocation and CRLs: what certificates say of them, what is served by http, and that nothing stops them (RFC 5280; P-148)."""
import datetime
import json
import os
import signal
import subprocess
import time

import pytest
import rawhttp
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from installation import RESPONDER, Postgres
from processes import DEADLINE, new_folder, wait_for
from windows import widening

URL = "http://pki.example.com/scep/default/crl"
LEASE = 30	# seconds for which a worker that died while it signed is waited for
AT_ONCE = {"validity": "2h", "refresh": "1h", "interval": "0"}


def crl_of(client, path="/scep/default/crl", **how):
    answer = rawhttp.get(client.front.port, path, **how)
    assert answer.status == 200, f"{answer.status} {answer.body!r}\n{client.front.logs()[-2000:]}"
    assert answer.type == "application/pkix-crl"
    return x509.load_der_x509_crl(answer.body)


def number(crl):
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def serials(crl):
    return {entry.serial_number for entry in crl}


def listing(client, cert, path="/scep/default/crl"):
    """The CRL when it has the certificate; workers ask the database every other second."""
    crl = crl_of(client, path)
    return crl if cert.serial_number in serials(crl) else None


def issued(client, label="device"):
    request = client.request(label=label)
    return client.enrol(request).cert, request


@pytest.fixture(scope="module")
def stand(make_site, client_of):
    site = make_site()
    site.profiles["default"] = site.profile(certificate={"crl_url": URL, "ca_issuers_url": "http://pki.example.com/ca.crt",
                                                         "ocsp_url": "http://ocsp.example.com/"}, crl=AT_ONCE)
    site.profiles["same"] = site.profile(crl=AT_ONCE)
    site.profiles["none"] = site.profile(crl={"enabled": "no"})
    return client_of(site, site.start("lighttpd-socket"))


def test_the_first_one_comes_before_the_first_certificate(site, client_of):
    client = client_of(site, site.start("lighttpd-socket"))
    crl = crl_of(client)
    ca = x509.load_der_x509_certificate(site.authority.ca)
    assert crl.is_signature_valid(ca.public_key()) and crl.issuer == ca.subject and not serials(crl)
    key_id = crl.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert key_id == ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert number(crl_of(client, "/scep/crl")) >= number(crl)


def test_certificates_say_where_it_is(stand):
    cert, _ = issued(stand)
    point, = cert.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert [n.value for n in point.full_name] == [URL]
    access = cert.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    assert [d.access_location.value for d in access] == ["http://ocsp.example.com/", "http://pki.example.com/ca.crt"]


def test_revoked_is_on_the_next_one(stand, tmp_path):
    """openssl verify with -crl_check believes it; revoking twice says so; profiles of one CA share it."""
    cert, _ = issued(stand, "revoked")
    other, _ = issued(stand, "kept")
    before = crl_of(stand)
    serial = f"{cert.serial_number:032x}"
    done = stand.site.run("cert", "revoke", serial, "--reason", "keyCompromise", "--invalid-since", "2020-01-02")
    assert "keyCompromise" in done.stdout
    again = stand.site.run("cert", "revoke", serial, "--reason", "superseded", check=False)
    assert again.returncode == 1 and "was revoked already" in again.stdout and "keyCompromise" in again.stdout
    crl = wait_for(lambda: listing(stand, cert), "the certificate on a CRL")
    assert number(crl) > number(before) and other.serial_number not in serials(crl)
    entry = crl.get_revoked_certificate_by_serial_number(cert.serial_number)
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason == x509.ReasonFlags.key_compromise
    assert str(entry.extensions.get_extension_for_class(x509.InvalidityDate).value.invalidity_date).startswith("2020-01-02")
    wait_for(lambda: listing(stand, cert, "/scep/same/crl"), "the certificate on the CRL of a profile with the same CA")
    row = next(c for c in stand.site.certs() if c["serial"] == serial)
    assert (row["state"], row["revocation_reason"]) == ("revoked", "keyCompromise")

    (tmp_path / "ca.pem").write_bytes(stand.site.authority.ca_cert.read_bytes())
    stand.site.run("crl", "--pem", "--out", tmp_path / "crl.pem", user=False)
    for certificate, good in ((other, True), (cert, False)):
        (tmp_path / "c.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        verified = subprocess.run(["openssl", "verify", "-crl_check", "-CAfile", tmp_path / "ca.pem", "-CRLfile", tmp_path / "crl.pem",
                                   tmp_path / "c.pem"], capture_output=True, text=True)
        assert (verified.returncode == 0) == good and (good or "revoked" in verified.stderr), verified


def test_caches(stand):
    def asked_thrice():
        """Of several workers, maybe, of which one has an older CRL for two seconds."""
        answer = rawhttp.get(stand.front.port, "/scep/default/crl")
        again = rawhttp.get(stand.front.port, "/scep/default/crl", headers=[f"If-None-Match: {answer.headers['etag']}"])
        curl = subprocess.run(["curl", "-sI", f"http://127.0.0.1:{stand.front.port}/scep/default/crl"], capture_output=True, text=True, check=True)
        return again.headers["etag"] == answer.headers["etag"] and answer.headers["etag"] in curl.stdout and (answer, again, curl.stdout)
    answer, same, head = wait_for(asked_thrice, "the same CRL in all answers")
    assert answer.headers["cache-control"] == "public, max-age=600"
    assert answer.headers["last-modified"].endswith("GMT")
    assert same.status == 304 and same.body == b""
    assert rawhttp.get(stand.front.port, "/scep/default/crl", headers=['If-None-Match: "0-00000000"']).status == 200
    assert "200" in head.splitlines()[0] and f"Content-Length: {len(answer.body)}" in head


def test_not_there(stand):
    assert rawhttp.get(stand.front.port, "/scep/none/crl").status == 404
    assert rawhttp.get(stand.front.port, "/scep/nobody/crl").status == 404
    assert rawhttp.get(stand.front.port, "/scep/default/x/crl").status == 404
    assert rawhttp.post(stand.front.port, "/scep/default/crl", b"x").status == 405


def test_the_command_line(stand, tmp_path):
    """Shows what was published; with --sign, and the responder's role, publishes the next one."""
    crl_of(stand)
    shown = stand.site.json("crl")
    assert "CN=Test CA" in shown["issuer"]
    wait_for(lambda: number(crl_of(stand)) == shown["number"], "what is shown to be served")
    assert stand.site.run("crl", "--sign", check=False).returncode == 3, "operators have no right to publish"
    signed = stand.site.run("crl", "--sign", "--json", ini=stand.site.ini)
    made = json.loads(signed.stdout)["number"]
    assert made > shown["number"]
    wait_for(lambda: number(crl_of(stand)) == made, "the next one to be served")


def test_numbers_do_not_repeat_when_workers_die(make_site, client_of):
    """Workers are killed while they sign one CRL after the other: each number that is published is higher than the last one, and it goes on."""
    site = make_site()
    site.profiles["default"] = site.profile(crl={"validity": "60s", "refresh": "10s", "interval": "0"})
    client = client_of(site, site.start("lighttpd-socket"))
    crl_of(client)
    for i in range(5):
        cert, _ = issued(client, f"victim{i}")
        site.run("cert", "revoke", f"{cert.serial_number:032x}")
        for pid in client.front.responder.workers():
            time.sleep(0.02 * i)
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: len(client.front.responder.workers()) == 2, "new workers")
    wait_for(lambda: len(serials(crl_of(client))) == 5, "all five on the CRL", LEASE + DEADLINE)
    published = site.execute("SELECT detail FROM scep.audit WHERE kind = 'crl' ORDER BY at")
    numbers = [int(d.split()[1]) for (d,) in published]
    assert numbers == sorted(set(numbers))


def test_one_worker_signs(make_site, client_of):
    """Eight workers notice the same revocation: one CRL comes of it."""
    site = make_site()
    site.server["server"]["workers"] = 8
    site.profiles["default"] = site.profile(crl=AT_ONCE)
    client = client_of(site, site.start("lighttpd-socket"))
    first = number(crl_of(client))
    cert, _ = issued(client)
    site.run("cert", "revoke", f"{cert.serial_number:032x}")
    wait_for(lambda: cert.serial_number in serials(crl_of(client)), "the certificate on a CRL")
    since = site.execute("SELECT clock_timestamp()")[0][0]
    wait_for(lambda: site.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = %s AND query_start > %s",
                                  RESPONDER, since) == [(8,)], "each worker to have looked at the database since")
    assert site.execute("SELECT count(*) FROM scep.crl WHERE number > %s", first) == [(1,)]


def test_without_the_database_the_last_one_serves_until_its_end(place, make_site, client_of):
    cluster = Postgres(new_folder("pg-", place))
    site = make_site(cluster=cluster)
    site.server["server"]["workers"] = 1

    def served(seconds):
        """A CRL that is valid for so long is served; then the database goes. None: it has ended too early to tell."""
        site.profiles["default"] = site.profile(crl={"validity": f"{seconds}s", "refresh": f"{seconds - 1}s"})
        site.stop()
        cluster.start()
        client = client_of(site, site.start("lighttpd-socket"))
        last = crl_of(client)
        cluster.stop()
        answers = [rawhttp.get(client.front.port, "/scep/default/crl")]
        asked = time.monotonic()
        wait_for(lambda: time.monotonic() > asked + 3, "the time when a worker asks the database again")
        answers.append(rawhttp.get(client.front.port, "/scep/default/crl"))
        if datetime.datetime.utcnow() >= last.next_update:
            return None
        for answer in answers:
            assert answer.status == 200 and number(x509.load_der_x509_crl(answer.body)) == number(last)
            assert 0 < int(answer.headers["cache-control"].removeprefix("public, max-age=")) <= seconds
        return client, last
    try:
        client, last = widening(served, 15, 30, 60, 120)
        end = last.next_update + datetime.timedelta(seconds=1)
        wait_for(lambda: datetime.datetime.utcnow() > end, "its end", 2 * DEADLINE)
        answer = rawhttp.get(client.front.port, "/scep/default/crl")
        assert answer.status == 503 and int(answer.headers["retry-after"]) > 0
        cluster.start()
        answer = wait_for(lambda: (a := rawhttp.get(client.front.port, "/scep/default/crl")).status == 200 and a, "a CRL again")
        assert number(x509.load_der_x509_crl(answer.body)) > number(last)
    finally:
        site.stop()
        cluster.remove()


def test_a_restored_database(place, make_site, client_of):
    """From a backup, under a running worker: what follows has a number that no CRL had, and is never older than the last one."""
    cluster = Postgres(new_folder("pg-", place))
    site = make_site(cluster=cluster)
    site.server["server"]["workers"] = 1		# another one would be two seconds behind
    site.profiles["default"] = site.profile(crl=AT_ONCE)
    client = client_of(site, site.start("lighttpd-socket"))
    try:
        seen = [number(crl_of(client))]
        backup = cluster.backup(site.database)
        for _ in range(3):
            cert, _ = issued(client)
            site.run("cert", "revoke", f"{cert.serial_number:032x}")
            seen.append(number(wait_for(lambda: listing(client, cert), "the certificate on a CRL")))
        wait_for(lambda: time.time() > seen[-1] + 1, "the numbers' second to be over")
        cluster.restore(site.database, backup)

        def served():
            answer = rawhttp.get(client.front.port, "/scep/default/crl")
            if answer.status == 200:
                seen.append(number(x509.load_der_x509_crl(answer.body)))
            return seen[-1] > seen[3] and seen[-1]
        first = wait_for(served, "a CRL by the restored database")
        assert first not in seen[:4] and seen == sorted(seen), seen
        published = site.execute("SELECT number FROM scep.crl ORDER BY number")
        assert [n for (n,) in published] == [seen[0], first]
    finally:
        site.stop()
        cluster.remove()
