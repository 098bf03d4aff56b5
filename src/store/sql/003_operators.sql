-- min_reader: 3
-- What operators' commands call.
SET LOCAL search_path = scep, pg_temp;

-- 0 stored (also when the very same call was made before), 1 this challenge exists already, 2 the id is taken: choose another.
CREATE FUNCTION challenge_add(p_chal uuid, p_id text, p_created timestamptz, p_expires timestamptz, p_uses int, p_profile text, p_subject text, p_device text,
  p_actor text, p_audit uuid, p_sans text[], p_vals text[]) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = scep, pg_temp AS $$
DECLARE
  v_ok boolean;
BEGIN
  INSERT INTO challenge (chal_h, id, created_at, expires_at, uses_left, profile, subject, device, sans, vals, created_by)
  VALUES (p_chal, p_id, coalesce(p_created, now()), p_expires, p_uses, p_profile, p_subject, p_device, p_sans, p_vals, p_actor)
  ON CONFLICT DO NOTHING RETURNING true INTO v_ok;
  IF v_ok IS NULL THEN
    RETURN CASE
      WHEN EXISTS (SELECT FROM challenge c WHERE c.chal_h = p_chal AND c.id = p_id) THEN 0
      WHEN EXISTS (SELECT FROM challenge c WHERE c.chal_h = p_chal) THEN 1
      ELSE 2 END;
  END IF;
  INSERT INTO audit (audit_id, kind, profile, actor, detail)
  VALUES (p_audit, 'challenge.new', p_profile, p_actor, concat_ws(', ', 'challenge ' || p_id, p_uses || ' use(s)',
    'until ' || date_trunc('second', p_expires), 'subject ' || p_subject, 'device ' || p_device, 'names ' || array_to_string(p_sans, ' ')));
  RETURN 0;
END
$$;

-- False: there is none. Revoking twice is revoking once.
CREATE FUNCTION challenge_revoke(p_id text, p_actor text, p_audit uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = scep, pg_temp AS $$
DECLARE
  v_profile text;
  v_ok      boolean;
BEGIN
  UPDATE challenge c SET revoked_at = now() WHERE c.id = p_id AND c.revoked_at IS NULL RETURNING c.profile, true INTO v_profile, v_ok;
  IF v_ok IS NULL THEN
    RETURN EXISTS (SELECT FROM challenge c WHERE c.id = p_id);
  END IF;
  INSERT INTO audit (audit_id, kind, profile, actor, detail)
  VALUES (p_audit, 'challenge.revoke', v_profile, p_actor, 'challenge ' || p_id);
  RETURN true;
END
$$;

CREATE FUNCTION challenge_list(p_profile text, p_all boolean)
RETURNS TABLE (id text, profile text, subject text, device text, created_by text, created_at timestamptz, expires_at timestamptz,
  consumed_at timestamptz, uses_left int, revoked boolean, sans text[], vals text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = scep, pg_temp AS $$
  SELECT c.id, c.profile, c.subject, c.device, c.created_by, c.created_at, c.expires_at, c.consumed_at, c.uses_left,
         c.revoked_at IS NOT NULL, c.sans, c.vals
    FROM challenge c
   WHERE (p_profile IS NULL OR c.profile IS NULL OR c.profile = p_profile)
     AND (p_all OR (c.uses_left > 0 AND c.revoked_at IS NULL AND c.expires_at > now()))
   ORDER BY c.created_at, c.id
$$;

-- Newest first. p_like: a LIKE pattern if it has a '%', else a part of the subject; case does not matter. A device is looked for only
-- between the first and the last certificate it got.
CREATE FUNCTION cert_list(p_profile text, p_like text, p_device_h uuid, p_device text, p_expires timestamptz, p_limit int)
RETURNS TABLE (cert_id uuid, profile text, subject text, sans text, device text, txid text, requester text, fingerprint bytea,
  issued_at timestamptz, not_before timestamptz, not_after timestamptz, revoked boolean, revoked_at timestamptz,
  reason int, der bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = scep, pg_temp AS $$
DECLARE
  v_from    uuid := id_floor('2020-01-01');
  v_to      uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  v_pattern text := CASE WHEN strpos(p_like, '%') > 0 THEN p_like ELSE '%' || p_like || '%' END;
BEGIN
  IF p_device IS NOT NULL THEN
    SELECT id_floor(min(d.first_at) - interval '1 day'), id_floor(max(d.last_at) + interval '2 days') INTO v_from, v_to
      FROM device d WHERE d.device_h = p_device_h AND (p_profile IS NULL OR d.profile = p_profile);
  END IF;
  RETURN QUERY
  SELECT c.cert_id, c.profile, c.subject, c.sans, c.device, c.txid, c.requester, sha256(c.der), c.issued_at, c.not_before, c.not_after,
         revoked(c.cert_id), v.revoked_at, v.reason::int, ''::bytea
    FROM cert c LEFT JOIN revocation v ON v.cert_id = c.cert_id
   WHERE c.cert_id BETWEEN v_from AND v_to
     AND (p_profile IS NULL OR c.profile = p_profile) AND (p_like IS NULL OR c.subject ILIKE v_pattern)
     AND (p_device IS NULL OR c.device = p_device) AND (p_expires IS NULL OR c.not_after < p_expires)
   ORDER BY c.cert_id DESC LIMIT p_limit;
END
$$;

CREATE FUNCTION cert_get(p_cert_id uuid)
RETURNS TABLE (cert_id uuid, profile text, subject text, sans text, device text, txid text, requester text, fingerprint bytea,
  issued_at timestamptz, not_before timestamptz, not_after timestamptz, revoked boolean, revoked_at timestamptz,
  reason int, der bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = scep, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT c.cert_id, c.profile, c.subject, c.sans, c.device, c.txid, c.requester, sha256(c.der), c.issued_at, c.not_before, c.not_after,
         revoked(c.cert_id), v.revoked_at, v.reason::int, c.der
    FROM cert c LEFT JOIN revocation v ON v.cert_id = c.cert_id WHERE c.cert_id = p_cert_id;
END
$$;

-- Exact while tables are small, the planner's estimate afterwards.
CREATE FUNCTION stats(OUT n_certs bigint, OUT n_challenges bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = scep, pg_temp AS $$
BEGIN
  SELECT count(*) INTO n_certs FROM (SELECT FROM cert LIMIT 100000) c;
  IF n_certs = 100000 THEN
    SELECT greatest(n_certs, sum(k.reltuples)::bigint) INTO n_certs
      FROM pg_catalog.pg_partition_tree('cert') t JOIN pg_catalog.pg_class k ON k.oid = t.relid WHERE t.isleaf;
  END IF;
  SELECT count(*) INTO n_challenges FROM challenge c WHERE c.uses_left > 0 AND c.revoked_at IS NULL AND c.expires_at > now();
END
$$;

GRANT EXECUTE ON FUNCTION stats TO scep_responder, scep_admin;
GRANT EXECUTE ON FUNCTION challenge_add, challenge_revoke, challenge_list, cert_list, cert_get TO scep_admin;
