"""CAs of client certificates, what they issue, and TLS clients that show it."""
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import rawhttp
import scepmsg
from processes import write

PEM = serialization.Encoding.PEM


def name(common_name, serial_number=None):
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example"), x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if serial_number:
        attributes.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, serial_number))
    return x509.Name(attributes)


def key_usage(*bits):
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign",
             "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{n: n in bits for n in names})


class Holder:
    """A key with its certificate, in files for TLS clients."""

    def __init__(self, folder, label, key, cert):
        self.label, self.key, self.x509 = label, key, cert
        self.pem, self.cert = cert.public_bytes(PEM), cert.public_bytes(serialization.Encoding.DER)
        self.cert_file = write(folder / f"{label}.pem", self.pem)
        self.key_file = write(folder / f"{label}.key", key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()), 0o600)

    @property
    def context(self):
        return rawhttp.tls_context(self.cert_file, self.key_file)

    def device(self, label=None):
        """Signs SCEP messages with it."""
        device = scepmsg.Device(label or self.label)
        device.key, device.cert = self.key, self.cert
        return device


class ClientCa:
    def __init__(self, folder, label, parent=None, path_length=None):
        self.folder, self.label, self.parent, self.revoked, self.count = folder, label, parent, [], 0
        self.key = scepmsg.new_key(2048)
        self.cert = self._sign(name(label), self.key, (
            (x509.BasicConstraints(ca=True, path_length=path_length), True), (key_usage("key_cert_sign", "crl_sign"), True)), -1, 3000,
            parent or self)
        self.pem = self.cert.public_bytes(PEM)

    def _sign(self, subject, key, extensions, first, last, issuer, digest=hashes.SHA256()):
        now = datetime.utcnow()
        issuer.count += 1
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(name(issuer.label)).public_key(key.public_key())
                   .serial_number(int.from_bytes(issuer.label.encode()[:6], "big") << 16 | issuer.count)
                   .not_valid_before(now + timedelta(days=first)).not_valid_after(now + timedelta(days=last)))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(issuer.key, digest)

    def issue(self, label, first=-1, last=10, serial_number=None, dns=(), purposes=(ExtendedKeyUsageOID.CLIENT_AUTH,), ca=False, key=None,
              common_name=None):
        extensions = [(x509.BasicConstraints(ca=ca, path_length=None), True),
                      (key_usage("digital_signature", *(["key_cert_sign"] if ca else [])), True)]
        if purposes:
            extensions.append((x509.ExtendedKeyUsage(purposes), False))
        if dns:
            extensions.append((x509.SubjectAlternativeName([x509.DNSName(d) for d in dns]), False))
        key = key or scepmsg.new_key(2048)
        cert = self._sign(name(common_name or label, serial_number), key, extensions, first, last, self)
        return Holder(self.folder, label, key, cert)

    def revoke(self, holder):
        self.revoked.append(holder.x509.serial_number)

    def crl(self, days=10):
        now = datetime.utcnow()
        builder = x509.CertificateRevocationListBuilder().issuer_name(name(self.label)).last_update(now - timedelta(days=20)).next_update(
            now + timedelta(days=days))
        for serial in self.revoked:
            builder = builder.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(serial)
                                                      .revocation_date(now - timedelta(days=1)).build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(PEM)
