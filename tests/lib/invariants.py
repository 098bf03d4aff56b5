"""What must hold in the database, whatever happened before."""


def check(site, sent):
    """sent: the certificates (DER) that clients hold, one for each request; each was paid with a challenge of its own."""
    rows = site.execute("SELECT der, cert_id FROM scep.cert")
    stored = [bytes(r[0]) for r in rows]
    assert len(set(stored)) == len(stored)
    lost = [c for c in sent if c not in stored]
    assert not lost, f"{len(lost)} certificates without a row"
    assert sorted(stored) == sorted(sent), f"{len(stored)} certificates issued for {len(sent)} requests"
    consumed = site.execute("SELECT count(*) FROM scep.challenge WHERE consumed_at IS NOT NULL OR uses_left = 0")[0][0]
    assert consumed == len(sent), f"{consumed} challenges burnt for {len(sent)} certificates"
    ids = {r[1] for r in rows}
    audited = [r[0] for r in site.execute("SELECT cert_id FROM scep.audit WHERE kind = 'issue'")]
    assert sorted(audited) == sorted(ids), "the audit trail does not tell of each certificate once"
    answered = [r[0] for r in site.execute("SELECT cert_id FROM scep.request WHERE state = 2")]
    assert sorted(answered) == sorted(ids), "a certificate without its request, or the other way round"
