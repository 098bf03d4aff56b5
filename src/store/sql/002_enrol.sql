-- min_reader: 2
-- What the responder calls: one function for each step, one round trip each. Verdicts are those of enum store_verdict: 0 go on, 1 issued,
-- 2 pending, 3 rejected, 4 another request is pending, 5 challenge refused, 7 approved, 10 nonce used, 11 its holder's limit; the others are
-- exceptions.
SET LOCAL search_path = scep, pg_temp;

-- 'dns:a.example' as 'dns', 'a.example', and so each.
CREATE FUNCTION bound_names(p_sans text[]) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = scep, pg_temp AS $$
BEGIN
  RETURN (SELECT array_agg(v.x ORDER BY s.i, v.k) FROM unnest(p_sans) WITH ORDINALITY s(san, i),
            LATERAL (VALUES (1, split_part(s.san, ':', 1)), (2, substr(s.san, strpos(s.san, ':') + 1))) v(k, x));
END
$$;

-- Why a challenge does not authorise this request; NULL: it does, and o_vals is what templates have of it: its public id, what it is bound to (a name
-- under its kind), and what it carries besides.
CREATE FUNCTION challenge_check(p_chal uuid, p_profile text, p_subject text, p_device text, p_sans text[], OUT o_reason text, OUT o_vals text[])
LANGUAGE plpgsql STABLE SET search_path = scep, pg_temp AS $$
DECLARE
  c challenge;
BEGIN
  SELECT * INTO c FROM challenge WHERE chal_h = p_chal;
  o_reason := CASE
    WHEN c.chal_h IS NULL THEN 'the challenge is unknown'
    WHEN c.revoked_at IS NOT NULL THEN format('challenge %s was revoked at %s', c.id, date_trunc('second', c.revoked_at))
    WHEN c.uses_left = 0 THEN format('challenge %s is used up, last at %s', c.id, date_trunc('second', c.consumed_at))
    WHEN c.expires_at <= now() THEN format('challenge %s expired at %s', c.id, date_trunc('second', c.expires_at))
    WHEN c.profile <> p_profile THEN format('challenge %s is bound to profile ''%s'', not ''%s''', c.id, c.profile, p_profile)
    WHEN c.subject IS DISTINCT FROM p_subject AND c.subject IS NOT NULL THEN
      format('challenge %s is bound to subject ''%s'', not ''%s''', c.id, c.subject, p_subject)
    WHEN c.device IS DISTINCT FROM p_device AND c.device IS NOT NULL THEN
      format('challenge %s is bound to device ''%s'', not ''%s''', c.id, c.device, p_device)
    WHEN NOT p_sans <@ c.sans THEN
      format('challenge %s is bound to the names ''%s'', and the request asks for ''%s''', c.id, array_to_string(c.sans, ', '),
        (SELECT string_agg(s, ', ') FROM unnest(p_sans) s WHERE s <> ALL (c.sans)))
  END;
  IF o_reason IS NULL THEN
    o_vals := ARRAY['id', c.id] || CASE WHEN c.device IS NOT NULL THEN ARRAY['device', c.device] END || bound_names(c.sans) || c.vals;
  END IF;
END
$$;

-- How many nonces a holder has used within so many seconds.
CREATE FUNCTION holder_count(p_holder uuid, p_window int) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = scep, pg_temp AS $$
BEGIN
  RETURN (SELECT count(*) FROM holder h, unnest(h.used_at) t
           WHERE h.holder_h = p_holder AND t > clock_timestamp() - make_interval(secs => p_window));
END
$$;

CREATE FUNCTION replay_text(p_nonce uuid) RETURNS text LANGUAGE plpgsql STABLE SET search_path = scep, pg_temp AS $$
BEGIN
  RETURN (SELECT format('the signed challenge was used at %s', date_trunc('second', n.used_at)) FROM nonce n WHERE n.nonce_h = p_nonce);
END
$$;

CREATE FUNCTION holder_text(p_most int, p_window int) RETURNS text LANGUAGE sql IMMUTABLE SET search_path = scep, pg_temp AS $$
  SELECT format('the device has used %s signed challenges within %s s, which is its limit', p_most, p_window)
$$;

-- A certificate that was superseded may be revoked from a later time on.
CREATE FUNCTION revoked(p_cert_id uuid) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = scep, pg_temp AS $$
BEGIN
  RETURN EXISTS (SELECT FROM revocation v WHERE v.cert_id = p_cert_id AND v.revoked_at <= now());
END
$$;

-- Before the CA's key does any work. Reads only. p_old: the serial number of the certificate that signed the request, when it may be one of
-- ours; what is known of it comes back.
CREATE FUNCTION admit(p_profile text, p_txid_h uuid, p_req_h uuid, p_chal uuid, p_subject text, p_device text, p_sans text[],
  p_nonce uuid, p_holder uuid, p_holder_most int, p_holder_window int, p_old uuid,
  OUT o_verdict int, OUT o_der bytea, OUT o_reason text, OUT o_old_der bytea, OUT o_old_profile text, OUT o_old_revoked boolean,
  OUT o_sealed bytea, OUT o_vals text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = scep, pg_temp AS $$
DECLARE
  v_state smallint;
  v_cert  uuid;
BEGIN
  SELECT r.state, r.cert_id, r.reason, CASE WHEN r.state = 1 THEN r.sealed END INTO v_state, v_cert, o_reason, o_sealed FROM request r
   WHERE r.txid_h = p_txid_h AND r.req_h = p_req_h AND r.profile = p_profile AND (r.state = 2 OR r.expires_at > now());
  IF v_state = 2 THEN
    SELECT c.der INTO STRICT o_der FROM cert c WHERE c.cert_id = v_cert;
    o_verdict := 1;
  ELSIF v_state = 0 THEN
    o_verdict := 2;
  ELSIF v_state = 1 THEN	-- may be signed now; what its challenge allowed was settled when it was queued
    o_verdict := 7;
  ELSIF v_state = 3 THEN
    o_verdict := 3;
  ELSIF EXISTS (SELECT FROM request r
      WHERE r.txid_h = p_txid_h AND r.profile = p_profile AND r.state IN (0, 1) AND r.expires_at > now()) THEN
    o_verdict := 4;
  ELSE
    o_verdict := 0;
    IF p_chal IS NOT NULL THEN
      SELECT k.o_reason, k.o_vals INTO o_reason, o_vals FROM challenge_check(p_chal, p_profile, p_subject, p_device, p_sans) k;
      o_verdict := CASE WHEN o_reason IS NULL THEN 0 ELSE 5 END;
    END IF;
    IF o_verdict = 0 AND p_nonce IS NOT NULL THEN
      o_reason := replay_text(p_nonce);
      IF o_reason IS NOT NULL THEN
        o_verdict := 10;
      ELSIF p_holder IS NOT NULL AND p_holder_window > 0 AND holder_count(p_holder, p_holder_window) >= p_holder_most THEN
        o_reason := holder_text(p_holder_most, p_holder_window);
        o_verdict := 11;
      END IF;
    END IF;
  END IF;
  IF p_old IS NOT NULL AND o_verdict IN (0, 5, 7, 10, 11) THEN
    SELECT c.der, c.profile INTO o_old_der, o_old_profile FROM cert c WHERE c.cert_id = p_old;
    o_old_revoked := revoked(p_old);
  END IF;
END
$$;

-- Consumes a challenge, if there is one, or raises SC001. The conditions are on the row itself, so that of two at once the second sees what the
-- first left of it.
CREATE FUNCTION challenge_spend(p_chal uuid, p_profile text, p_subject text, p_device text, p_sans text[], p_cert_id uuid) RETURNS void
LANGUAGE plpgsql SET search_path = scep, pg_temp AS $$
DECLARE
  v_ok boolean;
BEGIN
  IF p_chal IS NULL THEN
    RETURN;
  END IF;
  UPDATE challenge c SET uses_left = c.uses_left - 1, consumed_at = now(), consumed_by = p_cert_id
   WHERE c.chal_h = p_chal AND c.uses_left > 0 AND c.expires_at > now() AND c.revoked_at IS NULL
     AND (c.profile IS NULL OR c.profile = p_profile) AND (c.subject IS NULL OR c.subject = p_subject)
     AND (c.device IS NULL OR c.device = p_device) AND (c.sans IS NULL OR p_sans IS NULL OR p_sans <@ c.sans)
  RETURNING true INTO v_ok;
  IF v_ok IS NULL THEN
    RAISE EXCEPTION '%', coalesce((SELECT k.o_reason FROM challenge_check(p_chal, p_profile, p_subject, p_device, p_sans) k),
      'the challenge changed meanwhile') USING ERRCODE = 'SC001';
  END IF;
END
$$;

-- Uses up a nonce, if there is one, and counts it for its holder; or raises SC006, SC007. Whoever uses the same one at the same time waits here
-- until we have committed; so do two that have the same holder.
CREATE FUNCTION nonce_spend(p_nonce uuid, p_until timestamptz, p_holder uuid, p_most int, p_window int) RETURNS void
LANGUAGE plpgsql SET search_path = scep, pg_temp AS $$
DECLARE
  v_ok    boolean;
  v_now   timestamptz := clock_timestamp();
  v_since timestamptz;
BEGIN
  IF p_nonce IS NULL THEN
    RETURN;
  END IF;
  INSERT INTO nonce (nonce_h, expires_at) VALUES (p_nonce, coalesce(p_until, 'infinity')) ON CONFLICT DO NOTHING RETURNING true INTO v_ok;
  IF v_ok IS NULL THEN
    RAISE EXCEPTION '%', coalesce(replay_text(p_nonce), 'the signed challenge was used at the same time') USING ERRCODE = 'SC006';
  END IF;
  IF p_holder IS NULL OR p_window <= 0 THEN
    RETURN;
  END IF;
  v_since := v_now - make_interval(secs => p_window);
  v_ok := NULL;
  INSERT INTO holder AS h (holder_h, used_at, expires_at) VALUES (p_holder, ARRAY[v_now], v_now + make_interval(secs => p_window))
  ON CONFLICT (holder_h) DO UPDATE
    SET used_at = ARRAY(SELECT t FROM unnest(h.used_at) t WHERE t > v_since) || v_now, expires_at = excluded.expires_at
    WHERE (SELECT count(*) FROM unnest(h.used_at) t WHERE t > v_since) < p_most
  RETURNING true INTO v_ok;
  IF v_ok IS NULL THEN
    RAISE EXCEPTION '%', holder_text(p_most, p_window) USING ERRCODE = 'SC007';
  END IF;
END
$$;

-- Holds a device to p_most valid certificates, the new one among them; the caller has locked its row, so the count holds until it commits. One
-- that is to be revoked later, and the one that is renewed, do not count. Too many: SC008, or the oldest are superseded, and o_revoked names
-- them.
CREATE FUNCTION device_room(p_device_h uuid, p_profile text, p_device text, p_certs uuid[], p_new uuid, p_old uuid, p_most int,
  p_revoke boolean, OUT o_revoked text)
LANGUAGE plpgsql SET search_path = scep, pg_temp AS $$
DECLARE
  v_active uuid[];
  v_others uuid[];
BEGIN
  SELECT coalesce(array_agg(c.cert_id ORDER BY c.cert_id), '{}') INTO v_active FROM cert c
   WHERE c.cert_id = ANY (p_certs) AND c.not_after > now() AND NOT EXISTS (SELECT FROM revocation v WHERE v.cert_id = c.cert_id);
  UPDATE device d SET certs = v_active || p_new WHERE d.device_h = p_device_h AND d.profile = p_profile;
  v_others := CASE WHEN p_old IS NULL THEN v_active ELSE array_remove(v_active, p_old) END;
  IF cardinality(v_others) < p_most THEN
    RETURN;
  ELSIF NOT p_revoke THEN
    RAISE EXCEPTION 'device ''%'' has % valid certificate(s)%, and max_active is %: revoke one, or wait until one expires', p_device,
      cardinality(v_others), CASE WHEN p_old IS NOT NULL THEN ' besides the one to be renewed' ELSE '' END, p_most USING ERRCODE = 'SC008';
  END IF;
  v_others := v_others[:cardinality(v_others) - p_most + 1];
  INSERT INTO revocation (cert_id, reason, actor) SELECT c, 4, 'max_active' FROM unnest(v_others) c	-- 4: superseded
  ON CONFLICT (cert_id) DO NOTHING;
  o_revoked := replace(array_to_string(v_others, ', '), '-', '');
END
$$;

-- After signing: all of it or nothing. Who inserts the request's row first wins; the others wait for that transaction to end and get its
-- certificate. o_cert_id tells a caller that repeats a call with lost outcome whether the stored certificate is its own.
-- p_cert_subject: where it is another than the requested one.
-- p_old: the certificate that this one renews, revoked p_revoke_after seconds from now (NULL: never). p_max_active: 0 for any number.
-- Locks are always taken in this order: request, challenge, nonce, holder, device, revocation.
-- Exceptions (they undo everything): SC001 challenge refused, SC002 another request is pending, SC003 clock, SC004 p_old is revoked,
-- SC006 nonce used, SC007 its holder's limit, SC008 too many valid certificates.
CREATE FUNCTION issue(p_profile text, p_txid_h uuid, p_req_h uuid, p_chal uuid, p_subject text, p_device text, p_names text[],
  p_nonce uuid, p_holder uuid, p_holder_most int, p_holder_window int, p_nonce_until timestamptz,
  p_signer_h uuid, p_device_h uuid, p_txid text, p_cert_id uuid, p_issuer uuid, p_not_before timestamptz, p_not_after timestamptz,
  p_spki bytea, p_cert_subject text, p_sans text, p_requester text, p_der bytea, p_old uuid, p_revoke_after int, p_max_active int, p_revoke_oldest boolean,
  OUT o_verdict int, OUT o_cert_id uuid, OUT o_der bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = scep, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
  v_ok       boolean;
  v_state    smallint;
  v_expired  boolean;
  v_approved boolean := false;
  v_certs    uuid[];
  v_revoked  text;
BEGIN
  -- Rows from the future would stand in the way of their year's partition later.
  IF p_cert_id > id_floor(now() + interval '1 day') THEN
    RAISE EXCEPTION 'the clock of the calling host is more than a day ahead of the database server''s' USING ERRCODE = 'SC003';
  END IF;

  INSERT INTO request (txid_h, req_h, signer_h, cert_id, state, profile, txid, subject)
  VALUES (p_txid_h, p_req_h, p_signer_h, p_cert_id, 2, p_profile, p_txid, p_subject)
  ON CONFLICT (txid_h, req_h, profile) DO NOTHING RETURNING true INTO v_ok;
  IF v_ok IS NULL THEN		-- it is there already; this statement sees it. The row lock makes us wait for a standby like its writer.
    SELECT r.state, r.cert_id, r.expires_at <= now() INTO v_state, o_cert_id, v_expired FROM request r
     WHERE r.txid_h = p_txid_h AND r.req_h = p_req_h AND r.profile = p_profile FOR UPDATE;
    IF v_state IS NULL THEN
      RAISE EXCEPTION 'the request was purged meanwhile' USING ERRCODE = 'serialization_failure';
    ELSIF v_state = 2 THEN
      SELECT c.der INTO STRICT o_der FROM cert c WHERE c.cert_id = o_cert_id;
      o_verdict := 1;
      RETURN;
    ELSIF v_state IN (0, 3) AND NOT v_expired THEN
      o_verdict := CASE v_state WHEN 0 THEN 2 ELSE 3 END;
      RETURN;
    END IF;
    v_approved := v_state = 1 AND NOT v_expired;
    UPDATE request r SET state = 2, cert_id = p_cert_id, signer_h = p_signer_h, updated_at = now(), expires_at = DEFAULT,
           sealed = CASE WHEN r.key NOT LIKE 'RSA %' THEN r.sealed END
     WHERE r.txid_h = p_txid_h AND r.req_h = p_req_h AND r.profile = p_profile;
  END IF;

  IF NOT v_approved THEN
    IF EXISTS (SELECT FROM request r
        WHERE r.txid_h = p_txid_h AND r.profile = p_profile AND r.state IN (0, 1) AND r.expires_at > now()) THEN
      RAISE EXCEPTION 'another request is pending under this transaction id' USING ERRCODE = 'SC002';
    END IF;
    PERFORM challenge_spend(p_chal, p_profile, p_subject, p_device, p_names, p_cert_id);
    PERFORM nonce_spend(p_nonce, p_nonce_until, p_holder, p_holder_most, p_holder_window);
  END IF;

  IF p_device_h IS NOT NULL THEN
    INSERT INTO device AS d (device_h, profile, certs) VALUES (p_device_h, p_profile, ARRAY[p_cert_id])
    ON CONFLICT (device_h, profile) DO UPDATE
      SET n_issued = d.n_issued + 1, last_at = now(), certs = d.certs[greatest(1, cardinality(d.certs) - greatest(62, p_max_active)):] || p_cert_id
    RETURNING d.certs INTO v_certs;
    IF p_max_active > 0 THEN
      v_revoked := device_room(p_device_h, p_profile, p_device, v_certs, p_cert_id, p_old, p_max_active, p_revoke_oldest);
    END IF;
  END IF;
  IF p_old IS NOT NULL THEN
    IF revoked(p_old) THEN
      RAISE EXCEPTION 'the certificate to be renewed was revoked meanwhile' USING ERRCODE = 'SC004';
    END IF;
    IF p_revoke_after IS NOT NULL THEN
      INSERT INTO revocation (cert_id, revoked_at, reason, actor)	-- 4: superseded (RFC 5280, 5.3.1)
      SELECT c.cert_id, now() + make_interval(secs => p_revoke_after), 4, 'renewal' FROM cert c
       WHERE c.cert_id = p_old	-- no row: another product issued it
      ON CONFLICT (cert_id) DO NOTHING;
    END IF;
  END IF;
  INSERT INTO cert (cert_id, not_before, not_after, issuer_id, spki_sha256, profile, txid, device, requester, subject, sans, der)
  VALUES (p_cert_id, p_not_before, p_not_after, p_issuer, p_spki, p_profile, p_txid, p_device, p_requester, coalesce(p_cert_subject, p_subject), p_sans, p_der);
  INSERT INTO audit (audit_id, cert_id, kind, profile, actor, txid, detail)
  VALUES (p_cert_id, p_cert_id, 'issue', p_profile, p_requester, p_txid, concat_ws(', superseded by max_active: ', coalesce(p_cert_subject, p_subject), v_revoked));
  o_verdict := 0;
  o_cert_id := p_cert_id;
END
$$;

-- CertPoll (RFC 8894, 4.4): the newest request of a transaction by this key.
CREATE FUNCTION poll(p_profile text, p_txid_h uuid, p_signer_h uuid,
  OUT o_verdict int, OUT o_der bytea, OUT o_reason text, OUT o_subject text, OUT o_sealed bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = scep, pg_temp AS $$
DECLARE
  v_state smallint;
  v_cert  uuid;
BEGIN
  SELECT r.state, r.cert_id, r.reason, r.subject, CASE WHEN r.state IN (1, 2) THEN r.sealed END
    INTO v_state, v_cert, o_reason, o_subject, o_sealed FROM request r
   WHERE r.txid_h = p_txid_h AND r.profile = p_profile AND r.signer_h = p_signer_h AND r.expires_at > now()
   ORDER BY r.created_at DESC LIMIT 1;
  o_verdict := CASE v_state WHEN 0 THEN 2 WHEN 1 THEN 7 WHEN 2 THEN 1 WHEN 3 THEN 3 ELSE 0 END;
  IF v_state = 2 THEN
    SELECT c.der INTO STRICT o_der FROM cert c WHERE c.cert_id = v_cert;
  END IF;
END
$$;

CREATE FUNCTION issuer_add(p_issuer uuid, p_authority uuid, p_der bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = scep, pg_temp AS $$
BEGIN
  IF uuid_send(p_issuer) <> substring(sha256(p_der) FOR 16) THEN
    RAISE EXCEPTION 'issuer id and certificate do not belong together' USING ERRCODE = 'data_exception';
  END IF;
  INSERT INTO authority (authority_id) VALUES (p_authority) ON CONFLICT (authority_id) DO NOTHING;
  INSERT INTO issuer (issuer_id, authority_id, der) VALUES (p_issuer, p_authority, p_der) ON CONFLICT (issuer_id) DO NOTHING;
END
$$;

-- The caller chooses the id: repeating a call with lost outcome adds nothing.
CREATE FUNCTION audit_add(p_id uuid, p_kind text, p_profile text, p_reason text, p_actor text, p_txid text, p_detail text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = scep, pg_temp AS $$
BEGIN
  INSERT INTO audit (audit_id, kind, profile, reason, actor, txid, detail)
  VALUES (p_id, p_kind, p_profile, p_reason, p_actor, p_txid, p_detail) ON CONFLICT (audit_id) DO NOTHING;
END
$$;

-- Housekeeping, to be called now and then by any process: removes at most p_limit rows of each kind, makes partitions. Returns the number
-- of rows removed: when it is p_limit or more, there may be more to do.
CREATE FUNCTION maintain(p_limit int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = scep, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
  v_n   int := 0;
  v_all int := 0;
BEGIN
  DELETE FROM request WHERE (txid_h, req_h, profile) IN
    (SELECT r.txid_h, r.req_h, r.profile FROM request r WHERE r.expires_at < now() LIMIT p_limit FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS v_n = ROW_COUNT;
  v_all := v_all + v_n;
  DELETE FROM challenge WHERE chal_h IN
    (SELECT c.chal_h FROM challenge c WHERE c.expires_at < now() - interval '30 days' LIMIT p_limit FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS v_n = ROW_COUNT;
  v_all := v_all + v_n;
  DELETE FROM nonce WHERE nonce_h IN
    (SELECT n.nonce_h FROM nonce n WHERE n.expires_at < now() - interval '1 hour' LIMIT p_limit FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS v_n = ROW_COUNT;
  v_all := v_all + v_n;
  DELETE FROM holder WHERE holder_h IN
    (SELECT h.holder_h FROM holder h WHERE h.expires_at < now() LIMIT p_limit FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS v_n = ROW_COUNT;
  v_all := v_all + v_n;
  v_all := v_all + rate_purge(p_limit);
  PERFORM make_partitions();
  RETURN v_all;
END
$$;

GRANT EXECUTE ON FUNCTION admit, issue, poll, issuer_add, audit_add, maintain TO scep_responder;
GRANT EXECUTE ON FUNCTION audit_add TO scep_admin;
