-- Run by `scepter db init` as a superuser, or as a role with CREATEROLE that may create schemas in this database. Made to be repeated.
-- These are groups: nobody logs in as one of them. A site makes its own login roles and grants them:
--	CREATE ROLE scepter LOGIN; GRANT scep_responder TO scepter;	-- the responder
--	CREATE ROLE alice LOGIN; GRANT scep_admin TO alice;		-- an operator at the command line
DO $$
BEGIN
  PERFORM pg_advisory_xact_lock(1396917072);		-- two of these at once would both find a role missing
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'scep_owner') THEN
    CREATE ROLE scep_owner NOLOGIN;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'scep_responder') THEN
    CREATE ROLE scep_responder NOLOGIN;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'scep_admin') THEN
    CREATE ROLE scep_admin NOLOGIN;
  END IF;
  IF NOT pg_has_role(current_user, 'scep_owner', 'MEMBER') THEN
    EXECUTE format('GRANT scep_owner TO %I', current_user);	-- migrations run as scep_owner
  END IF;
  IF to_regnamespace('scep') IS NULL THEN
    CREATE SCHEMA scep AUTHORIZATION scep_owner;
  END IF;
END
$$;
