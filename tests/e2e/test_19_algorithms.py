"""Every row of the table of algorithms, in both directions, in profiles that allow it and in profiles that do not."""
import subprocess

import der
import pytest
import scepmsg
from processes import write
from scepmsg import BAD_ALG, BAD_REQUEST, CIPHERS, DIGESTS, FAILURE, SUCCESS, Device

LEGACY, OBSOLETE = {"sha1", "des3"}, {"md5", "des"}
# profile: what its [scep] section allows beside AES and SHA-2
PROFILES = {"default": (), "sha-one": ("sha1",), "des-three": ("des3",), "old": ("sha1", "des3"), "emm-dee": ("md5",), "dee": ("des",),
            "museum": ("sha1", "des3", "md5", "des")}
WORDS = {"aes128": "AES", "des3": "DES3", "sha1": "SHA-1", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}
NAMES = {"sha1": "SHA-1", "md5": "MD5", "des3": "DES-EDE3-CBC", "des": "DES-CBC"}


def scep(allowed):
    return {"legacy": " ".join(LEGACY & set(allowed)) or "none", "obsolete": " ".join(OBSOLETE & set(allowed)) or "none"}


@pytest.fixture(scope="module")
def clients(make_site, client_of):
    site = make_site()
    secrets = write(site.folder / "secrets", "shared-secret\n", 0o600)
    site.profiles = {n: site.profile(scep=scep(a), enrol={"static_challenge_file": secrets}) for n, a in PROFILES.items()}
    front = site.start("lighttpd-socket")
    yield {n: client_of(site, front, f"/scep/{n}", n) for n in PROFILES}
    site.stop()


def accepted(profile, *used):
    return not (LEGACY | OBSOLETE) & set(used) - set(PROFILES[profile])


def last_line(client):
    return [line for line in client.front.logs().splitlines() if "type=PKCSReq" in line][-1]


@pytest.mark.parametrize("profile", PROFILES)
def test_capabilities_are_what_is_accepted(clients, profile):
    lines = clients[profile].get("operation=GetCACaps").body.decode().splitlines()
    expected = {word for name, word in WORDS.items() if accepted(profile, name)}
    assert expected == set(lines) & (set(WORDS.values()) | {"MD5", "DES", "SHA-224"}) and len(lines) == len(set(lines))


@pytest.mark.parametrize("profile", PROFILES)
def test_messages(clients, profile):
    """The answer follows the request's algorithms; what is old is named in the log, and what is obsolete is a warning."""
    client, device = clients[profile], Device.shared("algorithms")
    for digest in DIGESTS:
        for cipher in CIPHERS:
            reply = client.send(client.request(device=device, challenge="shared-secret", digest=digest, cipher=cipher))
            line = last_line(client)
            if not accepted(profile, digest, cipher):
                assert (reply.status, reply.fail_info) == (FAILURE, BAD_ALG), (digest, cipher)
                assert reply.digest == (digest if accepted(profile, digest) else "sha256")
                assert "is not accepted" in line
                continue
            assert (reply.status, reply.digest, reply.cipher) == (SUCCESS, digest, cipher)
            old = [NAMES[a] for a in (digest, cipher) if a in NAMES]
            assert ('weak="' in line) == bool(old) and all(name in line for name in old), line
            assert (" warning: " in line) == bool(OBSOLETE & {digest, cipher}), line


@pytest.mark.parametrize("profile", ["default", "old", "museum"])
def test_digest_of_the_pkcs10(clients, profile):
    """Its own signature is held to the same rules, and told."""
    client, device = clients[profile], Device.shared("algorithms")
    for digest in DIGESTS:
        plain = scepmsg.csr(device.key, "algorithms", "shared-secret", digest=digest)
        reply = client.send(device.request(client.to, plain=plain))
        assert (reply.status == SUCCESS) == accepted(profile, digest), digest
        line = last_line(client)
        if reply.status == SUCCESS:
            assert (f'weak="{NAMES.get(digest)}"' in line) == (digest in NAMES), line
        else:				# the log tells; the device learns nothing of what is inside an envelope before that is proven
            assert reply.fail_info == BAD_REQUEST and "err=alg" in line and "does not accept" in line, line


def test_the_audit_trail_has_it(clients):
    client = clients["museum"]
    client.enrol(label="audited", challenge="shared-secret", digest="md5", cipher="des")
    rows = client.site.execute("SELECT count(*) FROM scep.audit WHERE audit::text LIKE '%%with MD5, DES-CBC%%'")
    assert rows[0][0] >= 1



def refused(client, request, data):
    reply = client.send(request, data)
    assert (reply.status, reply.fail_info) == (FAILURE, BAD_ALG)
    return last_line(client)


def envelope_with(client, old, new, cipher):
    device = Device.shared("algorithms")
    plain = scepmsg.csr(device.key, "algorithms", "shared-secret")
    content = scepmsg.enveloped(plain, client.to, cipher).replace(der.oid(old), der.oid(new))
    return device.request(client.to, content=content)


@pytest.mark.parametrize("old,new,cipher", [
    (CIPHERS["des3"][0], "1.2.840.113549.3.2", "des3"),			# RC2
    (CIPHERS["des3"][0], "1.2.840.113549.3.4", "des3"),			# RC4
    (CIPHERS["aes128"][0], "2.16.840.1.101.3.4.1.6", "aes128"),		# AES-128-GCM
    (CIPHERS["aes128"][0], "2.16.840.1.101.3.4.1.5", "aes128"),		# AES key wrap
])
def test_ciphers_that_are_never_accepted(clients, old, new, cipher):
    request = envelope_with(clients["museum"], old, new, cipher)
    assert new in refused(clients["museum"], request, request.encode())


def test_sha_224_is_never_accepted(clients):
    request = clients["museum"].request(challenge="shared-secret")
    data = request.encode().replace(der.oid(DIGESTS["sha256"].oid), der.oid("2.16.840.1.101.3.4.2.4"))
    refused(clients["museum"], request, data)


def test_oaep_is_refused_by_name(clients):
    """The library has none: the operator reads what the client has to be told."""
    client, device = clients["museum"], Device.shared("algorithms")
    plain = scepmsg.csr(device.key, "algorithms", "shared-secret")
    command = ["openssl", "cms", "-encrypt", "-binary", "-outform", "DER", "-aes128", "-recip", str(client.site.authority.ra_cert),
               "-keyopt", "rsa_padding_mode:oaep"]
    content = subprocess.run(command, input=plain, check=True, capture_output=True).stdout
    request = device.request(client.to, content=content)
    assert "RSA-OAEP" in (line := refused(client, request, request.encode())) and "PKCS#1 v1.5" in line
