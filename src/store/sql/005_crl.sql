-- min_reader: 5
-- Revocation, CRLs and GetCert.
SET LOCAL search_path = scep, pg_temp;

-- 0 revoked now (also when this very call was made before; o_revoked_at is when), 1 it was revoked already, 2 there is no such certificate.
-- A revocation that lies in the future is brought forward.
CREATE FUNCTION cert_revoke(p_cert_id uuid, p_reason int, p_reason_name text, p_invalid_since timestamptz, p_actor text, p_audit uuid,
  OUT o_result int, OUT o_revoked_at timestamptz, OUT o_reason int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = scep, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
  v_ok      boolean;
  v_profile text;
  v_subject text;
  v_txid    text;
BEGIN
  SELECT c.profile, c.subject, c.txid INTO v_profile, v_subject, v_txid FROM cert c WHERE c.cert_id = p_cert_id;
  IF NOT FOUND THEN
    o_result := 2;
    RETURN;
  END IF;
  INSERT INTO revocation AS v (cert_id, reason, actor, invalid_since) VALUES (p_cert_id, p_reason, p_actor, p_invalid_since)
  ON CONFLICT (cert_id) DO UPDATE
    SET revoked_at = now(), reason = excluded.reason, actor = excluded.actor, invalid_since = excluded.invalid_since
    WHERE v.revoked_at > now()
  RETURNING true INTO v_ok;
  IF v_ok THEN
    INSERT INTO audit (audit_id, cert_id, kind, profile, actor, txid, detail)
    VALUES (p_audit, p_cert_id, 'revoke', v_profile, p_actor, v_txid,
      concat_ws(', ', v_subject, p_reason_name, 'key not to be trusted since ' || date_trunc('second', p_invalid_since)));
  END IF;
  SELECT v.revoked_at, v.reason INTO o_revoked_at, o_reason FROM revocation v WHERE v.cert_id = p_cert_id;
  o_result := CASE WHEN v_ok OR EXISTS (SELECT FROM audit a WHERE a.audit_id = p_audit) THEN 0 ELSE 1 END;
END
$$;

-- GetCert: a certificate of this authority, or of another one that issued in the profile (a roll-over), and what is known of the one that signed
-- the request.
CREATE FUNCTION lookup(p_authority uuid, p_profile text, p_wanted uuid, p_signer uuid, OUT o_der bytea, OUT o_signer_der bytea, OUT o_signer_revoked boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = scep, pg_temp AS $$
BEGIN
  SELECT c.der INTO o_der FROM cert c JOIN issuer i ON i.issuer_id = c.issuer_id
   WHERE c.cert_id = p_wanted AND (i.authority_id = p_authority OR c.profile = p_profile);
  SELECT c.der INTO o_signer_der FROM cert c JOIN issuer i ON i.issuer_id = c.issuer_id
   WHERE c.cert_id = p_signer AND (i.authority_id = p_authority OR c.profile = p_profile);
  o_signer_revoked := revoked(p_signer);
END
$$;

-- The last CRL: its number (0: none yet), its times, whether a revocation waits for the next one, and the database's clock. Its octets only
-- when p_known is another number (NULL: never). No row: the authority is not known.
CREATE FUNCTION crl_check(p_authority uuid, p_known bigint)
RETURNS TABLE (number bigint, this_update timestamptz, next_update timestamptz, waits boolean, at timestamptz, der bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = scep, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT a.crl_number, l.this_update, l.next_update,
         EXISTS (SELECT FROM revocation v WHERE v.authority_id = p_authority AND v.listed_by IS NULL AND v.revoked_at <= now()), now(),
         CASE WHEN a.crl_number <> p_known THEN l.der END
    FROM authority a LEFT JOIN crl l ON l.authority_id = a.authority_id AND l.number = a.crl_number
   WHERE a.authority_id = p_authority;
END
$$;

-- True: the caller is the one who signs the CRL after p_number; everybody else leaves it alone for p_seconds, or until it is there. This only
-- saves work: who publishes is decided by crl_publish.
CREATE FUNCTION crl_take(p_authority uuid, p_number bigint, p_seconds int) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = scep, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
  v_ok boolean;
BEGIN
  UPDATE authority a SET busy_until = clock_timestamp() + make_interval(secs => p_seconds)
   WHERE a.authority_id = p_authority AND a.crl_number = p_number AND (a.busy_until IS NULL OR a.busy_until < clock_timestamp())
  RETURNING true INTO v_ok;
  RETURN coalesce(v_ok, false);
END
$$;

-- What the next CRL has to say, its number, and the last one's; one row without certificate when there is nothing. An entry leaves when a CRL
-- has had it that was made after the certificate expired (RFC 5280, 3.3). Numbers are seconds since 1970 where that goes up: a database that was
-- restored from yesterday's backup does not know which numbers are in the world already.
CREATE FUNCTION crl_entries(p_authority uuid)
RETURNS TABLE (number bigint, after bigint, at timestamptz, cert_id uuid, revoked_at timestamptz, reason int, invalid_since timestamptz, fresh boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = scep, pg_temp AS $$
DECLARE
  v_last timestamptz;
BEGIN
  SELECT l.this_update INTO v_last FROM authority a JOIN crl l ON l.authority_id = a.authority_id AND l.number = a.crl_number
   WHERE a.authority_id = p_authority;
  RETURN QUERY
  SELECT greatest(a.crl_number + 1, floor(extract(epoch FROM now()))::bigint), a.crl_number, now(), v.cert_id, v.revoked_at, v.reason::int, v.invalid_since, v.listed_by IS NULL
    FROM authority a LEFT JOIN revocation v
      ON v.authority_id = a.authority_id AND v.revoked_at <= now() AND (v.listed_by IS NULL OR v.not_after >= coalesce(v_last, '-infinity'))
   WHERE a.authority_id = p_authority
   ORDER BY v.cert_id;
END
$$;

-- The only one to publish after p_after wins; false: somebody else did. p_fresh: the ids of the entries that no CRL had before.
CREATE FUNCTION crl_publish(p_authority uuid, p_number bigint, p_after bigint, p_this timestamptz, p_next timestamptz, p_n int, p_fresh bytea, p_der bytea,
  p_actor text, p_audit uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = scep, pg_temp SET lock_timeout = '3s' AS $$
BEGIN
  UPDATE authority a SET crl_number = p_number, busy_until = NULL
   WHERE a.authority_id = p_authority AND a.crl_number = p_after AND p_number > p_after;
  IF NOT FOUND THEN	-- ours all the same, when this call was made before and its answer was lost
    RETURN EXISTS (SELECT FROM crl l WHERE l.authority_id = p_authority AND l.number = p_number AND l.der = p_der);
  END IF;
  INSERT INTO crl (authority_id, number, this_update, next_update, n_entries, der)
  VALUES (p_authority, p_number, p_this, p_next, p_n, p_der);
  UPDATE revocation v SET listed_by = p_number
    FROM (SELECT encode(substring(p_fresh FROM 16 * g + 1 FOR 16), 'hex')::uuid AS cert_id
            FROM generate_series(0, octet_length(p_fresh) / 16 - 1) g) f
   WHERE v.cert_id = f.cert_id AND v.listed_by IS NULL;
  DELETE FROM crl l WHERE l.authority_id = p_authority AND l.number <=
    (SELECT k.number FROM crl k WHERE k.authority_id = p_authority ORDER BY k.number DESC OFFSET 10 LIMIT 1);
  INSERT INTO audit (audit_id, kind, actor, detail)
  VALUES (p_audit, 'crl', p_actor, format('CRL %s with %s entries, %s of them new', p_number, p_n, octet_length(p_fresh) / 16));
  RETURN true;
END
$$;

GRANT EXECUTE ON FUNCTION lookup, crl_check, crl_take, crl_entries, crl_publish TO scep_responder;
GRANT EXECUTE ON FUNCTION cert_revoke, crl_check TO scep_admin;
