"""Find likely duplicates: the same mailbox in any spelling, or the same name and phone."""

from __future__ import annotations

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from customers.models import LikelyDuplicate

_MAILBOX = """
    CASE WHEN split_part(lower(email), '@', 2) IN ('gmail.com', 'googlemail.com')
         THEN replace(split_part(split_part(lower(email), '@', 1), '+', 1), '.', '') || '@gmail.com'
         ELSE split_part(split_part(lower(email), '@', 1), '+', 1) || '@' || split_part(lower(email), '@', 2) END
"""
"""An address without case and without a plus suffix; at Gmail without dots too, and under one domain.
https://support.google.com/mail/answer/7436150"""

_BARE = "regexp_replace(normalize(lower({0}), NFKD), '[^[:alnum:]]+', '', 'g')"
_FIRST, _LAST = _BARE.format("first_name"), _BARE.format("last_name")
_NAME = f"least({_FIRST}, {_LAST}) || ' ' || greatest({_FIRST}, {_LAST})"
"""Letters and digits alone, without case or accents, in either order of the names."""

_REFRESH = f"""
    WITH alike AS (
        SELECT min(id) OVER same AS customer_id, id AS other_id, 'email' AS reason
        FROM (SELECT id, {_MAILBOX} AS mailbox FROM customers_customer WHERE email IS NOT NULL) addressed
        WINDOW same AS (PARTITION BY mailbox)
        UNION ALL
        SELECT min(id) OVER same, id, 'name_and_phone'
        FROM (
            SELECT id, phone, {_NAME} AS name FROM customers_customer
            WHERE phone IN (SELECT phone FROM customers_customer WHERE phone <> '' GROUP BY phone HAVING count(*) > 1)
        ) called
        WHERE name <> ' '
        WINDOW same AS (PARTITION BY phone, name)
    ), pairs AS (
        SELECT customer_id, other_id, min(reason) AS reason
        FROM alike WHERE customer_id <> other_id GROUP BY customer_id, other_id
    ), gone AS (
        DELETE FROM customers_likelyduplicate known
        WHERE dismissed_at IS NULL AND NOT EXISTS (
            SELECT FROM pairs WHERE pairs.customer_id = known.customer_id AND pairs.other_id = known.other_id
        )
    )
    INSERT INTO customers_likelyduplicate (customer_id, other_id, reason)
    SELECT * FROM pairs ORDER BY customer_id, other_id
    ON CONFLICT DO NOTHING
"""


def find_duplicates() -> int:
    """Look for likely duplicates among all customers; returns how many pairs are new. Each is paired with the oldest of its kind."""
    # What it reads takes long and delays nobody: a transaction has no id, which events wait for, before it writes.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute(_REFRESH)
        return cursor.rowcount


def dismiss(pairs: QuerySet[LikelyDuplicate]) -> int:
    """Mark pairs as two people each; returns the number of pairs."""
    return pairs.filter(dismissed_at=None).update(dismissed_at=timezone.now())
