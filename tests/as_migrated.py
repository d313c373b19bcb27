"""The tables as migrations leave them, given back to a test that commits.

Django truncates every table and has `post_migrate` make content types, permissions and roles anew, after each such test.
Here only the rows that are there are deleted, and those that migrations made come back from copies; ids stay what they were.
"""

from __future__ import annotations

from django.db import connection

KEEP = """
DROP SCHEMA IF EXISTS as_migrated CASCADE;
CREATE SCHEMA as_migrated;

DO $$
DECLARE name text; filled boolean;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO filled;
        IF filled THEN
            EXECUTE format('CREATE TABLE as_migrated.%I AS TABLE public.%I', name, name);
        END IF;
    END LOOP;
END $$;

-- As a replica, neither foreign keys nor the audit trail's guard have a say.
CREATE FUNCTION as_migrated.give_back() RETURNS void LANGUAGE plpgsql SET session_replication_role = replica AS $$
DECLARE name text; filled boolean;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename LOOP
        EXECUTE format('LOCK TABLE public.%I IN EXCLUSIVE MODE', name);  -- waits for who still writes, as TRUNCATE does
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO filled;
        IF filled THEN
            EXECUTE format('DELETE FROM public.%I', name);
        END IF;
    END LOOP;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'as_migrated' LOOP
        EXECUTE format('INSERT INTO public.%I SELECT * FROM as_migrated.%I', name, name);
    END LOOP;
END $$;
"""


def keep() -> None:
    """Copy what is in the tables now, right after migrations."""
    with connection.cursor() as cursor:
        cursor.execute(KEEP)


def give_back() -> None:
    """Make the tables hold what was kept, and nothing else; sequences go on."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT as_migrated.give_back()")
