"""Values that programs write where they have no id.

After the ids that Segment, Mixpanel, PostHog, Amplitude and Braze block, and what JavaScript, Python, PHP, Go and Java print for nothing.
"""

from __future__ import annotations

import re

_WORDS = """
    undefined, null, nil, none, nan, n/a, na, n.a., #n/a, void, (null), <null>, [null], not a number, infinity, -infinity, 0x0, -1,
    [object object], [object undefined], [object null], [object], object object, {}, [], (), true, false,
    undefined undefined, null null, none none,
    guest, guest user, guest_user, guestuser, guest-user, gast, invité, invitado, visitor, anonymous, anonymous user, anonymous_user,
    anonymoususer, anon, anonym, anonymus, unknown, unknown user, unknown_user, unbekannt, inconnu, desconocido, sconosciuto,
    not set, (not set), not_set, notset, (none), (unknown), (anonymous), not available, not_available, not authenticated,
    not_authenticated, unauthenticated, unauthorized, not logged in, not_logged_in, logged out, logged_out, missing, empty, blank,
    default, id, userid, user_id, user id, customerid, customer_id, customer id,
    external_id, distinct_id, distinctid, anonymousid, anonymous_id, email
"""
PLACEHOLDERS = frozenset(word.strip() for word in _WORDS.split(","))
NOTHING = re.compile(r"[0\s.\-_–—?*#:/\\\"'{}()\[\]]*")
"""Zeros in any grouping (0, 000-000, 0.0, the zero UUID), dashes and other marks."""
TEMPLATE = re.compile(
    r"\s*(?:\{\{.*\}\}|\$\{.*\}|\{%.*%\}|%%.*%%|%[a-z_. ]+%|<%.*%>|\*\|.*\|\*|<[a-z_ ]+>|\{[a-z_. ]+\})\s*",
    re.IGNORECASE,
)
"""A merge tag that no program filled in: `{{ user.id }}`, `${userId}`, `%%id%%`, `<user_id>`."""
NO_MAILBOX = {"noemail", "no-email", "no_email", "nomail", "no-mail", "nobody", "x"}
ROUNDED = re.compile(r"[-+]?\d(?:[.,]\d+)?[eE]\+\d{2,3}")
"""A number in the scientific format of spreadsheets, Python and JavaScript."""
