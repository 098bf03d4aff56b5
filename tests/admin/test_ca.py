"""scepter ca: what it makes is what OpenSSL agrees with."""
import os
import stat
import subprocess
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from conftest import CONFIG, FAILED, USAGE, bad, ok, openssl

TYPES = {"rsa:2048": "RSA 2048", "rsa:3072": "RSA 3072", "ec:p256": "EC P-256", "ec:p384": "EC P-384", "ec:p521": "EC P-521",
         "ed25519": "Ed25519"}


def init(folder, key="ec:p256", subject="CN=Demo CA,O=Example", *args):
    return ok("ca", "init", "--subject", subject, "--key-type", key, "--out", folder, "--json", *args).json


def issue_ra(ca, out, *args):
    return ok("ca", "issue-ra", "--ca-cert", ca / "ca.pem", "--ca-key", ca / "ca.key", "--out", out, "--json", *args).json


def read(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def fingerprint(cert, algorithm):
    return ":".join(f"{b:02X}" for b in cert.fingerprint(algorithm))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("root")
    init(folder, "ec:p256", "CN=Root,O=Example")
    return folder


@pytest.mark.parametrize("key", TYPES)
def test_root(tmp_path, key):
    out = tmp_path / "new"
    said = init(out, key, "CN=Demo CA,O=Example", "--days", "30")
    cert, pem = read(out / "ca.pem"), out / "ca.pem"
    assert "OK" in openssl("verify", "-x509_strict", "-CAfile", pem, pem)
    assert mode(out / "ca.key") == 0o600 and mode(pem) == 0o644
    private = serialization.load_pem_private_key((out / "ca.key").read_bytes(), None)
    assert private.public_key().public_numbers() == cert.public_key().public_numbers() if key != "ed25519" else True
    assert cert.subject == cert.issuer and cert.subject.rfc4514_string() == "CN=Demo CA,O=Example"
    constraints = cert.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical and constraints.value.ca and constraints.value.path_length is None
    usage = cert.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical and usage.value.key_cert_sign and usage.value.crl_sign and not usage.value.key_encipherment
    assert said["key"] == TYPES[key] and said["subject"] == said["issuer"] == "CN=Demo CA,O=Example"
    assert said["sha256_fingerprint"] == fingerprint(cert, hashes.SHA256())
    assert said["sha1_fingerprint"] == fingerprint(cert, hashes.SHA1())
    assert int(said["serial"], 16) == cert.serial_number and cert.serial_number.bit_length() > 64
    assert said["not_after"] == cert.not_valid_after.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert abs(cert.not_valid_after - datetime.utcnow() - timedelta(days=30)) < timedelta(hours=1)
    assert cert.not_valid_before < datetime.utcnow()
    assert (said["certificate_file"], said["key_file"]) == (str(pem), str(out / "ca.key"))


@pytest.mark.parametrize("key", TYPES)
def test_chain(tmp_path, root, key):
    """Root, intermediate and RA verify as a chain whatever key the intermediate has."""
    said = init(tmp_path, key, "CN=Issuing,O=Example", "--parent-cert", root / "ca.pem", "--parent-key", root / "ca.key")
    assert said["issuer"] == "CN=Root,O=Example" and said["path_length"] == 0
    issue_ra(tmp_path, tmp_path)
    assert "OK" in openssl("verify", "-x509_strict", "-CAfile", root / "ca.pem", "-untrusted", tmp_path / "ca.pem", tmp_path / "ra.pem")
    assert (tmp_path / "ca-chain.pem").read_bytes() == (root / "ca.pem").read_bytes()


@pytest.mark.parametrize("parent", ["rsa:2048", "ec:p384", "ed25519"])
def test_parent_of_any_kind(tmp_path, parent):
    up, down = tmp_path / "up", tmp_path / "down"
    init(up, parent)
    init(down, "ec:p256", "CN=Issuing", "--parent-cert", up / "ca.pem", "--parent-key", up / "ca.key")
    assert "OK" in openssl("verify", "-x509_strict", "-CAfile", up / "ca.pem", down / "ca.pem")


def test_three_levels_and_their_chain(tmp_path, root):
    a, b = tmp_path / "a", tmp_path / "b"
    init(a, "ec:p256", "CN=A", "--parent-cert", root / "ca.pem", "--parent-key", root / "ca.key", "--path-length", "1")
    (tmp_path / "with-parents.pem").write_bytes((a / "ca.pem").read_bytes() + (root / "ca.pem").read_bytes())
    init(b, "ec:p256", "CN=B", "--parent-cert", tmp_path / "with-parents.pem", "--parent-key", a / "ca.key")
    assert (b / "ca-chain.pem").read_bytes() == (tmp_path / "with-parents.pem").read_bytes()
    assert "OK" in openssl("verify", "-x509_strict", "-CAfile", root / "ca.pem", "-untrusted", b / "ca-chain.pem", b / "ca.pem")
    bad(CONFIG, "allows no CA below it", "ca", "init", "-s", "CN=C", "-t", "ec:p256", "-o", tmp_path / "c", "--parent-cert", b / "ca.pem",
        "--parent-key", b / "ca.key")
    bad(CONFIG, "--path-length can be 0 at most", "ca", "init", "-s", "CN=C", "-t", "ec:p256", "-o", tmp_path / "c", "--path-length", "1",
        "--parent-cert", a / "ca.pem", "--parent-key", a / "ca.key")
    assert not (tmp_path / "c").exists()


def test_scep_peer(tmp_path):
    said = init(tmp_path, "rsa:2048", "CN=Peer", "--scep-peer")
    assert said["key_usage"] == "digitalSignature, keyEncipherment, keyCertSign, cRLSign"
    bad(CONFIG, "takes RSA", "ca", "init", "-s", "CN=x", "-t", "ec:p256", "--scep-peer", "-o", tmp_path / "ec")


def test_ends_with_the_parent(tmp_path):
    up, down = tmp_path / "up", tmp_path / "down"
    init(up, "ec:p256", "CN=Short", "--days", "10")
    result = ok("ca", "init", "-s", "CN=Long", "-t", "ec:p256", "-d", "100", "-o", down, "--parent-cert", up / "ca.pem", "--parent-key", up / "ca.key")
    assert "ends with its parent's" in result.err
    assert read(down / "ca.pem").not_valid_after == read(up / "ca.pem").not_valid_after


def test_text_output(tmp_path):
    out = ok("ca", "init", "-s", "CN=Text", "-t", "ed25519", "-o", tmp_path).out
    assert "Subject:              CN=Text\n" in out and "\nSHA-256 fingerprint:  " in out and f"\nKey file:             {tmp_path}/ca.key\n" in out


def test_never_overwrites(tmp_path):
    init(tmp_path)
    before = (tmp_path / "ca.pem").read_bytes(), (tmp_path / "ca.key").read_bytes()
    bad(FAILED, f"{tmp_path}/ca.key exists already", "ca", "init", "-s", "CN=x", "-t", "ec:p256", "-o", tmp_path)
    (tmp_path / "ca.key").rename(tmp_path / "moved")
    bad(FAILED, f"{tmp_path}/ca.pem exists already", "ca", "init", "-s", "CN=x", "-t", "ec:p256", "-o", tmp_path)
    assert not (tmp_path / "ca.key").exists()
    assert ((tmp_path / "ca.pem").read_bytes(), (tmp_path / "moved").read_bytes()) == before
    init(tmp_path, "ec:p256", "CN=Other", "--force")
    assert read(tmp_path / "ca.pem").subject.rfc4514_string() == "CN=Other"
    assert mode(tmp_path / "ca.key") == 0o600


def test_chain_file_is_kept_too(tmp_path, root):
    (tmp_path / "ca-chain.pem").write_text("precious")
    bad(FAILED, "ca-chain.pem exists already", "ca", "init", "-s", "CN=x", "-t", "ec:p256", "-o", tmp_path, "--parent-cert", root / "ca.pem",
        "--parent-key", root / "ca.key")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ca-chain.pem"]


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_modes_whatever_the_umask(tmp_path, umask):
    ok("ca", "init", "-s", "CN=x", "-t", "ec:p256", "-o", tmp_path, umask=umask)
    assert mode(tmp_path / "ca.key") == 0o600


def test_nothing_is_left_of_a_failure(tmp_path):
    (tmp_path / "place").mkdir()
    bad(CONFIG, "/nonexistent/", "ca", "init", "-s", "CN=x", "-t", "ec:p256", "--key", tmp_path / "place/ca.key", "--cert", "/nonexistent/ca.pem")
    assert list((tmp_path / "place").iterdir()) == []


@pytest.mark.parametrize("args, code, says", [
    ([], USAGE, "--subject is missing"),
    (["-s", "CN=x"], USAGE, "where to? give --out DIR"),
    (["-s", "CN=x", "--cert", "OUT/c"], USAGE, "where to?"),
    (["-s", "CN=x", "-o", "OUT", "--parent-cert", "ROOT/ca.pem"], USAGE, "go together"),
    (["-s", "nonsense", "-o", "OUT", "-t", "ec:p256"], FAILED, "subject 'nonsense': a name is written like"),
    (["-s", "CN=x", "-o", "OUT", "-t", "dsa:1024"], CONFIG, "dsa:1024"),
    (["-s", "CN=x", "-o", "/nonexistent/deep"], CONFIG, "/nonexistent/deep could not be made"),
    (["-s", "CN=x", "-o", "OUT", "--parent-cert", "ROOT/ca.pem", "--parent-key", "OTHER/ca.key"], CONFIG, "is not the key of"),
    (["-s", "CN=x", "-o", "OUT", "--parent-cert", "OTHER/ra.pem", "--parent-key", "OTHER/ra.key"], CONFIG, "may not sign certificates"),
    (["-s", "CN=x", "-o", "OUT", "--parent-cert", "/nonexistent", "--parent-key", "OTHER/ra.key"], CONFIG, "/nonexistent"),
    (["-s", "CN=x", "-o", "OUT", "--key", "pkcs11:token=nowhere;object=x"], CONFIG, "pkcs11:"),
])
def test_refused(tmp_path, root, authority, args, code, says):
    out = tmp_path / "out"
    args = [a.replace("OUT", str(out)).replace("ROOT", str(root)).replace("OTHER", str(authority)) for a in args]
    bad(code, says, "ca", "init", *args)
    assert not out.exists() or list(out.iterdir()) == []


def test_expired_parent(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name, end = x509.Name.from_rfc4514_string("CN=Old"), datetime.utcnow() - timedelta(days=1)
    cert = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
            .not_valid_before(end - timedelta(days=1)).not_valid_after(end)
            .add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256()))
    pem, private = serialization.Encoding.PEM, tmp_path / "k"
    (tmp_path / "c").write_bytes(cert.public_bytes(pem))
    private.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    private.chmod(0o600)
    bad(CONFIG, "has expired", "ca", "init", "-s", "CN=x", "-t", "ec:p256", "-o", tmp_path / "o", "--parent-cert", tmp_path / "c", "--parent-key", private)


def test_parent_key_must_be_private(tmp_path, root):
    key = tmp_path / "k"
    key.write_bytes((root / "ca.key").read_bytes())
    key.chmod(0o644)
    bad(CONFIG, "chmod", "ca", "init", "-s", "CN=x", "-t", "ec:p256", "-o", tmp_path / "o", "--parent-cert", root / "ca.pem", "--parent-key", key)


# --- issue-ra


@pytest.mark.parametrize("usage,stem,signs_decrypts", [("both", "ra", (True, True)), ("encrypt", "ra", (False, True)),
                                                        ("sign", "ra-sign", (True, False))])
def test_ra_for_one_purpose(root, tmp_path, usage, stem, signs_decrypts):
    said = issue_ra(root, tmp_path, "--for", usage)
    usages = read(tmp_path / f"{stem}.pem").extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usages.digital_signature, usages.key_encipherment) == signs_decrypts and not usages.key_cert_sign
    assert said["certificate_file"] == f"{tmp_path}/{stem}.pem" and said["key_file"] == f"{tmp_path}/{stem}.key"


def test_only_one_that_signs_may_be_of_another_kind(root, tmp_path):
    ca = ("--ca-cert", root / "ca.pem", "--ca-key", root / "ca.key", "-o", tmp_path, "-t", "ec:p256")
    bad(CONFIG, "takes RSA", "ca", "issue-ra", *ca, "--for", "encrypt")
    bad(USAGE, "both, encrypt or sign", "ca", "issue-ra", *ca, "--for", "all")
    ok("ca", "issue-ra", *ca, "--for", "sign")



def test_ra(tmp_path, root):
    said = issue_ra(root, tmp_path, "--subject", "CN=My RA", "--days", "20")
    cert = read(tmp_path / "ra.pem")
    assert said["key"] == "RSA 2048" and said["issuer"] == "CN=Root,O=Example" and cert.subject.rfc4514_string() == "CN=My RA"
    usage = cert.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature and usage.key_encipherment and not usage.key_cert_sign
    assert said["ca"] is False and mode(tmp_path / "ra.key") == 0o600
    assert "OK" in openssl("verify", "-x509_strict", "-CAfile", root / "ca.pem", tmp_path / "ra.pem")
    bad(FAILED, "exists already", "ca", "issue-ra", "--ca-cert", root / "ca.pem", "--ca-key", root / "ca.key", "--out", tmp_path)


def test_ra_needs_rsa(tmp_path, root):
    for key in ("ec:p256", "ed25519"):
        bad(CONFIG, "takes RSA", "ca", "issue-ra", "--ca-cert", root / "ca.pem", "--ca-key", root / "ca.key", "-o", tmp_path, "-t", key)
    assert list(tmp_path.iterdir()) == []


def test_ra_for_a_profile(tmp_path, root):
    (tmp_path / "profiles.d").mkdir()
    (tmp_path / "scepter.ini").write_text("[database]\nconninfo = dbname=x\npepper_file = pepper\n")
    (tmp_path / "profiles.d/lan.ini").write_text(f"[ca]\ncertificate = {root}/ca.pem\nkey = {root}/ca.key\n"
                                                 "[ra]\ncertificate = ../lan-ra.pem\nkey = ../lan-ra.key\n")
    conf = ["--conf", tmp_path / "scepter.ini"]
    bad(CONFIG, "did you mean 'lan'?", "ca", "issue-ra", *conf, "--profile", "lna")
    ok("ca", "issue-ra", *conf, "--profile", "lan")
    assert "OK" in openssl("verify", "-CAfile", root / "ca.pem", tmp_path / "lan-ra.pem")
    assert mode(tmp_path / "lan-ra.key") == 0o600
    bad(FAILED, "exists already", "ca", "issue-ra", *conf, "--profile", "lan")
    bad(USAGE, "which CA?", "ca", "issue-ra", "-o", tmp_path)
    bad(USAGE, "go together", "ca", "issue-ra", "-o", tmp_path, "--ca-cert", root / "ca.pem")


def write_pair(folder, ca, ra_key, sign_key, pin=""):
    (folder / "profiles.d").mkdir()
    (folder / "scepter.ini").write_text("[database]\nconninfo = dbname=x\npepper_file = pepper\n")
    (folder / "profiles.d/lan.ini").write_text(f"[ca]\ncertificate = {ca}/ca.pem\nkey = {ca}/ca.key\n"
                                               f"[ra]\ncertificate = ../lan-ra.pem\nkey = {ra_key}\n{pin}"
                                               f"[ra_sign]\ncertificate = ../lan-sign.pem\nkey = {sign_key}\n{pin}")
    return ["--conf", folder / "scepter.ini", "--profile", "lan"]


def issue_pair(conf, env=None):
    """Makes the profile's pair; the profile must load with it and open its keys."""
    ok("ca", "issue-ra", *conf, "--for", "encrypt", env=env)
    ok("ca", "issue-ra", *conf, "--for", "sign", "--key-type", "ec:p384", env=env)
    folder = conf[1].parent
    for name, decrypts in (("lan-ra.pem", True), ("lan-sign.pem", False)):
        usage = read(folder / name).extensions.get_extension_for_class(x509.KeyUsage).value
        assert (usage.key_encipherment, usage.digital_signature) == (decrypts, not decrypts)
    ok("show", *conf, folder / "lan-sign.pem", env=env)


def test_pair_for_a_profile(tmp_path, root):
    issue_pair(write_pair(tmp_path, root, "../lan-ra.key", "../lan-sign.key"))
    assert mode(tmp_path / "lan-sign.key") == 0o600


# --- keys in a token


@pytest.fixture(scope="module")
def token(tmp_path_factory):
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    env = {"SOFTHSM2_CONF": str(folder / "softhsm2.conf")}
    (folder / "pin").write_text("1234\n")
    (folder / "pin").chmod(0o600)

    def run(*args):
        subprocess.run(args, env=os.environ | env, check=True, capture_output=True, timeout=60)
    run("softhsm2-util", "--init-token", "--free", "--label", "t", "--pin", "1234", "--so-pin", "1234")
    kinds = {"ca-rsa": "rsa:2048", "ca-ec": "EC:prime256v1", "ra-rsa": "rsa:2048", "weak": "rsa:1024", "ra-sign": "EC:prime256v1"}
    for number, (label, kind) in enumerate(kinds.items(), 1):
        run("pkcs11-tool", "--module", "/usr/lib/softhsm/libsofthsm2.so", "--login", "--pin", "1234", "--keypairgen", "--key-type", kind,
            "--label", label, "--id", f"{number:02}", "--usage-sign", "--usage-decrypt")
    return folder, env


def uri(label):
    return f"pkcs11:token=t;object={label};type=private"


def test_pair_in_a_token(tmp_path, root, token):
    folder, env = token
    issue_pair(write_pair(tmp_path, root, f'"{uri("ra-rsa")}"', f'"{uri("ra-sign")}"', f"pin_file = {folder}/pin\n"), env)


@pytest.mark.parametrize("label", ["ca-rsa", "ca-ec"])
def test_token_key(tmp_path, token, label):
    folder, env = token
    said = ok("ca", "init", "-s", "CN=HSM CA", "-o", tmp_path, "--key", uri(label), "--pin-file", folder / "pin", "--json", env=env).json
    assert said["key_uri"] == uri(label) and not (tmp_path / "ca.key").exists()
    ok("ca", "issue-ra", "--ca-cert", tmp_path / "ca.pem", "--ca-key", uri(label), "--ca-pin-file", folder / "pin", "--cert", tmp_path / "ra.pem",
       "--key", uri("ra-rsa"), "--pin-file", folder / "pin", env=env)
    ok("ca", "init", "-s", "CN=Below", "-t", "ec:p256", "-o", tmp_path / "sub", "--parent-cert", tmp_path / "ca.pem", "--parent-key", uri(label),
       "--parent-pin-file", folder / "pin", env=env)
    assert "OK" in openssl("verify", "-x509_strict", "-CAfile", tmp_path / "ca.pem", tmp_path / "ra.pem")
    assert "OK" in openssl("verify", "-x509_strict", "-CAfile", tmp_path / "ca.pem", tmp_path / "sub/ca.pem")


def test_token_pin_is_not_shown(tmp_path, token):
    result = ok("ca", "init", "-s", "CN=x", "-o", tmp_path, "--key", uri("ca-ec") + "?pin-value=1234", env=token[1])
    assert "pin-value" not in result.out + result.err


def test_token_refusals(tmp_path, token):
    folder, env = token
    pin = ["--pin-file", folder / "pin"]
    bad(CONFIG, "1024 bits", "ca", "init", "-s", "CN=x", "-o", tmp_path, "--key", uri("weak"), *pin, env=env)
    bad(CONFIG, "takes RSA", "ca", "init", "-s", "CN=x", "-o", tmp_path, "--key", uri("ca-ec"), *pin, "--scep-peer", env=env)
    bad(CONFIG, "has no private key that", "ca", "init", "-s", "CN=x", "-o", tmp_path, "--key", uri("missing"), *pin, env=env)
    bad(CONFIG, "pin_file", "ca", "init", "-s", "CN=x", "-o", tmp_path, "--key", uri("ca-rsa"), env=env)
    (tmp_path / "wrong").write_text("9999\n")
    (tmp_path / "wrong").chmod(0o600)
    assert "9999" not in bad(CONFIG, "PIN", "ca", "init", "-s", "CN=x", "-o", tmp_path, "--key", uri("ca-rsa"), "--pin-file", tmp_path / "wrong", env=env).err
    assert [p.name for p in tmp_path.iterdir()] == ["wrong"]
