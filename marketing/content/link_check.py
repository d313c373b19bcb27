"""Request the links of a message and report those that fail; only on demand, as it takes the network."""

from __future__ import annotations

import time
from collections.abc import Sequence

import requests
from django.utils.translation import gettext as _

from crm.outbound.session import Session
from marketing.content.checks.finding import Finding, warning

SECONDS_A_LINK = 4.0
SECONDS = 15.0
NOT_FOR_ROBOTS = frozenset({401, 403, 405, 429, 503})
"""Answers that say more of us than of the page."""


def unreachable(urls: Sequence[str]) -> list[Finding]:
    """Return a warning for each address that does not answer, or answers with an error.

    It takes at most 15 seconds; addresses not checked by then are listed too.
    """
    ends_at = time.monotonic() + SECONDS
    found: list[Finding] = []
    with Session("link check", seconds=SECONDS_A_LINK) as session:
        for place, url in enumerate(urls):
            if time.monotonic() > ends_at:
                left = len(urls) - place
                found.append(warning("links_not_asked", _("%s links were not checked.") % left))
                break
            if problem := _problem(session, url):
                found.append(warning("unreachable_link", f"{url[:80]}: {problem}"))
    return found


def _problem(session: Session, url: str) -> str:
    """Return why a recipient would not reach the page, or an empty text."""
    try:
        response = session.head(url, allow_redirects=True)
    except requests.ConnectTimeout:
        return _("it does not answer")
    except requests.ReadTimeout:
        return _("it answers too slowly")
    except requests.RequestException:
        return _("it cannot be reached")
    if response.ok or response.status_code in NOT_FOR_ROBOTS:
        return ""
    return _("it answers %s") % response.status_code
