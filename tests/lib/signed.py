"""Requests by signed challenges, and what their refusals have to look like."""
from pathlib import Path

import scepmsg
from processes import write
from scepmsg import Device, csr
from tokens import AUDIENCE, Issuer, names

ES, RS, STRANGER = Issuer("ES256"), Issuer("RS256"), Issuer("ES256")


def settings(site, bundle=None, **more):
    """[signed_challenge] with both issuers, or that bundle, as anchors."""
    path = write(Path(site.folder) / "anchors.pem", bundle if bundle is not None else ES.public() + RS.cert())
    return {"anchors": path, "audience": AUDIENCE, "per_device": "0", **more}


def request(client, token, label="device", san=None, **how):
    device = how.pop("device", None) or Device.shared(label)
    subject = how.pop("subject", None)
    plain = csr(device.key, how.pop("common_name", label), token, attributes=[names(**san)] if san else (), subject=subject)
    return client.request(device=device, challenge=token, plain=plain, **how)


def audit(client, req):
    """Reasons and sentences of the request's refusals."""
    return client.site.execute("SELECT reason, detail FROM scep.audit WHERE txid = %s AND kind = 'refuse'", req.txid)


def refused(client, req, label, fail_info, sentence=""):
    """The right failInfo to the device; label and sentence to audit and log, and nothing of the token."""
    before = len(client.front.logs())
    client.refused(req, fail_info)
    (reason, detail), = audit(client, req)
    assert reason == label and detail.startswith("signed challenge: ") and sentence in detail, (reason, detail)
    lines = [line for line in client.front.logs()[before:].splitlines() if req.txid in line]
    assert any(f"err={label} " in line and "signed challenge" in line for line in lines), lines
    token = scepmsg.x509.load_der_x509_csr(req.plain).attributes.get_attribute_for_oid(scepmsg.x509.ObjectIdentifier(scepmsg.CHALLENGE)).value.decode()
    for part in token.split("."):
        assert len(part) < 30 or (part not in detail and not any(part in line for line in lines))
