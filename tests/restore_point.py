"""The tables as migrations leave them, restored after each test that commits.

Django truncates every table and has `post_migrate` recreate content types, permissions and roles after each such test. Here only
the tables with rows are emptied, and the rows of migrations come back from copies with their ids.
"""

from __future__ import annotations

from django.db import connection

SAVE = """
DROP SCHEMA IF EXISTS restore_point CASCADE;
CREATE SCHEMA restore_point;

DO $$
DECLARE name text; filled boolean;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO filled;
        IF filled THEN
            EXECUTE format('CREATE TABLE restore_point.%I AS TABLE public.%I', name, name);
        END IF;
    END LOOP;
END $$;

-- Each table counts from a range of its own: an id of one never passes for another's, nor a small number for an id.
DO $$
DECLARE
    counter record;
    first integer := 1000000;
BEGIN
    FOR counter IN SELECT sequencename AS name FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1 LOOP
        PERFORM setval(format('public.%I', counter.name), first);
        first := first + 100000;
    END LOOP;
END $$;

-- As a replica, neither foreign keys nor the audit trail's guard have a say.
CREATE FUNCTION restore_point.restore() RETURNS void LANGUAGE plpgsql SET session_replication_role = replica AS $$
DECLARE name text; filled boolean;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename LOOP
        EXECUTE format('LOCK TABLE public.%I IN EXCLUSIVE MODE', name);  -- waits for who still writes, as TRUNCATE does
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO filled;
        IF filled THEN
            EXECUTE format('DELETE FROM public.%I', name);
        END IF;
    END LOOP;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'restore_point' LOOP
        EXECUTE format('INSERT INTO public.%I SELECT * FROM restore_point.%I', name, name);
    END LOOP;
END $$;
"""


def save() -> None:
    """Copy the rows that the tables have now, right after migrations."""
    with connection.cursor() as cursor:
        cursor.execute(SAVE)


def restore() -> None:
    """Make the tables hold the copied rows and nothing else; sequences continue."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT restore_point.restore()")
