"""What must hold in the database, whatever happened before."""


def check(site, sent, uses=1):
    """sent: the certificates (DER) that clients hold, one for each request; each was paid with one use of a challenge, which had so many."""
    rows = site.execute("SELECT der, cert_id FROM scep.cert")
    stored = [bytes(r[0]) for r in rows]
    assert len(set(stored)) == len(stored)
    lost = set(sent) - set(stored)
    assert not lost, f"{len(lost)} certificates without a row"
    assert sorted(stored) == sorted(sent), f"{len(stored)} certificates issued for {len(sent)} requests"
    spent = site.execute("SELECT sum(%s - uses_left) FROM scep.challenge", uses)[0][0]
    assert spent == len(sent), f"{spent} uses of challenges spent for {len(sent)} certificates"
    ids = {r[1] for r in rows}
    audited = [r[0] for r in site.execute("SELECT cert_id FROM scep.audit WHERE kind = 'issue'")]
    assert sorted(audited) == sorted(ids), "the audit trail does not tell of each certificate once"
    answered = [r[0] for r in site.execute("SELECT cert_id FROM scep.request WHERE state = 2")]
    assert sorted(answered) == sorted(ids), "a certificate without its request, or the other way round"
