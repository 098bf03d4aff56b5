-- min_reader: 4
-- Requests that wait for an operator.
SET LOCAL search_path = scep, pg_temp;

-- Queues a request, once: o_verdict as for admit. The challenge is consumed here. Exceptions: SC001 challenge refused, SC002 another request
-- is pending, SC005 the queue is full, SC006 nonce used, SC007 its holder's limit.
CREATE FUNCTION pend(p_profile text, p_txid_h uuid, p_req_h uuid, p_chal uuid, p_subject text, p_device text, p_names text[],
  p_nonce uuid, p_holder uuid, p_holder_most int, p_holder_window int, p_nonce_until timestamptz, p_signer_h uuid, p_txid text, p_id text,
  p_approvals int, p_keep int, p_most int, p_sans text, p_key text, p_requester text, p_sealed bytea, p_audit uuid,
  OUT o_verdict int, OUT o_der bytea, OUT o_reason text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = scep, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
  v_ok boolean;
BEGIN
  DELETE FROM request r WHERE r.txid_h = p_txid_h AND r.profile = p_profile AND r.state <> 2 AND r.expires_at <= now();
  INSERT INTO request (txid_h, req_h, signer_h, state, profile, txid, subject, expires_at, id, approvals, sans, key, device, requester, sealed)
  VALUES (p_txid_h, p_req_h, p_signer_h, 0, p_profile, p_txid, p_subject, now() + make_interval(secs => p_keep), p_id, p_approvals, p_sans,
    p_key, p_device, p_requester, p_sealed)
  ON CONFLICT DO NOTHING RETURNING true INTO v_ok;
  IF v_ok IS NULL THEN
    SELECT a.o_verdict, a.o_der, a.o_reason INTO o_verdict, o_der, o_reason
      FROM admit(p_profile, p_txid_h, p_req_h, NULL, p_subject, p_device, NULL, NULL, NULL, 0, 0, NULL) a;
    IF o_verdict IN (0, 4) THEN
      RAISE EXCEPTION 'another request is pending under this transaction id' USING ERRCODE = 'SC002';
    END IF;
    RETURN;
  END IF;
  IF (SELECT count(*) FROM (SELECT FROM request r WHERE r.profile = p_profile AND r.state = 0 AND r.expires_at > now() LIMIT p_most + 1) q) > p_most THEN
    RAISE EXCEPTION '% requests wait for approval in profile %: approve or reject some', p_most, p_profile USING ERRCODE = 'SC005';
  END IF;
  PERFORM challenge_spend(p_chal, p_profile, p_subject, p_device, p_names, NULL);
  PERFORM nonce_spend(p_nonce, p_nonce_until, p_holder, p_holder_most, p_holder_window);
  INSERT INTO audit (audit_id, kind, profile, actor, txid, detail)
  VALUES (p_audit, 'pend', p_profile, p_requester, p_txid, format('request %s: %s', p_id, p_subject));
  o_verdict := 2;
END
$$;

-- What operators see. p_all: also those that are decided, while they are kept.
CREATE FUNCTION request_list(p_profile text, p_id text, p_all boolean)
RETURNS TABLE (id text, profile text, state int, subject text, sans text, key text, device text, txid text, requester text, reason text,
  created_at timestamptz, expires_at timestamptz, approvals int, approved_by text, cert_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = scep, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT r.id, r.profile, CASE WHEN r.state < 2 AND r.expires_at <= now() THEN 4 ELSE r.state::int END, r.subject, r.sans, r.key, r.device,
         r.txid, r.requester, r.reason, r.created_at, r.expires_at, r.approvals::int,
         (SELECT string_agg(a.actor, ', ' ORDER BY a.at) FROM approval a WHERE a.id = r.id), r.cert_id
    FROM request r
   WHERE r.id IS NOT NULL AND (p_profile IS NULL OR r.profile = p_profile) AND (p_id IS NULL OR r.id = p_id)
     AND (p_all OR p_id IS NOT NULL OR (r.state IN (0, 1) AND r.expires_at > now()))
   ORDER BY r.created_at, r.id;
END
$$;

-- One person's decision. 0 it is final now, 1 more people have to approve, 2 there is no such request, 3 it is decided already or expired,
-- 4 this person approved it before.
CREATE FUNCTION request_decide(p_id text, p_approve boolean, p_actor text, p_reason text, p_audit uuid) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = scep, pg_temp AS $$
DECLARE
  r    request;
  v_ok boolean;
  v_n  int;
BEGIN
  SELECT * INTO r FROM request q WHERE q.id = p_id FOR UPDATE;
  IF r.id IS NULL THEN
    RETURN 2;
  ELSIF r.state <> 0 OR r.expires_at <= now() THEN
    RETURN 3;
  END IF;
  IF p_approve THEN
    INSERT INTO approval (id, actor) VALUES (p_id, p_actor) ON CONFLICT DO NOTHING RETURNING true INTO v_ok;
    IF v_ok IS NULL THEN
      RETURN 4;
    END IF;
  END IF;
  INSERT INTO audit (audit_id, kind, profile, reason, actor, txid, detail)
  VALUES (p_audit, CASE WHEN p_approve THEN 'approve' ELSE 'reject' END, r.profile, '', p_actor, r.txid,
    concat_ws(': ', 'request ' || p_id, r.subject, p_reason));
  SELECT count(*) INTO v_n FROM approval a WHERE a.id = p_id;
  IF p_approve AND v_n < r.approvals THEN
    RETURN 1;
  END IF;
  UPDATE request q SET state = CASE WHEN p_approve THEN 1 ELSE 3 END, reason = p_reason, updated_at = now(),
         sealed = CASE WHEN p_approve THEN q.sealed END, expires_at = now() + interval '30 days'
   WHERE q.id = p_id;
  RETURN 0;
END
$$;

GRANT EXECUTE ON FUNCTION pend TO scep_responder;
GRANT EXECUTE ON FUNCTION request_list, request_decide TO scep_admin;
