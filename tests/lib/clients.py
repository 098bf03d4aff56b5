"""SCEP clients that others wrote, as Debian packages them, and our own. Each enrols once and gives the certificate as DER."""
import base64
import os
import shlex
import signal
import subprocess

import scepmsg
from cryptography.hazmat.primitives import serialization
from processes import DEADLINE, USER, as_user, run, write

CERTMONGER = "/usr/lib/certmonger/certmonger-session"
SCEP_SUBMIT = "/usr/lib/certmonger/scep-submit"


def pem(label, data):
    text = base64.encodebytes(data).decode().replace("\n", "")
    lines = "\n".join(text[i:i + 64] for i in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


def key_file(folder, key):
    return write(folder / "key.pem", key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                                                       serialization.NoEncryption()), 0o600)


def micromdm(site, url, folder, challenge, common_name):
    """scepclient of Debian's `scep`: DES and SHA-1 whatever the server announces, and base64url by GET."""
    key, cert = key_file(folder, scepmsg.new_key()), folder / "cert.pem"
    done = run("scepclient", "-private-key", key, "-certificate", cert, "-server-url", url, "-challenge", challenge,
               "-cn", common_name, "-organization", "Example", "-country", "XX",
               "-ca-fingerprint", scepmsg.digest_of("sha256", site.authority.ra).hex(), cwd=folder)
    assert cert.exists(), done.stdout + done.stderr
    return scepmsg.certificate(cert.read_bytes())


def strongswan(site, url, folder, challenge, common_name):
    """pki --scep of strongswan-pki."""
    key = key_file(folder, scepmsg.new_key())
    ca, ra = folder / "ca.pem", folder / "ra.pem"
    run("pki", "--scepca", "--url", url, "--caout", ca, "--raout", ra, "--outform", "pem", "--force", cwd=folder)
    assert scepmsg.certificate(ca.read_bytes()) == site.authority.ca and scepmsg.certificate(ra.read_bytes()) == site.authority.ra
    done = run("pki", "--scep", "--url", url, "--in", key, "--dn", f"CN={common_name}, O=Example",
               "--san", f"{common_name}.example", "--password", challenge, "--cacert-enc", ra, "--cacert-sig", ra,
               "--cacert", ca, "-t", "2", "-m", "12", "--outform", "pem", cwd=folder)
    return scepmsg.certificate(done.stdout.encode())


def certmonger_submit(site, url, folder, challenge, common_name):
    """certmonger's helper, with a message made elsewhere: capabilities, certificates, and the message by GET."""
    ra = write(folder / "ra.pem", site.authority.ra_cert.read_bytes())
    ca = write(folder / "ca.pem", site.authority.ca_cert.read_bytes())
    assert "SCEPStandard" in run(SCEP_SUBMIT, "-u", url, "-c").stdout
    assert run(SCEP_SUBMIT, "-u", url, "-C").stdout.count("BEGIN CERTIFICATE") >= 2
    device = scepmsg.Device(common_name)
    request = device.request([site.authority.ra], challenge, cipher="aes256", txid=str(int.from_bytes(os.urandom(31), "big")))
    message = write(folder / "message.pem", pem("PKCS7", request.encode()))
    done = run(SCEP_SUBMIT, "-u", url, "-p", "-r", ra, "-N", ca, message)	# it verifies the answer and prints its envelope
    text = done.stdout.split("-----BEGIN PKCS7-----")[1].split("-----END PKCS7-----")[0]
    return scepmsg.open_envelope(base64.b64decode(text), request.cert, request.key)[0][0]


def certmonger(site, url, folder, challenge, common_name):
    """A whole certmonger session: it asks for everything itself, and checks what it gets."""
    home = write(folder / "home" / ".keep", "").parent
    key, cert = folder / "key.pem", folder / "cert.pem"
    script = write(folder / "inner.sh", f"""set -eu
getcert add-scep-ca -c scep -u {shlex.quote(url)}
for i in $(seq 3000); do
	grep -qs ca_encryption_cert {home}/.config/certmonger/cas/* && break
	sleep 0.1
done
getcert request -c scep -k {key} -f {cert} -N 'CN={common_name},O=Example' -D {common_name}.example -L {shlex.quote(challenge)}
for i in $(seq 3000); do
	[ -s {cert} ] && break
	case $(getcert list -f {cert}) in *CA_REJECTED*|*CA_UNREACHABLE*|*CA_UNCONFIGURED*|*NEED_GUIDANCE*) break ;; esac
	sleep 0.1
done
getcert list -f {cert}
""")
    # The session daemon keeps the terminal's group; it is ended with everything that it started.
    environment = {**os.environ, "HOME": str(home), "TMPDIR": str(home)}
    process = subprocess.Popen(as_user([CERTMONGER, "-s", "-L", "-P", folder / "sock", "-n", "-d", "1", "-c", f"bash {script}"]),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder,
                               env=environment, start_new_session=True, text=True)
    try:
        output = process.communicate(timeout=2 * DEADLINE)[0]
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
    assert cert.exists() and cert.stat().st_size, f"as {USER}:\n{output}"
    return scepmsg.certificate(cert.read_bytes())


def scepter(site, url, folder, challenge, common_name):
    """Our own client; its fingerprint pins the CA."""
    write(folder / "challenge", challenge + "\n", 0o600)
    site.run("enroll", url, "--subject", f"CN={common_name},O=Example", "--challenge-file", folder / "challenge",
             "--fingerprint", scepmsg.digest_of("sha256", site.authority.ca).hex(), "--out", folder, cwd=folder)
    return scepmsg.certificate((folder / "cert.pem").read_bytes())


CLIENTS = {
    "scepclient": micromdm, "strongswan-pki": strongswan, "scep-submit": certmonger_submit, "certmonger": certmonger,
    "scepter": scepter,
}
