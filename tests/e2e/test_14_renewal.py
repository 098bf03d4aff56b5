"""Renewal: RenewalReq, and PKCSReq signed with the old certificate (RFC 8894, 2.3, 3.3.1; P-150 to P-155, P-203)."""
import der
import pytest
import scepmsg
from clients import key_file
from processes import new_folder, run, write
from scepmsg import Device, Request, csr

RENEWALREQ, PKCSREQ = "17", "19"


@pytest.fixture(scope="module")
def renewing(make_site, client_of):
    """A site whose profiles differ in what they let renew."""
    site = make_site()
    site.profiles["other"] = site.profile()
    site.profiles["always"] = site.profile(renewal={"same_key": "always"})
    site.profiles["window"] = site.profile(renewal={"window": "30d"})
    site.profiles["never"] = site.profile(renewal={"enabled": "no"})
    site.profiles["both"] = site.profile(renewal={"challenge": "yes"})
    site.profiles["revoking"] = site.profile(renewal={"revoke_old": "yes", "revoke_old_after": "0s"})
    site.profiles["later"] = site.profile(renewal={"revoke_old": "yes", "revoke_old_after": "1d"})
    front = site.start("lighttpd-socket")
    yield lambda profile="default": client_of(site, front, f"/scep/{profile}", profile)
    site.stop()


def enrolled(client, label="old", **how):
    """A device with a certificate: its key and the certificate."""
    request = client.request(label=label, **how)
    return request.key, client.enrol(request).certs[0]


def renewal(client, old, message_type=RENEWALREQ, label="new", common_name="old", challenge=None, **how):
    """A request for `label`'s key, signed with the old certificate."""
    key, cert = old
    plain = csr(Device.shared(label).key, common_name, challenge, how.pop("dns", ()))
    return Request(key, cert, list(client.to), plain, message_type=message_type, **how)


@pytest.mark.parametrize("message_type", [RENEWALREQ, PKCSREQ])
def test_new_key(renewing, message_type):
    client = renewing()
    client.enrol(renewal(client, enrolled(client), message_type))
    assert any("renewal from" in detail for (detail,) in client.site.execute("SELECT actor FROM scep.audit WHERE kind = 'issue'"))


def test_announced_where_it_is_on(renewing):
    assert b"Renewal\n" in renewing().get("operation=GetCACaps").body
    assert b"Renewal\n" not in renewing("never").get("operation=GetCACaps").body


def test_a_resend_is_the_same_and_the_next_one_is_not(renewing):
    """Some clients renew with the same key, PKCS#10 and transaction id for ever: the certificate that signs tells the requests apart."""
    client = renewing("always")
    old = enrolled(client)
    plain = csr(old[0], "old")
    request = Request(*old, list(client.to), plain, message_type=RENEWALREQ, txid="for ever")
    first = client.enrol(request)
    assert client.enrol(request.but(nonce=b"another nonce 12")).certs == first.certs
    second = client.enrol(request.but(cert=first.certs[0]))
    assert second.certs != first.certs


def test_same_key(renewing):
    for profile, message_type, accepted in [("default", RENEWALREQ, False), ("default", PKCSREQ, True), ("always", RENEWALREQ, True)]:
        client = renewing(profile)
        old = enrolled(client)
        request = Request(*old, list(client.to), csr(old[0], "old"), message_type=message_type)
        if accepted:
            client.enrol(request)
        else:
            assert "has to be for a new key" in client.refused(request, scepmsg.BAD_REQUEST).fail_text


def test_names_may_be_fewer_but_not_others(renewing):
    client = renewing()
    old = enrolled(client, dns=("a.example", "b.example"))
    client.enrol(renewal(client, old, dns=("b.example",)))
    client.refused(renewal(client, old, dns=("b.example", "c.example")), scepmsg.BAD_REQUEST)
    client.refused(renewal(client, old, common_name="somebody else"), scepmsg.BAD_REQUEST)


def test_stale_challenge_does_not_spoil_it(renewing):
    client = renewing()
    challenge = client.challenge()
    old = enrolled(client, challenge=challenge)
    client.enrol(renewal(client, old, PKCSREQ, challenge=challenge))


def test_fresh_challenge_is_not_spent(renewing):
    client = renewing()
    challenge = client.challenge()
    client.enrol(renewal(client, enrolled(client), PKCSREQ, challenge=challenge))
    client.enrol(label="spends it", challenge=challenge)


def test_challenge_may_be_asked_for_besides(renewing):
    client = renewing("both")
    old = enrolled(client)
    client.refused(renewal(client, old), scepmsg.BAD_REQUEST)
    client.refused(renewal(client, old, challenge="wrong"), scepmsg.BAD_REQUEST)
    client.enrol(renewal(client, old, challenge=client.challenge()))


def test_challenge_enrols_anew_where_renewal_is_refused(renewing):
    client = renewing("window")
    old = enrolled(client)
    client.refused(renewal(client, old), scepmsg.BAD_REQUEST)
    client.refused(renewal(client, old, PKCSREQ), scepmsg.BAD_REQUEST)
    client.enrol(renewal(client, old, PKCSREQ, challenge=client.challenge()))


def test_challenge_enrols_anew_where_the_old_certificate_is_revoked(renewing):
    """Whoever gives out a new challenge wants the device back; many clients sign with what they have."""
    client = renewing()
    old = enrolled(client)
    client.site.run("cert", "revoke", f"{scepmsg.x509.load_der_x509_certificate(old[1]).serial_number:032x}")
    client.refused(renewal(client, old, PKCSREQ), scepmsg.BAD_REQUEST)
    client.refused(renewal(client, old, RENEWALREQ, challenge=client.challenge()), scepmsg.BAD_REQUEST)
    client.enrol(renewal(client, old, PKCSREQ, challenge=client.challenge()))


def test_insider_cannot_spend_a_recorded_request(renewing):
    """Another device of ours signs somebody's envelope anew: the challenge in it stays good for its owner."""
    client = renewing()
    insider = enrolled(client, label="insider")
    challenge = client.challenge()
    victim = client.request(label="victim", challenge=challenge)
    client.refused(victim.but(key=insider[0], cert=insider[1]), scepmsg.BAD_REQUEST)
    client.enrol(victim)


def test_certificate_of_another_profile(renewing):
    client = renewing()
    client.refused(renewal(client, enrolled(renewing("other"))), scepmsg.BAD_REQUEST)


def test_switched_off(renewing):
    client = renewing("never")
    client.refused(renewal(client, enrolled(client)), scepmsg.BAD_REQUEST)


def test_self_signed_cannot_renew(renewing):
    client = renewing()
    device = Device.shared("old")
    client.refused(renewal(client, (device.key, device.cert), challenge=client.challenge()), scepmsg.BAD_REQUEST)


def test_certificate_that_only_looks_like_ours(renewing):
    """Right issuer, right serial number, another key: the database knows the real one."""
    client = renewing()
    _, cert = enrolled(client)
    thief = Device.shared("thief")
    serial = scepmsg.x509.load_der_x509_certificate(cert).serial_number
    forged = scepmsg.forged(thief.key, client.site.authority.ca, serial)
    client.refused(renewal(client, (thief.key, forged)), scepmsg.BAD_REQUEST)


def test_revoked_cannot_renew(renewing):
    client = renewing("revoking")
    old = enrolled(client)
    first = client.enrol(renewal(client, old))
    client.refused(renewal(client, old, label="again"), scepmsg.BAD_REQUEST)
    client.enrol(renewal(client, (Device.shared("new").key, first.certs[0]), label="third"))


def test_revoked_later_can_still_renew(renewing):
    client = renewing("later")
    old = enrolled(client)
    client.enrol(renewal(client, old))
    client.enrol(renewal(client, old, label="again"))


def test_strongswan_renews(renewing):
    client = renewing()
    folder = new_folder("renew-", client.site.folder)
    key, cert = enrolled(client)
    old_key, old_cert = key_file(folder, key), write(folder / "old.pem", scepmsg.pem(cert))
    new_key = key_file(new_folder("new-", folder), scepmsg.new_key())
    authority = client.site.authority
    url = f"http://127.0.0.1:{client.front.port}{client.path}"
    done = run("pki", "--scep", "--url", url, "--in", new_key, "--dn", "O=Example, CN=old", "--cert", old_cert, "--key", old_key,
               "--cacert-enc", authority.ra_cert, "--cacert-sig", authority.ra_cert, "--cacert", authority.ca_cert, "--outform", "pem",
               cwd=folder)
    assert scepmsg.certificate(done.stdout.encode()) != cert


def test_micromdm_renews_with_the_same_key_and_request(site, client_of):
    site.profiles["default"] = site.profile(scep={"legacy": "sha1", "obsolete": "des"}, renewal={"same_key": "always"})
    client = client_of(site, site.start("lighttpd-socket"))
    folder = new_folder("micromdm-", site.folder)
    key, cert, seen = key_file(folder, scepmsg.new_key()), folder / "cert.pem", set()
    for _ in range(3):
        run("scepclient", "-private-key", key, "-certificate", cert, "-server-url", f"http://127.0.0.1:{client.front.port}/scep",
            "-challenge", client.challenge(), "-cn", "mdm", "-organization", "Example", "-country", "XX",
            "-ca-fingerprint", scepmsg.digest_of("sha256", site.authority.ra).hex(), cwd=folder)
        seen.add(cert.read_bytes())
    assert len(seen) == 3


def test_a_forged_certificate_does_not_lend_its_key(renewing):
    """Who copies a stranger's PKCS#10 and claims a serial number of ours neither gets a certificate nor burns the stranger's challenge."""
    client = renewing()
    _, cert = enrolled(client)
    serial = scepmsg.x509.load_der_x509_certificate(cert).serial_number
    thief, victim = Device.shared("thief"), Device.shared("victim")
    plain = csr(victim.key, "victim", client.challenge())
    forged = scepmsg.forged(thief.key, client.site.authority.ca, serial)
    client.refused(Request(thief.key, forged, list(client.to), plain), scepmsg.BAD_REQUEST)
    client.enrol(victim.request(client.to, plain=plain))
