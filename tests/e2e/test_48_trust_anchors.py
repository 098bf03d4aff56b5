"""The trust anchors of signed challenges: what does not start, good and bad ones at a reload, and those that expire meanwhile."""
import os
import signal
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from processes import children, run, wait_for, write
from reload import reload_whole
from scepmsg import BAD_MESSAGE_CHECK, SUCCESS, Device
from signed import ES, RS, refused, request, settings
from tokens import Issuer
from windows import widening


def test_configurations_that_do_not_start(site):
    good = settings(site)
    rows = [
        ({}, ES.public(), 0, ""), ({}, "", 1, "holds no certificate and no public key"), ({}, ES.cert(-100, -10), 1, "no certificate in it is valid now"),
        ({}, ES.cert(-100, -10) + RS.cert(), 0, "certificate 1 expired on"), ({}, ES.cert(10000, 20000), 1, "valid now"),
        ({}, Issuer("ES256", ec.generate_private_key(ec.SECP384R1())).public(), 1, "neither RS256 nor ES256"),
        ({}, Issuer("RS256", rsa.generate_private_key(65537, 1024)).public(), 1, "RSA key of 1024 bits"),
        ({"anchors": "/nowhere/anchors.pem"}, "", 1, "/nowhere/anchors.pem"), ({"skew": "10m", "validity": "10m"}, ES.public(), 1, "not less than the validity"),
        ({"skew": "-1"}, ES.public(), 1, "'-1' is not"), ({"validity": "-1"}, ES.public(), 1, "'-1' is not"), ({"per_device": "-3/1h"}, ES.public(), 1, "'-3/1h'"),
        ({"audience": None}, ES.public(), 0, "without an audience"), ({"anchors": None}, "", 1, "missing: without it nothing else"),
    ]
    for changes, bundle, status, text in rows:
        write(site.folder / "anchors.pem", bundle)
        section = {k: v for k, v in {**good, **changes}.items() if v is not None}
        site.profiles["default"] = site.profile(signed_challenge=section)
        done = run(site.fcgi, "--check", "--conf", site.write().ini, check=False)
        assert done.returncode == status and text in done.stdout and (status == 0 or "[signed_challenge]" in done.stdout), (changes, done)


@pytest.mark.parametrize("kind", ["lighttpd-socket", "lighttpd-spawned"])
def test_reload(site, client_of, kind):
    """A master with workers, and processes of the web server that serve alone. What is bad leaves the old anchors, and the rest goes on."""
    site.server["server"]["workers"] = 2 if kind == "lighttpd-socket" else 1
    site.profiles["default"] = site.profile(signed_challenge=settings(site, ES.cert()))
    front = site.start(kind)
    client = client_of(site, front)
    client.enrol(request(client, ES.token()))
    pids = [front.master()] if kind == "lighttpd-socket" else children(front.server.pid)
    assert len(pids) == (1 if kind == "lighttpd-socket" else 2)

    def reload(bundle, says):
        write(site.folder / "anchors.pem", bundle)
        site.write()
        before, old = len(front.logs()), {worker for pid in pids for worker in children(pid)}
        for pid in pids:
            os.kill(pid, signal.SIGHUP)
        wait_for(lambda: front.logs()[before:].count(" was reloaded") == len(pids), "the reload")
        wait_for(lambda: not old & {worker for pid in pids for worker in children(pid)}, "the workers before it to go")
        assert front.logs()[before:].count(says) == len(pids) and ("stay in use" in says) == ("stay in use" in front.logs()[before:])

    for number, (bundle, why) in enumerate([("", "holds no certificate"), ("-----BEGIN CERTIFICATE-----\nMII", "damaged"), (RS.cert(-100, -10), "valid now")]):
        site.profiles[f"new{number}"] = site.profile()		# something else that is new
        reload(bundle, "the trust anchors read before stay in use")
        assert why in front.logs() and "[signed_challenge] anchors" in front.logs()
        assert client_of(site, front, f"/scep/new{number}").get("operation=GetCACaps").status == 200
        client.enrol(request(client, ES.token()))
        refused(client, request(client, RS.token()), "signature_invalid", BAD_MESSAGE_CHECK)
    site.profiles["default"]["signed_challenge"]["anchors"] = site.folder / "nowhere.pem"
    reload("", "the trust anchors read before stay in use")
    client.enrol(request(client, ES.token()))
    site.profiles["default"]["signed_challenge"]["anchors"] = site.folder / "anchors.pem"
    reload(RS.cert(), " was reloaded")
    client.enrol(request(client, RS.token()))
    refused(client, request(client, ES.token()), "signature_invalid", BAD_MESSAGE_CHECK)


def test_anchor_that_expires_meanwhile(site, client_of):
    site.profiles["default"] = site.profile(signed_challenge=settings(site, ES.cert() + RS.cert()))
    front = site.start("lighttpd-socket")
    client = client_of(site, front)

    def in_time(seconds):
        """An enrolment by an anchor that is good for so many seconds; None when they were over too early to tell."""
        device, end = Device.shared(f"{seconds} s"), int(time.time()) + seconds
        write(site.folder / "anchors.pem", ES.cert(end=seconds) + RS.cert())
        reload_whole(front)
        req = request(client, ES.token(), device.label, device=device)
        reply = client.send(req)
        if time.time() >= end:
            return None
        assert reply.status == SUCCESS, reply
        return end, req, reply
    end, req, first = widening(in_time, 3, 6, 12, 24, 48)
    wait_for(lambda: time.time() > end + 2, "the certificate to expire")
    refused(client, request(client, ES.token()), "signature_invalid", BAD_MESSAGE_CHECK, "no trust anchor with an EC key is valid now")
    client.enrol(request(client, RS.token()))
    assert client.send(req).certs == first.certs
