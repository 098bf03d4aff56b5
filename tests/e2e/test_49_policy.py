"""What a certificate may be: real certificates, looked at by others than us (openssl, python-cryptography, asn1crypto, strongSwan)."""
import os

import der
import pytest
import scepmsg
from clients import key_file
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID as EKU
from cryptography.x509.oid import ExtensionOID, NameOID
from processes import new_folder, run, write
from scepmsg import BAD_ALG, BAD_REQUEST, Device, Request, csr

SID, SID_OBJECT = "1.3.6.1.4.1.311.25.2", "1.3.6.1.4.1.311.25.2.1"
TLS_FEATURE = "1.3.6.1.5.5.7.1.24"
MUST_STAPLE = bytes.fromhex("3003020105")
ACCOUNT = "S-1-5-21-2857422465-1465058494-1690550294-1001"
TEMPLATES = {
    "subject": {"template": "CN=${csr.cn},OU=Devices,O=Example", "match_cn": "[a-z0-9 ,=+.-]+"},
    "san": {"template": "dns:${csr.dns:-none.example} uri:urn:example:${csr.cn}"},
}
BOUND = {"subject": {"template": "CN=${csr.cn},serialNumber=${challenge.device},O=Example"}, "certificate": {"san": "none"},
         "san": {"template": "dns:${challenge.dns:-} ip:${challenge.ip:-} upn:${challenge.upn:-} uri:${challenge.uri:-}"}}
OWNED = {"subject": {"template": "CN=${csr.cn},OU=${challenge.owner},O=Example"}, "san": {"template": "email:${challenge.mail}"}}


@pytest.fixture(scope="module")
def policed(make_site, client_of):
    """One site, with a profile for each thing that a policy may say."""
    site = make_site()
    profiles = {
        "templates": TEMPLATES,
        "values": {"subject": {"template": "CN=${csr.cn},OU=${hook.unit},O=Example"}},
        "owned": OWNED,
        "bound": BOUND,
        "owned-later": {**OWNED, "approval": {"mode": "manual"}},
        "extensions": {
            "certificate": {"allow_extended_key_usage": "serverAuth", "allow_key_usage": "nonRepudiation"},
            "extensions": {"must_staple": "requested", "policies": "1.3.6.1.4.1.99999.7 1.3.6.1.4.1.99999.8", "cps_url": "https://pki.example/cps",
                           "sid": "extension uri", "custom": "1.3.6.1.4.1.99999.9 - 0c0161, 1.3.6.1.4.1.99999.10 critical BQA="},
        },
        "strict": {"certificate": {"on_excess": "refuse", "keys": "ec"}},
        "one": {"certificate": {"max_active": 1}},
        "newest": {"certificate": {"max_active": 1, "max_active_action": "revoke-oldest"}},
        "pss": {"certificate": {"signature": "rsa-pss", "digest": "sha384"}},
    }
    for name, sections in profiles.items():
        site.profiles[name] = site.profile(**sections)
    front = site.start("lighttpd-socket")
    return lambda name: client_of(site, front, f"/scep/{name}", name)


def extension(dotted, value):
    return der.seq(der.oid(dotted), der.tlv(der.OCTETS, value))


def wishes(*extensions):
    return [der.seq(der.oid(scepmsg.EXTENSION_REQUEST), der.set_of(der.seq(*extensions)))]


def sans(*names):
    return extension("2.5.29.17", der.seq(*names))


def issued(client, plain, device):
    reply = client.send(device.request(client.to, plain=plain))
    assert reply.status == scepmsg.SUCCESS, f"{reply}\n{client.front.logs()[-2000:]}"
    return reply.certs[0]


def text_of(client, cert):
    """What openssl says of it, after it has verified it."""
    folder = new_folder("cert-", client.site.folder)
    path = write(folder / "cert.pem", scepmsg.pem(cert))
    run("openssl", "verify", "-x509_strict", "-ignore_critical", "-CAfile", client.site.authority.ca_cert, path)
    return run("openssl", "x509", "-in", path, "-noout", "-text", "-nameopt", "rfc2253").stdout


def parsed(cert):
    der.assert_der(cert)
    return x509.load_der_x509_certificate(cert)


def names(cert):
    value = parsed(cert).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return value.get_values_for_type(x509.DNSName), value.get_values_for_type(x509.UniformResourceIdentifier)


# --- templates ---

def test_names_by_template(policed):
    client, device = policed("templates"), Device.shared("policy")
    cert = issued(client, csr(device.key, "dev-1", client.challenge(), ["a.example", "b.example"]), device)
    assert parsed(cert).subject.rfc4514_string() == "CN=dev-1,OU=Devices,O=Example"
    assert names(cert) == (["a.example", "b.example"], ["urn:example:dev-1"])
    assert "Subject: CN=dev-1,OU=Devices,O=Example" in text_of(client, cert)


def test_a_forged_certificate_names_no_device(policed):
    """A challenge bound to one device is not good for another that signs with a certificate that only says it is ours."""
    client, device = policed("templates"), Device.shared("policy")
    bound = client.challenge("--device", "dev-bound")
    forged = scepmsg.forged(device.key, client.site.authority.ca, 0xC << 120, "dev-bound")
    client.refused(scepmsg.Request(device.key, forged, list(client.to), csr(device.key, "dev-other", bound)), BAD_REQUEST)
    assert "is bound to device 'dev-bound', not 'dev-other'" in client.front.logs()
    issued(client, csr(device.key, "dev-bound", bound), device)


def test_a_second_common_name_is_another_device(policed):
    """The certificate would carry both names, whichever of them the challenge is bound to."""
    client, device = policed("default"), Device.shared("policy")
    bound = client.challenge("--device", "dev-bound")
    both = der.seq(*(der.set_of(der.seq(der.oid("2.5.4.3"), der.tlv(der.UTF8, cn))) for cn in (b"dev-bound", b"dev-other")))
    client.refused(device.request(client.to, plain=csr(device.key, None, bound, subject=both)), BAD_REQUEST)
    assert "is bound to device 'dev-bound', not 'CN=dev-other,CN=dev-bound'" in client.front.logs()


def test_default_in_place_of_a_value(policed):
    client, device = policed("templates"), Device.shared("policy")
    cert = issued(client, csr(device.key, "dev-2", client.challenge()), device)
    assert names(cert) == (["none.example"], ["urn:example:dev-2"])


def test_no_value_breaks_out(policed):
    """The CN is one value, whatever is in it: neither an attribute nor a name more."""
    client, device = policed("templates"), Device.shared("policy")
    evil = "a,ou=root+cn=x"
    cert = issued(client, csr(device.key, evil, client.challenge()), device)
    subject = parsed(cert).subject
    assert [(a.oid, a.value) for a in subject] == [
        (NameOID.ORGANIZATION_NAME, "Example"), (NameOID.ORGANIZATIONAL_UNIT_NAME, "Devices"), (NameOID.COMMON_NAME, evil)]
    assert names(cert)[1] == ["urn:example:" + evil]


def test_a_value_that_is_missing(policed):
    client, device = policed("values"), Device.shared("policy")
    client.refused(device.request(client.to, client.challenge()), BAD_REQUEST)
    assert "there is no value for ${hook.unit}" in client.front.logs()


def owned(client, common_name):
    challenge = client.challenge("--value", "owner=Alice, Accounts", "--value", "mail=alice@example.com")
    return Device.shared("policy").request(client.to, challenge, common_name=common_name)


def check_owned(cert, common_name):
    assert [a.value for a in parsed(cert).subject] == ["Example", "Alice, Accounts", common_name]
    value = parsed(cert).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert value.get_values_for_type(x509.RFC822Name) == ["alice@example.com"]


def test_values_of_the_challenge(policed):
    client = policed("owned")
    reply = client.send(owned(client, "owned"))
    assert reply.status == scepmsg.SUCCESS
    check_owned(reply.certs[0], "owned")
    client.refused(client.request(label="policy-new"), BAD_REQUEST)	# by a challenge without values
    assert "there is no value for ${challenge.mail}" in client.front.logs()


def test_names_that_the_challenge_is_bound_to(policed):
    """What the operator bound it to comes into the certificate, though the device asks for none of it."""
    client, device = policed("bound"), Device.shared("policy")
    names_ = ["dns:a.example", "dns:b.example", "ip:192.0.2.7", "ip:2001:db8::7", "upn:al@corp.example", "uri:urn:example:a:b,c"]
    challenge = client.challenge("--device", "bound-1", *(word for name in names_ for word in ("--san", name)))
    cert = issued(client, csr(device.key, "bound-1", challenge), device)
    assert [a.value for a in parsed(cert).subject] == ["Example", "bound-1", "bound-1"]
    value = parsed(cert).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert value.get_values_for_type(x509.DNSName) == ["a.example", "b.example"]
    assert [str(a) for a in value.get_values_for_type(x509.IPAddress)] == ["192.0.2.7", "2001:db8::7"]
    assert value.get_values_for_type(x509.UniformResourceIdentifier) == ["urn:example:a:b,c"]
    assert b"al@corp.example" in value.get_values_for_type(x509.OtherName)[0].value
    client.refused(device.request(client.to, plain=csr(device.key, "bound-2", client.challenge())), BAD_REQUEST)
    assert "there is no value for ${challenge.device}" in client.front.logs()


def test_values_are_kept_while_a_request_waits(policed):
    client = policed("owned-later")
    request = owned(client, "owned-later")
    assert client.send(request).status == scepmsg.PENDING
    waits = [r["id"] for r in client.site.json("request", "list") if r["transaction"] == request.txid]
    client.site.run("request", "approve", *waits)
    ca = x509.load_der_x509_certificate(client.site.authority.ca)
    poll = der.seq(ca.subject.public_bytes(), scepmsg.name("owned-later"))
    reply = client.send(request.but(message_type="20", plain=poll, nonce=os.urandom(16)))
    assert reply.status == scepmsg.SUCCESS, f"{reply}\n{client.front.logs()[-2000:]}"
    check_owned(reply.certs[0], "owned-later")


def test_a_rule_that_is_broken(policed):
    client, device = policed("templates"), Device.shared("policy")
    client.refused(device.request(client.to, client.challenge(), common_name="Root"), BAD_REQUEST)
    assert "'Root' does not match [subject] match_cn" in client.front.logs()


def strongswan(client, *args):
    authority = client.site.authority
    folder = new_folder("swan-", client.site.folder)
    key = key_file(folder, scepmsg.new_key())
    done = run("pki", "--scep", "--url", f"http://127.0.0.1:{client.front.port}{client.path}", "--in", key, "--cacert-enc", authority.ra_cert,
               "--cacert-sig", authority.ra_cert, "--cacert", authority.ca_cert, "--outform", "pem", *args, cwd=folder, timeout=60)
    cert = scepmsg.certificate(done.stdout.encode())
    return write(folder / "cert.pem", scepmsg.pem(cert)), key, cert


def test_strongswan_enrols_and_renews(policed):
    """The client asks for other names each time: the first certificate follows the template, the renewed one is the same again."""
    client = policed("templates")
    old, old_key, first = strongswan(client, "--dn", "CN=swan, O=Whatever", "--san", "swan.example", "--password", client.challenge())
    assert parsed(first).subject.rfc4514_string() == "CN=swan,OU=Devices,O=Example"
    assert names(first) == (["swan.example"], ["urn:example:swan"])
    for dn in ("CN=swan, OU=Devices, O=Example", "CN=Somebody Else"):
        *_, second = strongswan(client, "--dn", dn, "--san", "other.example", "--cert", old, "--key", old_key)
        assert second != first
        assert parsed(second).subject.public_bytes() == parsed(first).subject.public_bytes()
        assert names(second) == names(first)
    # recorded as what they are, and as one device's
    assert client.site.execute("SELECT subject, device, count(*) FROM scep.cert WHERE subject LIKE 'CN=swan%' OR device = 'Somebody Else' GROUP BY 1, 2") == [
        ("CN=swan,OU=Devices,O=Example", "swan", 3)]


# --- extensions and usages ---

def sid_extension():
    return extension(SID, der.seq(der.tlv(0xA0, der.oid(SID_OBJECT) + der.tlv(0xA0, der.tlv(der.OCTETS, ACCOUNT.encode())))))


def everything():
    return wishes(
        extension(TLS_FEATURE, MUST_STAPLE), sid_extension(),
        extension("2.5.29.37", der.seq(*(der.oid(o.dotted_string) for o in (EKU.SERVER_AUTH, EKU.CODE_SIGNING, EKU.OCSP_SIGNING)))),
        extension("2.5.29.15", bytes.fromhex("030206c6")),	# digitalSignature, nonRepudiation, keyCertSign, cRLSign
        sans(der.tlv(0x86, f"tag:microsoft.com,2022-09-14:sid:{ACCOUNT}".encode()), der.tlv(0x82, b"a.example")))


def test_what_is_allowed_is_given(policed):
    client, device = policed("extensions"), Device.shared("policy")
    cert = issued(client, csr(device.key, "all", client.challenge(), attributes=everything()), device)
    found = parsed(cert).extensions
    feature = found.get_extension_for_class(x509.TLSFeature)
    assert list(feature.value) == [x509.TLSFeatureType.status_request] and not feature.critical
    assert extension(TLS_FEATURE, MUST_STAPLE) in cert
    assert {o for o in found.get_extension_for_class(x509.ExtendedKeyUsage).value} == {EKU.CLIENT_AUTH, EKU.SERVER_AUTH}
    usage = found.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature and usage.content_commitment and usage.key_encipherment and not usage.key_cert_sign and not usage.crl_sign
    policies = found.get_extension_for_class(x509.CertificatePolicies)
    assert [(p.policy_identifier.dotted_string, p.policy_qualifiers) for p in policies.value] == [
        (f"1.3.6.1.4.1.99999.{n}", ["https://pki.example/cps"]) for n in (7, 8)]
    assert sid_extension() in cert
    assert names(cert)[1] == [f"tag:microsoft.com,2022-09-14:sid:{ACCOUNT}"]
    for dotted, critical, value in ((".9", False, "0c0161"), (".10", True, "0500")):
        own = found.get_extension_for_oid(x509.ObjectIdentifier("1.3.6.1.4.1.99999" + dotted))
        assert (own.critical, own.value.value) == (critical, bytes.fromhex(value))
    told = text_of(client, cert)
    assert "status_request" in told and "CPS: https://pki.example/cps" in told and "CA:TRUE" not in told
    log = client.front.logs()
    assert "extendedKeyUsage 1.3.6.1.5.5.7.3.9" in log and "keyUsage keyCertSign" in log	# what was left out


def test_what_is_not_allowed_is_left_out(policed):
    client, device = policed("default"), Device.shared("policy")
    cert = issued(client, csr(device.key, "none", client.challenge(), attributes=everything()), device)
    found = parsed(cert).extensions
    for oid in (ExtensionOID.TLS_FEATURE, ExtensionOID.CERTIFICATE_POLICIES, x509.ObjectIdentifier(SID)):
        with pytest.raises(x509.ExtensionNotFound):
            found.get_extension_for_oid(oid)
    assert list(found.get_extension_for_class(x509.ExtendedKeyUsage).value) == [EKU.CLIENT_AUTH]
    assert names(cert) == (["a.example"], [])
    assert ACCOUNT.encode() not in cert


def test_what_is_not_allowed_is_refused(policed):
    client, device = policed("strict"), Device("policy-ec", curve=scepmsg.ec.SECP256R1())

    def request(attributes):
        challenge = client.challenge()
        return device.request(client.to, plain=csr(device.key, "strict", challenge, attributes=attributes), password=challenge)
    for what in (extension(TLS_FEATURE, MUST_STAPLE), sid_extension(), extension("2.5.29.37", der.seq(der.oid(EKU.OCSP_SIGNING.dotted_string))),
                 sans(der.tlv(0x86, f"tag:microsoft.com,2022-09-14:sid:{ACCOUNT}".encode())), sans(der.tlv(0x82, b"*.example.com"))):
        client.refused(request(wishes(what)), BAD_REQUEST)
    assert client.front.logs().count("on_excess is 'refuse'") >= 5
    client.enrol(request(wishes(sans(der.tlv(0x82, b"a.example.com")))))
    rsa = Device.shared("policy")
    client.refused(rsa.request(client.to, client.challenge()), BAD_ALG)
    assert "which [certificate] keys does not name" in client.front.logs()


def test_a_sid_is_kept_and_no_other_one_given(policed):
    client, old, new = policed("extensions"), Device.shared("policy"), Device.shared("policy-new")
    cert = issued(client, csr(old.key, "sid", client.challenge(), attributes=wishes(sid_extension())), old)
    other = extension(SID, der.seq(der.tlv(0xA0, der.oid(SID_OBJECT) + der.tlv(0xA0, der.tlv(der.OCTETS, b"S-1-5-21-1-2-3-500")))))

    def renewal(*extensions):
        return Request(old.key, cert, list(client.to), csr(new.key, "sid", attributes=wishes(*extensions) if extensions else ()), message_type="17")
    client.refused(renewal(other), BAD_REQUEST)
    for asked in ((), (sid_extension(),)):
        reply = client.send(renewal(*asked))
        assert reply.status == scepmsg.SUCCESS and sid_extension() in reply.certs[0]


# --- signatures, numbers of certificates ---

def test_pss(policed):
    """Certificates signed by RSASSA-PSS verify elsewhere, and renew here."""
    client, old, new = policed("pss"), Device.shared("policy"), Device.shared("policy-new")
    cert = issued(client, csr(old.key, "pss", client.challenge()), old)
    told = text_of(client, cert)
    assert "Signature Algorithm: rsassaPss" in told and "Hash Algorithm: sha384" in told and "Mask Algorithm: mgf1 with sha384" in told
    reply = client.send(Request(old.key, cert, list(client.to), csr(new.key, "pss"), message_type="17"))
    assert reply.status == scepmsg.SUCCESS
    assert "rsassaPss" in text_of(client, reply.certs[0])


def test_one_certificate_for_a_device(policed):
    client = policed("one")
    client.enrol(label="policy", common_name="lone")
    client.refused(client.request(label="policy-new", common_name="lone"), BAD_REQUEST)
    client.enrol(label="policy-new", common_name="another")


def test_what_only_looks_like_an_old_certificate_makes_no_room(policed):
    """Who signs with a certificate that was made up, of the right issuer and serial number, or with a right one, but enrols anew, renews nothing."""
    client = policed("one")
    device = Device.shared("policy")
    cert = client.enrol(label="policy", common_name="made up").certs[0]
    serial = scepmsg.x509.load_der_x509_certificate(cert).serial_number
    forged = scepmsg.forged(device.key, client.site.authority.ca, serial, "made up")
    for signer in (forged, cert):
        plain = csr(device.key, "made up", client.challenge(), dns=("more.example",))
        request = Request(device.key, signer, list(client.to), plain)
        reply = client.refused(request, BAD_REQUEST)
        assert reply.fail_text == "too many certificates", reply


def test_the_newest_certificate_of_a_device(policed):
    client = policed("newest")
    for label in ("policy", "policy-new"):
        client.enrol(label=label, common_name="lone")
    found = [c for c in client.site.certs() if c["profile"] == "newest"]
    assert sorted(c["state"] for c in found) == ["revoked", "valid"], found


# --- what the operator is told ---

@pytest.mark.parametrize("sections,text", [
    ({"subject": {"template": "CN=${csr.nonsense}"}}, "a request has no 'nonsense'"),
    ({"subject": {"template": "CN=${csr.cn"}}, "has no '}'"),
    ({"san": {"template": "dns:${csr.cn} upn:${other.upn}"}}, "there is no source 'other'"),
    ({"subject": {"match_cn": "[a-z"}}, "[subject] match_cn: '[a-z' is not an extended regular expression"),
    ({"extensions": {"custom": "2.5.29.19 critical 30030101ff"}}, "[extensions] custom: extension 2.5.29.19 is not taken here"),
    ({"certificate": {"allow_extended_key_usage": "OCSPSigning"}}, "'OCSPSigning' is never given"),
    ({"certificate": {"signature": "ecdsa"}}, "the CA's key is of kind RSA and cannot sign as [certificate] signature says, ecdsa"),
])
def test_wrong_settings_are_told(site, sections, text):
    site.profiles["default"] = site.profile(**sections)
    done = site.write().run("check", check=False)
    assert done.returncode != 0 and text in done.stdout + done.stderr and "default.ini" in done.stdout + done.stderr


def test_digest_of_an_ed25519_ca(make_site):
    site = make_site("ed25519")
    site.profiles["default"] = site.profile(certificate={"digest": "sha512"})
    done = site.write().run("check", check=False)
    assert done.returncode != 0 and "take 'digest' out" in done.stdout + done.stderr
    site.profiles["default"] = site.profile(certificate={"signature": "ed25519"})
    done = site.write().run("check", ini=site.ini, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_show_says_what_becomes_of_a_request(policed):
    client, device = policed("extensions"), Device.shared("policy")
    folder = new_folder("show-", client.site.folder)

    def shown(profile, plain):
        path = write(folder / "request.der", device.request(client.to, plain=plain).encode())
        return client.site.run("show", "--profile", profile, path, check=False).stdout
    plain = csr(device.key, "shown", "challenge", attributes=everything())
    assert "extendedKeyUsage 1.3.6.1.5.5.7.3.9" in shown("extensions", plain)
    assert "as far as it is known here: [subject] template: OU: there is no value for ${hook.unit}" in shown("values", plain)
    assert "does not match [subject] match_cn" in shown("templates", csr(device.key, "Root", "challenge"))
