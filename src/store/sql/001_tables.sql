-- min_reader: 1
-- Each migration runs as scep_owner in the migration's one transaction (`scepter db migrate`).
SET LOCAL search_path = scep, pg_temp;

-- A function is for nobody until it is granted, also those of later migrations.
ALTER DEFAULT PRIVILEGES FOR ROLE scep_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

CREATE TABLE schema_version (
  version     int         PRIMARY KEY,
  name        text        NOT NULL,
  sha256      bytea       NOT NULL,
  min_reader  int         NOT NULL,	-- the oldest program, by the newest version it carries, that this schema still serves
  applied_at  timestamptz NOT NULL DEFAULT now(),
  applied_by  text        NOT NULL DEFAULT session_user
);

-- partition_next: first day that has no partition yet. pepper_check: a digest that tells whether a program holds the right pepper.
CREATE TABLE setting (
  key    text PRIMARY KEY,
  value  text NOT NULL
);
INSERT INTO setting VALUES ('partition_next', date_trunc('year', now() AT TIME ZONE 'UTC')::date::text);

-- Who signs: a name and a key, which may have several certificates one after another. It has one series of CRLs. Its id: first 128 bits of a
-- SHA-256 over name and key.
CREATE TABLE authority (
  authority_id  uuid    PRIMARY KEY,
  crl_number    bigint  NOT NULL DEFAULT 0,	-- of the last CRL; 0: none yet
  busy_until    timestamptz			-- somebody is signing the next one
);

CREATE TABLE issuer (
  issuer_id     uuid        PRIMARY KEY,	-- first 128 bits of the SHA-256 of its certificate
  authority_id  uuid        NOT NULL REFERENCES authority,
  added_at   timestamptz NOT NULL DEFAULT now(),
  der        bytea       NOT NULL
);

-- An id has 16 octets: seconds since 2020-01-01 (32 bits, big endian), then 96 random bits. A certificate's is its serial number. So
-- one index is primary key, partition key and order of time, and inserts go to its end.
CREATE FUNCTION id_floor(t timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT (lpad(to_hex(greatest(0, least(2147483647, floor(extract(epoch FROM t))::bigint - 1577836800))), 8, '0') || repeat('0', 24))::uuid
$$;

-- One row for each certificate, only ever inserted.
CREATE TABLE cert (
  cert_id      uuid        NOT NULL PRIMARY KEY,
  issued_at    timestamptz NOT NULL DEFAULT now(),
  not_before   timestamptz NOT NULL,
  not_after    timestamptz NOT NULL,
  issuer_id    uuid        NOT NULL REFERENCES issuer,
  spki_sha256  bytea       NOT NULL CHECK (octet_length(spki_sha256) = 32),
  profile      text        NOT NULL,
  txid         text        NOT NULL,
  device       text,
  requester    text        NOT NULL,	-- where the request came from
  subject      text        NOT NULL,
  sans         text        NOT NULL,
  der          bytea       NOT NULL
) PARTITION BY RANGE (cert_id);
ALTER TABLE cert ALTER COLUMN der SET STORAGE EXTERNAL;		-- DER does not compress: do not try
CREATE TABLE cert_default PARTITION OF cert DEFAULT;

-- What happened to a request: the same one again gets the same answer (RFC 8894 leaves it open; a lost answer is repeated). Purged when
-- expired. Digests are keyed outside the database; req_h covers the signer's key.
CREATE TABLE request (
  created_at  timestamptz NOT NULL DEFAULT now(),
  updated_at  timestamptz NOT NULL DEFAULT now(),
  expires_at  timestamptz NOT NULL DEFAULT now() + interval '30 days',
  txid_h      uuid        NOT NULL,
  req_h       uuid        NOT NULL,
  signer_h    uuid        NOT NULL,	-- who may poll
  cert_id     uuid,
  state       smallint    NOT NULL CHECK (state BETWEEN 0 AND 3),	-- 0 pending, 1 approved, 2 issued, 3 rejected
  profile     text        NOT NULL,
  txid        text        NOT NULL,
  subject     text        NOT NULL,
  -- of a request that waits, or waited, for approval:
  id          text        UNIQUE,	-- short public name
  approvals   smallint    NOT NULL DEFAULT 0,	-- by so many people
  sans        text,
  key         text,		-- what it is: RSA 2048, EC 256, Ed25519
  device      text,
  requester   text,
  reason      text,		-- why it was rejected
  sealed      bytea,		-- the PKCS#10 and what goes with it, encrypted outside the database; only until it is decided and
				-- signed, with a key that cannot decrypt for as long as the row: an answer is sealed with the challenge inside
  PRIMARY KEY (txid_h, req_h, profile),
  CHECK ((state = 2) = (cert_id IS NOT NULL)),
  CHECK (state NOT IN (0, 1) OR (id IS NOT NULL AND sealed IS NOT NULL))
) WITH (fillfactor = 95, autovacuum_vacuum_scale_factor = 0.05);
-- At most one unfinished request under a transaction id, whoever races.
CREATE UNIQUE INDEX request_unfinished ON request (txid_h, profile) WHERE state IN (0, 1);
CREATE INDEX request_expiry ON request (expires_at);

-- Who approved a request: each person once.
CREATE TABLE approval (
  id      text        NOT NULL REFERENCES request (id) ON DELETE CASCADE,
  actor   text        NOT NULL,
  at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (id, actor)
);

-- One-time challenges. A NULL profile, subject, device or list of names fits any. vals: name, text, name, text, ... for the templates.
CREATE TABLE challenge (
  chal_h       uuid        PRIMARY KEY,	-- keyed digest: the challenge itself is nowhere
  id           text        NOT NULL UNIQUE,
  created_at   timestamptz NOT NULL DEFAULT now(),
  expires_at   timestamptz NOT NULL,
  consumed_at  timestamptz,
  revoked_at   timestamptz,
  consumed_by  uuid,			-- the last certificate
  uses_left    int         NOT NULL CHECK (uses_left >= 0),
  profile      text,
  subject      text,
  device       text,
  sans         text[],
  vals         text[],
  created_by   text        NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX challenge_expiry ON challenge (expires_at);

-- Nonces of signed challenges that were used. Their digests do not depend on the profile: what was used in one is used in all.
CREATE TABLE nonce (
  nonce_h     uuid        PRIMARY KEY,
  used_at     timestamptz NOT NULL DEFAULT now(),
  expires_at  timestamptz NOT NULL	-- then the challenge is refused for its age
);
CREATE INDEX nonce_expiry ON nonce (expires_at);

-- Who used nonces lately, and when.
CREATE TABLE holder (
  holder_h    uuid          PRIMARY KEY,
  used_at     timestamptz[] NOT NULL,
  expires_at  timestamptz   NOT NULL	-- then none of them counts any more
) WITH (fillfactor = 85);
CREATE INDEX holder_expiry ON holder (expires_at);

-- One row for each device and profile. Says where among the certificates a device's are. certs: its last 64, or as many more as it may have: what
-- its limit is held against. An index on the certificates would cost every one of them more.
CREATE TABLE device (
  device_h   uuid        NOT NULL,
  profile    text        NOT NULL,
  n_issued   int         NOT NULL DEFAULT 1,
  first_at   timestamptz NOT NULL DEFAULT now(),
  last_at    timestamptz NOT NULL DEFAULT now(),
  certs      uuid[]      NOT NULL,
  PRIMARY KEY (device_h, profile)
) WITH (fillfactor = 85);

CREATE TABLE revocation (
  cert_id        uuid        PRIMARY KEY,
  revoked_at     timestamptz NOT NULL DEFAULT now(),	-- may lie in the future
  reason         smallint    NOT NULL,			-- RFC 5280, 5.3.1
  actor          text        NOT NULL,
  invalid_since  timestamptz,
  listed_by      bigint,				-- the first CRL that has it
  not_after      timestamptz NOT NULL,			-- these two by trigger, from the certificate
  authority_id   uuid        NOT NULL
);
CREATE INDEX revocation_waiting ON revocation (authority_id, revoked_at) WHERE listed_by IS NULL;
CREATE INDEX revocation_listed ON revocation (authority_id, not_after);

CREATE FUNCTION revocation_of() RETURNS trigger LANGUAGE plpgsql SET search_path = scep, pg_temp AS $$
BEGIN
  SELECT c.not_after, i.authority_id INTO NEW.not_after, NEW.authority_id
    FROM cert c JOIN issuer i ON i.issuer_id = c.issuer_id WHERE c.cert_id = NEW.cert_id;
  RETURN NEW;
END
$$;
CREATE TRIGGER revocation_of BEFORE INSERT ON revocation FOR EACH ROW EXECUTE FUNCTION revocation_of();

-- The last few of each authority.
CREATE TABLE crl (
  authority_id  uuid        NOT NULL REFERENCES authority,
  number        bigint      NOT NULL,
  this_update   timestamptz NOT NULL,
  next_update   timestamptz NOT NULL,
  n_entries     int         NOT NULL,
  der           bytea       NOT NULL,
  PRIMARY KEY (authority_id, number)
);
ALTER TABLE crl ALTER COLUMN der SET STORAGE EXTERNAL;

-- Append-only for every role, its owner too. Old years leave as whole partitions.
CREATE TABLE audit (
  audit_id  uuid        NOT NULL PRIMARY KEY,	-- of an issue: the certificate's id
  at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  cert_id   uuid,
  kind      text        NOT NULL CHECK (length(kind) BETWEEN 1 AND 40),
  profile   text,
  reason    text        NOT NULL DEFAULT '',
  actor     text        NOT NULL,
  txid      text,
  detail    text        NOT NULL DEFAULT '',
  db_role   text        NOT NULL DEFAULT session_user
) PARTITION BY RANGE (audit_id);
CREATE TABLE audit_default PARTITION OF audit DEFAULT;

CREATE FUNCTION audit_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'SC099';
END
$$;
-- Row triggers go to every partition by themselves, also to later ones; those for TRUNCATE do not.
CREATE TRIGGER audit_frozen BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_frozen();
CREATE TRIGGER audit_frozen_whole BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_frozen();
CREATE TRIGGER audit_frozen_whole BEFORE TRUNCATE ON audit_default FOR EACH STATEMENT EXECUTE FUNCTION audit_frozen();

-- Makes the partitions of all years up to two ahead; returns how many. CREATE and ATTACH, because they do not wait for readers.
CREATE FUNCTION make_partitions() RETURNS int LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = scep, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  v_from date;
  v_to   date;
  v_name text;
  v_n    int := 0;
BEGIN
  SELECT s.value::date INTO STRICT v_from FROM setting s WHERE s.key = 'partition_next';
  IF v_from > now() + interval '2 years' THEN
    RETURN 0;
  END IF;
  SELECT s.value::date INTO STRICT v_from FROM setting s WHERE s.key = 'partition_next' FOR UPDATE;	-- one at a time
  WHILE v_from <= now() + interval '2 years' LOOP
    v_to := v_from + interval '1 year';
    v_name := to_char(v_from, 'YYYY');
    EXECUTE format('CREATE TABLE cert_%s (LIKE cert INCLUDING ALL) WITH (autovacuum_vacuum_insert_scale_factor = 0.02)', v_name);
    EXECUTE format('ALTER TABLE cert ATTACH PARTITION cert_%s FOR VALUES FROM (%L) TO (%L)', v_name, id_floor(v_from), id_floor(v_to));
    EXECUTE format('CREATE TABLE audit_%s (LIKE audit INCLUDING ALL)', v_name);
    EXECUTE format('ALTER TABLE audit ATTACH PARTITION audit_%s FOR VALUES FROM (%L) TO (%L)', v_name, id_floor(v_from), id_floor(v_to));
    EXECUTE format('CREATE TRIGGER audit_frozen_whole BEFORE TRUNCATE ON audit_%s FOR EACH STATEMENT EXECUTE FUNCTION audit_frozen()',
                   v_name);
    v_from := v_to;
    v_n := v_n + 1;
  END LOOP;
  UPDATE setting SET value = v_from::text WHERE key = 'partition_next';
  RETURN v_n;
END
$$;
DO $$ BEGIN PERFORM scep.make_partitions(); END $$;

GRANT USAGE ON SCHEMA scep TO scep_responder, scep_admin;
GRANT SELECT ON schema_version, setting, issuer, authority, crl TO scep_responder, scep_admin;
GRANT SELECT ON cert, request, device, revocation, audit TO scep_admin;
GRANT SELECT (id, created_at, expires_at, consumed_at, revoked_at, consumed_by, uses_left, profile, subject, device, sans, vals,
    created_by) ON challenge TO scep_admin;
