-- Once, as a superuser, in the clinic's own database (psql 14 or newer). The passwords come from the environment:
--   CLINIC_OWNER_PASSWORD=… CLINIC_DB_PASSWORD=… psql -v ON_ERROR_STOP=1 -d clinic -f postgres.sql
-- clinic_owner migrates and owns the tables. clinic is what web, worker and beat use: it reads and writes rows, and
-- can neither change a table nor drop a trigger nor TRUNCATE (which no row trigger of the audit would see).
\getenv owner_password CLINIC_OWNER_PASSWORD
\getenv app_password CLINIC_DB_PASSWORD

CREATE ROLE clinic_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE clinic LOGIN PASSWORD :'app_password';

SELECT format('ALTER DATABASE %I OWNER TO clinic_owner', current_database()) \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO clinic', current_database()) \gexec
ALTER SCHEMA public OWNER TO clinic_owner;
GRANT USAGE ON SCHEMA public TO clinic;

ALTER DEFAULT PRIVILEGES FOR ROLE clinic_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO clinic;
ALTER DEFAULT PRIVILEGES FOR ROLE clinic_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO clinic;

-- A lock that is not free within 3 s is a conflict to show, not a page that hangs.
ALTER ROLE clinic SET lock_timeout = '3s';
ALTER ROLE clinic SET statement_timeout = '30s';
ALTER ROLE clinic SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE clinic SET timezone = 'UTC';
