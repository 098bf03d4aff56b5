"""scep.fcgi --check: each thing that is wrong is said, and all of them at once."""
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import scepmsg
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from processes import run, write


def check(site):
    site.write()
    done = run(site.fcgi, "--check", "--conf", site.ini, check=False)
    return done.returncode, done.stdout + done.stderr


def files_of_its_own(site):
    """Copies of the CA's and RA's files, to be spoilt."""
    made = site.authority
    for section, cert, key in (("ca", made.ca_cert, made.ca_key), ("ra", made.ra_cert, made.ra_key)):
        profile = site.profiles["default"][section]
        profile["certificate"] = write(site.folder / "own" / cert.name, cert.read_bytes())
        profile["key"] = write(site.folder / "own" / key.name, key.read_bytes(), 0o600)
    return site.profiles["default"]


def issue(site, **changes):
    """An RA certificate with something wrong, issued by the site's CA; (certificate, key) files."""
    ca = x509.load_der_x509_certificate(site.authority.ca)
    ca_key = serialization.load_pem_private_key(site.authority.ca_key.read_bytes(), None)
    key = changes.get("key") or scepmsg.new_key(changes.get("bits", 2048))
    now = datetime.utcnow()
    usage = dict(digital_signature=True, content_commitment=False, key_encipherment=True, data_encipherment=False,
                 key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False) | changes.get("usage", {})
    issuer_key = changes.get("issuer_key", ca_key)
    builder = (x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "RA")]))
               .issuer_name(changes.get("issuer", ca.subject)).public_key(key.public_key())
               .serial_number(x509.random_serial_number())
               .not_valid_before(changes.get("not_before", now - timedelta(days=1)))
               .not_valid_after(changes.get("not_after", now + timedelta(days=30)))
               .add_extension(x509.BasicConstraints(False, None), True).add_extension(x509.KeyUsage(**usage), True))
    cert = builder.sign(issuer_key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    return (write(site.folder / "own" / "bad-ra.pem", cert.public_bytes(pem)),
            write(site.folder / "own" / "bad-ra.key", key.private_bytes(pem, serialization.PrivateFormat.PKCS8,
                                                                        serialization.NoEncryption()), 0o600))


def use(site, **changes):
    site.profiles["default"]["ra"] = dict(zip(("certificate", "key"), issue(site, **changes)))


def wrong_key(site):
    profile = files_of_its_own(site)
    profile["ra"]["key"] = profile["ca"]["key"]


def missing(section, what):
    def spoil(site):
        files_of_its_own(site)[section][what] = site.folder / "own" / "nowhere.pem"
    return spoil


def open_key(site):
    Path(files_of_its_own(site)["ca"]["key"]).chmod(0o640)


def garbage(site):
    write(files_of_its_own(site)["ra"]["certificate"], "no certificate\n")


def unreadable(site):
    """A key that belongs to somebody else: as root the check runs as another user; as a user nobody may read mode 0."""
    path = Path(files_of_its_own(site)["ra"]["key"])
    path.chmod(0)


def unknown_key(site):
    site.profiles["default"]["certificate"] = {"validty": "30d"}


def bad_value(site):
    site.server["server"]["workers"] = "many"


def unknown_section(site):
    site.server["databse"] = {"x": "y"}


def no_database(site):
    site.server["database"] |= {"conninfo": f"host={site.folder}/nowhere dbname=x", "timeout": "500ms"}
    site.postgres = type("Nowhere", (), {"conninfo": lambda self, *a: f"host={site.folder}/nowhere dbname=x"})()


def old_schema(site):
    site.execute("UPDATE scep.schema_version SET version = version - 1000, min_reader = 0")


def no_schema(site):
    site.execute("DROP SCHEMA scep CASCADE")


def open_pepper(site):
    (site.folder / "pepper").chmod(0o644)


def short_pepper(site):
    write(site.folder / "pepper", "short", 0o600)


NOW = datetime.utcnow()
EC_KEY = scepmsg.new_key(curve=scepmsg.ec.SECP256R1())
STRANGER = scepmsg.new_key()
# what is spoilt, and a pattern of what must be said
WRONG = {
    "certificate-missing": (missing("ca", "certificate"), r"nowhere\.pem"),
    "ra-certificate-missing": (missing("ra", "certificate"), r"nowhere\.pem"),
    "key-missing": (missing("ra", "key"), r"nowhere\.pem"),
    "key-unreadable": (unreadable, r"(?i)ra\.key.*(permission|denied|read)"),
    "certificate-garbage": (garbage, r"ra\.pem"),
    "key-readable-by-group": (open_key, r"(?i)ca\.key.*(group|0600|mode)"),
    "key-of-another": (wrong_key, r"(?i)(match|belong|key of)"),
    "ra-expired": (lambda s: use(s, not_before=NOW - timedelta(days=9), not_after=NOW - timedelta(days=2)), r"(?i)expired"),
    "ra-not-yet-valid": (lambda s: use(s, not_before=NOW + timedelta(days=2)), r"(?i)not yet|not valid before|begins"),
    "ra-without-key-encipherment": (lambda s: use(s, usage={"key_encipherment": False}), r"(?i)keyEncipherment"),
    "ra-without-digital-signature": (lambda s: use(s, usage={"digital_signature": False}), r"(?i)digitalSignature"),
    "ra-not-rsa": (lambda s: use(s, key=EC_KEY), r"(?i)RSA"),
    "ra-weak": (lambda s: use(s, bits=1024), r"(?i)1024|weak|bits"),
    "ra-of-another-ca": (lambda s: use(s, issuer_key=STRANGER), r"(?i)(issued|signed)"),
    "unknown-key": (unknown_key, r"(?s)default\.ini.*validty.*validity"),
    "bad-value": (bad_value, r"(?s)scepter\.ini.*workers.*many"),
    "unknown-section": (unknown_section, r"(?s)databse.*database"),
    "database-unreachable": (no_database, r"(?i)nowhere|connect|reach"),
    "schema-missing": (no_schema, r"(?i)scepter db init"),
    "schema-behind": (old_schema, r"(?i)scepter db migrate"),
    "pepper-readable": (open_pepper, r"(?i)pepper.*(group|0600|mode|others)"),
    "pepper-short": (short_pepper, r"(?i)pepper.*32"),
}


def test_in_order(site):
    status, text = check(site)
    assert status == 0, text


@pytest.mark.parametrize("what", WRONG)
def test_wrong(site, what):
    import re
    spoil, pattern = WRONG[what]
    spoil(site)
    status, text = check(site)
    assert status == 1, text
    assert re.search(pattern, text), text
    assert "Sanitizer" not in text


def test_all_at_once(site):
    import re
    names = ["unknown-key", "bad-value"]
    for name in names:
        WRONG[name][0](site)
    site.profiles["second"] = site.profile(ra={"certificate": site.folder / "nowhere.pem"})
    site.profiles["third"] = site.profile(certificate={"validity": "soon"}, nonsense={"a": "b"})
    status, text = check(site)
    assert status == 1
    for pattern in [*(WRONG[n][1] for n in names), r"third\.ini.*soon", r"nonsense"]:
        assert re.search(pattern, text), f"{pattern}\n{text}"


def test_files_and_database_at_once(site):
    import re
    open_key(site)
    site.profiles["second"] = site.profile(ra={"certificate": site.folder / "nowhere.pem"})
    no_database(site)
    status, text = check(site)
    assert status == 1
    for pattern in (WRONG["key-readable-by-group"][1], r"nowhere\.pem", r"(?i)database|connect"):
        assert re.search(pattern, text), f"{pattern}\n{text}"


EVERYTHING = dict(not_before=NOW - timedelta(days=9), not_after=NOW - timedelta(days=2), usage={"key_encipherment": False}, bits=1024,
                  issuer_key=STRANGER)


def wrong_ra(site):
    use(site, **EVERYTHING)


def wrong_ra_key_open(site):
    wrong_ra(site)
    Path(site.profiles["default"]["ra"]["key"]).chmod(0o644)


def wrong_ra_key_of_another(site):
    wrong_ra_key_open(site)
    Path(site.profiles["default"]["ra"]["key"]).write_bytes(site.authority.ca_key.read_bytes())


def wrong_ra_key_missing(site):
    wrong_ra(site)
    site.profiles["default"]["ra"]["key"] = site.folder / "nowhere.pem"


def wrong_ra_and_setting(site):
    wrong_ra(site)
    unknown_key(site)


RA = ["ra-expired", "ra-without-key-encipherment", "ra-weak", "ra-of-another-ca"]
# what hides nothing of the rest: how it is spoilt, and what must all be said
TOGETHER = {
    "one-certificate": (wrong_ra, RA),
    "a-key-that-is-open": (wrong_ra_key_open, [*RA, r"chmod 600"]),
    "a-key-of-another-that-is-open": (wrong_ra_key_of_another, [*RA, r"chmod 600", "key-of-another"]),
    "no-key": (wrong_ra_key_missing, [*RA, r"nowhere\.pem"]),
    "a-setting-of-the-profile": (wrong_ra_and_setting, [*RA, "unknown-key"]),
    "pepper-and-database": (lambda s: (open_pepper(s), no_database(s)), ["pepper-readable", r"\[database\] conninfo: cannot connect"]),
    "pepper-and-schema": (lambda s: (short_pepper(s), old_schema(s)), ["pepper-short", "schema-behind"]),
}


@pytest.mark.parametrize("what", TOGETHER)
def test_nothing_hides_the_rest(site, what):
    import re
    spoil, said = TOGETHER[what]
    spoil(site)
    status, text = check(site)
    assert status == 1 and "Sanitizer" not in text, text
    for pattern in said:
        pattern = WRONG[pattern][1] if pattern in WRONG else pattern
        assert re.search(pattern, text), f"{pattern}\n{text}"
    lines = [line for line in text.splitlines() if line.startswith("error: ")]
    assert len(lines) == len(said), f"each once, and nothing that only follows from it:\n{text}"
    assert len(site.run("check", ini=site.ini, check=False).stderr.splitlines()) == len(lines) + 1


def test_a_mistyped_authenticator_is_not_missing_besides(site):
    site.profiles["default"]["enrol"] = {"one_time_challenge": "yess"}
    status, text = check(site)
    assert status == 1 and text.count("error: ") == 1 and "one_time_challenge" in text, text


def test_configuration_missing(site):
    shutil.rmtree(site.folder / "profiles.d")
    done = run(site.fcgi, "--check", "--conf", site.folder / "none.ini", check=False)
    assert done.returncode == 1 and "none.ini" in done.stdout + done.stderr


def test_a_web_hook_that_cannot_know_who_asks(site):
    site.profiles["hooked"] = site.profile(webhook={"url": "https://mdm.example/scep"})
    status, text = check(site)
    assert status == 0 and "hooked.ini [webhook] secret_file: without it" in text and "1 warning" in text
    site.profiles["hooked"]["webhook"]["secret_file"] = write(site.folder / "hook.secret", "sixteen octets or more\n", 0o600)
    assert "0 warnings" in check(site)[1]


def test_obsolete_is_a_warning(site):
    site.profiles["museum"] = site.profile(scep={"obsolete": "des md5"})
    status, text = check(site)
    assert status == 0 and "museum" in text and "des" in text.lower()
