"""CA and RA keys in a PKCS#11 token (SoftHSM2): the whole path, in every process that serves, over reloads and deaths."""
import os
import re
import signal
import subprocess
from types import SimpleNamespace

import pytest
import scepmsg
from processes import as_user, new_folder, run, wait_for, write
from reload import REFUSED, reload, reload_whole
from scepmsg import BAD_REQUEST

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN, WRONG = "8675309", "wrong-pin-4321"
KINDS = {"ca": "rsa:2048", "ec ca": "EC:prime256v1", "ra": "rsa:2048", "weak": "rsa:1024"}


def uri(label):
    return f"pkcs11:token=scepter;object={label.replace(' ', '%20')};type=private"


class Token:
    """A token with keys of all kinds, and certificates of a CA and an RA for them."""

    def __init__(self, folder, programs):
        self.folder, self.scepter = folder, programs / "scepter"
        new = new_folder("tokens-", folder)
        conf = write(folder / "softhsm2.conf", f"directories.tokendir = {new}\nobjectstore.backend = file\nlog.level = ERROR\n")
        self.env = {"SOFTHSM2_CONF": str(conf)}
        self.pin = write(folder / "pin", PIN + "\n", 0o600)
        run("softhsm2-util", "--init-token", "--free", "--label", "scepter", "--pin", PIN, "--so-pin", PIN, env=self.env)
        for number, (label, kind) in enumerate(KINDS.items(), 1):
            run("pkcs11-tool", "--module", MODULE, "--login", "--pin", PIN, "--keypairgen", "--key-type", kind, "--label", label,
                "--id", f"{number:02}", "--usage-sign", "--usage-decrypt", env=self.env)
        for label in ("ca", "ec ca"):
            run(self.scepter, "ca", "init", "--subject", f"CN={label}", "--cert", self.cert(label), "--key", uri(label),
                "--pin-file", self.pin, env=self.env)
            run(self.scepter, "ca", "issue-ra", "--ca-cert", self.cert(label), "--ca-key", uri(label), "--ca-pin-file", self.pin,
                "--cert", self.cert(label + " ra"), "--key", uri("ra"), "--pin-file", self.pin, env=self.env)

    def cert(self, label):
        return self.folder / f"{label}.pem".replace(" ", "-")

    def authority(self, label):
        return SimpleNamespace(ca=scepmsg.certificate(self.cert(label).read_bytes()), ra=scepmsg.certificate(self.cert(label + " ra").read_bytes()))

    def use(self, site, label="ca", **changes):
        """Both keys of the site are in the token, the PIN in a file of the site's own."""
        pin = write(site.folder / "pin", PIN + "\n", 0o600)
        site.profiles["default"]["ca"] = {"certificate": self.cert(label), "key": f'"{uri(label)}"', "pin_file": pin, **changes}
        site.profiles["default"]["ra"] = {"certificate": self.cert(label + " ra"), "key": f'"{uri("ra")}"', "pin_file": pin}
        return pin


@pytest.fixture(scope="module")
def token(place, programs):
    return Token(new_folder("token-", place), programs)


@pytest.fixture
def with_token(site, client_of, token):
    """with_token(kind, label): a client of a site whose CA (of that label) and RA keys are in the token, and the file of its PIN."""
    def with_environment(name, text):
        """What an administrator has to add where the web server starts the responder."""
        variable, value = next(iter(token.env.items()))
        if name == "apache-mod_fcgid.conf":
            return f"{text}FcgidInitialEnv {variable} {value}\n"
        for place in ('"bin-copy-environment"', '"SCEPTER_CONF"'):
            text = text.replace(place, f'"bin-environment" => ( "{variable}" => "{value}" ), {place}' if "bin" in place
                                else f'"{variable}" => "{value}", {place}')
        return text

    def start(kind, label="ca"):
        pin = token.use(site, label)
        site.authority = token.authority(label)
        return client_of(site, site.start(kind, edit=with_environment, **token.env)), pin
    return start


@pytest.mark.parametrize("kind,label", [("lighttpd-socket", "ca"), ("lighttpd-socket", "ec ca"), ("lighttpd-spawned", "ca"), ("mod_fcgid", "ca"),
                                        ("cgi", "ca")])
def test_every_process_opens_its_own_session(with_token, kind, label):
    """Workers, processes of a web server, and one for each request: the same certificate from all of them."""
    client, _ = with_token(kind, label)
    request = client.request()
    first = client.enrol(request)
    assert all(client.send(request).certs == first.certs for _ in range(5))
    client.refused(client.request(challenge="wrong"), BAD_REQUEST)


def test_many_log_in_at_once(site, token):
    """SoftHSM2 writes its token at every login, and other processes see none meanwhile."""
    token.use(site)
    site.write()
    command = as_user([site.fcgi, "--check", "--conf", site.ini])
    for _ in range(5):
        checks = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **token.env}) for _ in range(6)]
        said = [check.communicate()[0] for check in checks]
        assert [check.returncode for check in checks] == [0] * 6, said


def test_reloads_and_deaths(with_token):
    client, _ = with_token("lighttpd-socket")
    client.enrol()
    for _ in range(3):
        reload_whole(client.front)
        client.enrol()
    for _ in range(3):
        for worker in client.front.responder.workers():
            os.kill(worker, signal.SIGKILL)
        client.enrol()
    assert "no token" not in client.front.responder.text()


def test_reload_of_the_process_that_serves(with_token):
    """It looks at the token and serves from it: both in one process, with sessions that are open already."""
    client, _ = with_token("lighttpd-spawned")
    client.enrol()
    for n in range(3):
        os.kill(client.front.master(), signal.SIGHUP)
        wait_for(lambda: client.front.logs().count("was reloaded") > n, "the reload", 30)
        client.enrol()
    assert " error: " not in client.front.logs()


def test_a_wrong_pin_changes_nothing(with_token):
    client, pin = with_token("lighttpd-socket")
    client.enrol()
    pin.write_text(WRONG + "\n")
    reload(client.front, REFUSED)
    assert "[ca] key: the PIN for 'pkcs11:" in client.front.responder.text() and "pin_file" in client.front.responder.text()
    client.enrol()
    assert WRONG not in client.front.responder.text()


# what is done to a site in order, and what --check says of both keys
WRONG_TOKENS = {
    "wrong-pin": (lambda pin, ca: pin.write_text(WRONG), "the PIN for 'pkcs11:token=scepter;object=ca;type=private' is wrong.*pin_file"),
    "empty-pin": (lambda pin, ca: pin.write_text("\n"), "empty first line"),
    "open-pin": (lambda pin, ca: pin.chmod(0o644), "chmod 600"),
    "no-pin": (lambda pin, ca: ca.pop("pin_file"), "wants a PIN: set pin_file"),
    "no-such-token": (lambda pin, ca: ca.update(key='"pkcs11:token=nowhere;object=ca"'), "no token matches.*p11tool --list-tokens"),
    "no-such-key": (lambda pin, ca: ca.update(key=f'"{uri("nothing")}"'), "no private key that 'pkcs11:token=scepter;object=nothing"),
    "no-uri": (lambda pin, ca: ca.update(key="pkcs11:nonsense"), "not a PKCS#11 URI"),
    "key-of-another": (lambda pin, ca: ca.update(key=f'"{uri("ec ca")}"'), "does not belong to the CA certificate"),
    "weak": (lambda pin, ca: ca.update(key=f'"{uri("weak")}"'), "does not belong to the CA certificate"),
}


@pytest.mark.parametrize("what", WRONG_TOKENS)
def test_check(site, token, what):
    spoil, said = WRONG_TOKENS[what]
    spoil(token.use(site), site.profiles["default"]["ca"])
    site.write()
    done = run(site.fcgi, "--check", "--conf", site.ini, check=False, env=token.env)
    assert done.returncode == 1 and re.search(rf"default\.ini \[ca\].*{said}", done.stdout), done.stdout
    assert "Sanitizer" not in done.stdout + done.stderr
    done = run(site.fcgi, "--listen", site.socket, "--conf", site.ini, check=False, env=token.env)
    assert done.returncode == 78 and re.search(said, done.stderr), done.stderr


def test_check_in_order(site, token):
    token.use(site)
    site.write()
    done = run(site.fcgi, "--check", "--conf", site.ini, env=token.env)
    assert done.stdout == f"{site.ini}: 0 errors, 0 warnings\n"
