"""Check for traits that spam filters count and authors can change, after rules of Apache SpamAssassin 4.

Each names the rule that it follows (spamassassin.apache.org, rules/20_*.cf, 25_*.cf and 72_active.cf). It is no score: filters weigh
the sender's reputation and authentication far more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketing.content.checks import addresses
from marketing.content.checks.finding import Finding, warning
from marketing.content.checks.html import Page

SHORTENERS = frozenset(
    {
        "bit.ly",
        "buff.ly",
        "cutt.ly",
        "goo.gl",
        "is.gd",
        "ow.ly",
        "rb.gy",
        "rebrand.ly",
        "t.co",
        "t.ly",
        "tiny.cc",
        "tinyurl.com",
    }
)
FEW_WORDS = 400
"""Bytes of words beside an image: HTML_IMAGE_ONLY_04."""
SHOWN_ADDRESS = re.compile(r"(?:https?://)?((?:[\w-]+\.)+[a-z]{2,})(?:[/?#:]\S*)?", re.IGNORECASE)


class Trait(NamedTuple):
    rule: str
    message: str | Promise
    has: Callable[[str, Page], object]


def findings(subject: str, page: Page) -> Iterator[Finding]:
    for trait in TRAITS:
        if trait.has(subject, page):
            yield warning("spam_trait", f"{trait.message} ({trait.rule})")


def _shouts(subject: str, page: Page) -> bool:
    letters = [each for each in subject if each.isalpha()]
    return len(letters) >= 8 and subject == subject.upper()


def _mostly_images(subject: str, page: Page) -> bool:
    return bool(page.images) and len(page.words.encode()) <= FEW_WORDS


def _numeric_address(subject: str, page: Page) -> bool:
    return any(addresses.is_number(_host(link.url)) for link in page.links)


def _shortened(subject: str, page: Page) -> bool:
    return any(_host(link.url) in SHORTENERS for link in page.links)


def _shows_another_address(subject: str, page: Page) -> bool:
    for link in page.links:
        shown = SHOWN_ADDRESS.fullmatch(link.text.strip())
        host = _host(link.url)
        if shown and host and _site(shown[1]) != _site(host):
            return True
    return False


def _host(url: str) -> str:
    try:
        return (urlsplit(url.strip()).hostname or "").lower()
    except ValueError:
        return ""


def _site(host: str) -> str:
    return ".".join(host.lower().rsplit(".", 2)[-2:])


def _says(pattern: str) -> Callable[[str, Page], object]:
    wanted = re.compile(pattern, re.IGNORECASE)
    return lambda subject, page: wanted.search(subject) or wanted.search(page.words)


TRAITS = (
    Trait("SUBJ_ALL_CAPS", _("The subject is all capitals."), _shouts),
    Trait(
        "PLING_QUERY",
        _("The subject has both “!” and “?”."),
        lambda subject, page: "!" in subject and "?" in subject,
    ),
    Trait(
        "PLING_PLING",
        _("The subject has several exclamation marks."),
        lambda subject, page: subject.count("!") > 1,
    ),
    Trait("HTML_IMAGE_ONLY", _("It has images and hardly any words."), _mostly_images),
    Trait("NUMERIC_HTTP_ADDR", _("A link leads to a bare IP address."), _numeric_address),
    Trait("HAS_SHORT_URL", _("A link goes through a public shortener."), _shortened),
    Trait(
        "HTTPS_HTTP_MISMATCH",
        _("A link shows one address and leads to another site."),
        _shows_another_address,
    ),
    Trait("DEAR_FRIEND", _("It says “Dear friend”."), _says(r"\bdear (?:friend|sir or madam)\b")),
    Trait(
        "MONEY_BACK",
        _("It says “money-back guarantee”."),
        _says(r"\bmoney[ -]back guarantee\b"),
    ),
    Trait(
        "GUARANTEED_100_PERCENT", _("It says “100 % guaranteed”."), _says(r"\b100 ?% guaranteed\b")
    ),
    Trait("ACT_NOW_CAPS", _("It says “ACT NOW”."), _says(r"\b(?-i:ACT NOW)\b")),
)
