-- min_reader: 6
-- Limits of so many in so many seconds, shared by all workers and hosts. What is counted here may be lost: a crash of the server begins anew.
SET LOCAL search_path = scep, pg_temp;

-- Two buckets make a sliding window: this window's count, and the last one's, which fades out as this one goes by.
CREATE UNLOGGED TABLE rate (
  key   uuid    PRIMARY KEY,		-- keyed digest of profile, kind, what is counted, and the window's length
  win   bigint  NOT NULL,		-- number of the window since 1970
  told  bigint  NOT NULL DEFAULT 0,	-- the last window in which somebody was turned away
  secs  int     NOT NULL,
  cur   int     NOT NULL,
  prev  int     NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

-- When a limit of p_most has room for one more, in windows from now, p_part being the part of this one that is over; NULL: now.
-- p_cur counts that one already.
CREATE FUNCTION rate_wait(p_cur int, p_prev int, p_most int, p_part float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN p_cur + p_prev * (1 - p_part) <= p_most + 1e-9 THEN NULL
    WHEN p_cur <= p_most THEN 1 - (p_most - p_cur)::float8 / p_prev - p_part
    ELSE 1 - p_part + greatest(0, 1 - (p_most - 1)::float8 / greatest(1, p_cur - 1))
  END
$$;

-- Counts one more of each, or, when one of them has no room, none of them; then says which (its place in the lists) and for how long, and whether it is the first time in
-- its window. Rows are locked by key, by everybody in the same order, until the caller's transaction ends.
CREATE FUNCTION rate_take(p_keys uuid[], p_most int[], p_secs int[], OUT o_which int, OUT o_retry int, OUT o_first boolean)
LANGUAGE plpgsql SET search_path = scep, pg_temp AS $$
DECLARE
  v_now float8 := extract(epoch FROM clock_timestamp());
BEGIN
  WITH w AS (	-- a neighbour's clock reading may be of the window before; one that is further off was a clock that jumped
    INSERT INTO rate AS r (key, win, secs, cur, prev)
    SELECT u.k, floor(v_now / u.s), u.s, 1, 0 FROM unnest(p_keys, p_secs) u(k, s) ORDER BY u.k
    ON CONFLICT (key) DO UPDATE SET
      prev = CASE excluded.win - r.win WHEN 0 THEN r.prev WHEN -1 THEN r.prev WHEN 1 THEN r.cur ELSE 0 END,
      cur  = CASE WHEN excluded.win - r.win IN (0, -1) THEN r.cur + 1 ELSE 1 END,
      win  = CASE excluded.win - r.win WHEN -1 THEN r.win ELSE excluded.win END
    RETURNING r.key, r.win, r.told, r.secs, r.cur, r.prev)
  SELECT x.which, greatest(1, ceil(x.wait * x.secs))::int, x.told <> x.win INTO o_which, o_retry, o_first
    FROM (SELECT l.which, w.win, w.told, w.secs,
                 rate_wait(w.cur, w.prev, l.most, greatest(0, least(1, v_now / w.secs - w.win))) AS wait
            FROM w JOIN unnest(p_keys, p_most) WITH ORDINALITY l(key, most, which) ON l.key = w.key) x
   WHERE x.wait IS NOT NULL ORDER BY x.wait * x.secs DESC LIMIT 1;
  IF o_which IS NOT NULL THEN
    FOR i IN 1 .. cardinality(p_keys) LOOP
      UPDATE rate r SET cur = r.cur - 1, told = CASE WHEN i = o_which THEN r.win ELSE r.told END WHERE r.key = p_keys[i];
    END LOOP;
  END IF;
END
$$;

-- The same for one more that is not counted (yet). One statement for each key: a join would tempt the planner to read the whole table.
CREATE FUNCTION rate_look(p_keys uuid[], p_most int[], p_secs int[], OUT o_which int, OUT o_retry int, OUT o_first boolean)
LANGUAGE plpgsql SET search_path = scep, pg_temp AS $$
DECLARE
  v_now  float8 := extract(epoch FROM clock_timestamp());
  v_win  bigint;
  v_wait float8;
  v_told boolean;
BEGIN
  FOR i IN 1 .. cardinality(p_keys) LOOP
    v_win := floor(v_now / p_secs[i]);
    SELECT p_secs[i] * rate_wait(CASE WHEN v_win <= r.win THEN r.cur ELSE 0 END + 1,
             CASE v_win - r.win WHEN 0 THEN r.prev WHEN 1 THEN r.cur ELSE 0 END, p_most[i], v_now / p_secs[i] - v_win), r.told <> r.win
      INTO v_wait, v_told FROM rate r WHERE r.key = p_keys[i] AND r.win BETWEEN v_win - 1 AND v_win + 1;
    IF v_wait IS NOT NULL AND (o_retry IS NULL OR ceil(v_wait) > o_retry) THEN
      o_which := i;
      o_retry := greatest(1, ceil(v_wait));
      o_first := v_told;
    END IF;
  END LOOP;
  IF o_first THEN
    o_first := NULL;
    UPDATE rate r SET told = r.win WHERE r.key = p_keys[o_which] AND r.told <> r.win RETURNING true INTO o_first;
    o_first := coalesce(o_first, false);
  END IF;
END
$$;

-- admit within limits: those that count all requests, then, of the rest, those that count what was accepted, and those that count refusals, which
-- are counted by `refuse`. p_refused: the caller has refused the challenge. p_signer: the certificate that signed; a request that it may authorise
-- counts as accepted, unless it is not the one it says it is. Over a limit: o_verdict 9.
CREATE FUNCTION admit_limited(p_profile text, p_txid_h uuid, p_req_h uuid, p_chal uuid, p_subject text, p_device text, p_sans text[],
  p_nonce uuid, p_holder uuid, p_holder_most int, p_holder_window int, p_old uuid,
  p_always int, p_accepted int, p_keys uuid[], p_most int[], p_secs int[], p_refused boolean, p_signer bytea,
  OUT o_verdict int, OUT o_der bytea, OUT o_reason text, OUT o_old_der bytea, OUT o_old_profile text, OUT o_old_revoked boolean,
  OUT o_sealed bytea, OUT o_vals text[], OUT o_which int, OUT o_retry int, OUT o_first boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = scep, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
  v_two int := p_always + p_accepted;
BEGIN
  -- Nothing here has to survive a crash. Without this the commit waits for the disk whenever a read has left a hint in a page with a checksum.
  PERFORM set_config('synchronous_commit', 'off', true);
  IF p_always > 0 THEN
    SELECT t.o_which, t.o_retry, t.o_first INTO o_which, o_retry, o_first
      FROM rate_take(p_keys[:p_always], p_most[:p_always], p_secs[:p_always]) t;
  END IF;
  IF o_retry IS NULL THEN
    SELECT a.* INTO o_verdict, o_der, o_reason, o_old_der, o_old_profile, o_old_revoked, o_sealed, o_vals
      FROM admit(p_profile, p_txid_h, p_req_h, p_chal, p_subject, p_device, p_sans, p_nonce, p_holder, p_holder_most, p_holder_window, p_old) a;
    IF o_verdict IN (0, 5, 10, 11) AND cardinality(p_keys) > v_two THEN
      SELECT v_two + t.o_which, t.o_retry, t.o_first INTO o_which, o_retry, o_first
        FROM rate_look(p_keys[v_two + 1:], p_most[v_two + 1:], p_secs[v_two + 1:]) t;
    END IF;
    IF o_retry IS NULL AND p_accepted > 0 AND o_verdict IN (0, 5, 10, 11)
        AND ((o_verdict = 0 AND NOT p_refused) OR (o_old_der = p_signer AND NOT o_old_revoked)) THEN
      SELECT p_always + t.o_which, t.o_retry, t.o_first INTO o_which, o_retry, o_first
        FROM rate_take(p_keys[p_always + 1:v_two], p_most[p_always + 1:v_two], p_secs[p_always + 1:v_two]) t;
    END IF;
  END IF;
  IF o_retry IS NOT NULL THEN	-- whether the challenge is right stays untold
    o_verdict := 9;
    o_reason := NULL;
    o_vals := NULL;
  END IF;
END
$$;

-- A refusal: its audit row, unless a limit that it counts for has no room for it; then there is none.
CREATE FUNCTION refuse(p_id uuid, p_kind text, p_profile text, p_reason text, p_actor text, p_txid text, p_detail text,
  p_keys uuid[], p_most int[], p_secs int[], OUT o_which int, OUT o_retry int, OUT o_first boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = scep, pg_temp SET lock_timeout = '3s' AS $$
BEGIN
  SELECT t.o_which, t.o_retry, t.o_first INTO o_which, o_retry, o_first FROM rate_take(p_keys, p_most, p_secs) t;
  IF o_retry IS NULL THEN
    PERFORM audit_add(p_id, p_kind, p_profile, p_reason, p_actor, p_txid, p_detail);
  END IF;
END
$$;

-- Removes counters that count nothing any more.
CREATE FUNCTION rate_purge(p_limit int) RETURNS int LANGUAGE plpgsql SET search_path = scep, pg_temp AS $$
DECLARE
  v_n int;
BEGIN
  DELETE FROM rate WHERE key IN (SELECT r.key FROM rate r
    WHERE (r.win + 2) * r.secs < extract(epoch FROM now()) LIMIT p_limit FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS v_n = ROW_COUNT;
  RETURN v_n;
END
$$;

GRANT EXECUTE ON FUNCTION admit_limited, refuse TO scep_responder;
