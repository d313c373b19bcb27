"""Links of a message: found in reading order, and led through our tracking address."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import unescape

HREF = re.compile(r"""(<a\b[^>]*?\bhref\s*=\s*)(["'])(.*?)\2""", re.IGNORECASE | re.DOTALL)
IN_TEXT = re.compile(
    r"""https?://(?:\{\{.*?\}\}|\([^\s()<>"'{}]*\)|[^\s()<>"'{}])+(?<![.,;:!?\]])"""
)
"""Up to a bracket that it did not open, and without the stop of the sentence around it."""
TRACKABLE = re.compile(r"\s*(https?:|//|\{\{)", re.IGNORECASE)
UNSUBSCRIBE = re.compile(r"\{\{-?\s*unsubscribe_url\b[^}]*\}\}")


def trackable(url: str) -> bool:
    """Web addresses are tracked, Liquid ones too; mailto:, tel:, anchors and the unsubscribe link are not."""
    return bool(TRACKABLE.match(url)) and not UNSUBSCRIBE.search(url)


def find(html: str) -> list[str]:
    """The tracked addresses of HTML as they stand there, each once, in reading order."""
    return list(dict.fromkeys(url for _, _, url in HREF.findall(html) if trackable(url)))


def find_all(html: str, text: str, link: str) -> list[str]:
    """The tracked addresses of a whole message: those of its HTML, those that only its text has, and its link."""
    found = find(html)
    known = {unescape(url) for url in found}
    for url in _only_in_text(text, link):
        if url not in known:
            known.add(url)
            found.append(url)
    return found


def _only_in_text(text: str, link: str) -> Iterator[str]:
    yield from IN_TEXT.findall(text)
    if trackable(link):
        yield link


def lead_through(html: str, urls: Sequence[str]) -> str:
    """The HTML with each of `urls` replaced by `{{ links[N] }}`, N from 1, which the renderer fills for each person."""
    places = {url: place for place, url in enumerate(urls, start=1)}

    def replace(match: re.Match[str]) -> str:
        start, quote, url = match.groups()
        return f"{start}{quote}{_tracked(places[url])}{quote}" if url in places else match[0]

    return HREF.sub(replace, html)


def lead_text_through(text: str, urls: Sequence[str]) -> str:
    """The same for plain text, where addresses stand without HTML's escapes."""
    places = {unescape(url): place for place, url in enumerate(urls, start=1)}

    def replace(match: re.Match[str]) -> str:
        return _tracked(places[match[0]]) if match[0] in places else match[0]

    return IN_TEXT.sub(replace, text)


def _tracked(place: int) -> str:
    return f"{{{{ links[{place}] }}}}"
