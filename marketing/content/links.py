"""Links of a body: found in reading order, and led through our tracking address."""

from __future__ import annotations

import re

HREF = re.compile(r"""(<a\b[^>]*?\bhref\s*=\s*)(["'])(.*?)\2""", re.IGNORECASE | re.DOTALL)
TRACKABLE = re.compile(r"\s*(https?:|//|\{\{)", re.IGNORECASE)
UNSUBSCRIBE = re.compile(r"\{\{\s*unsubscribe_url\s*\}\}")


def trackable(url: str) -> bool:
    """Web addresses are tracked, Liquid ones too; mailto:, tel:, anchors and the unsubscribe link are not."""
    return bool(TRACKABLE.match(url)) and not UNSUBSCRIBE.search(url)


def find(body: str) -> list[str]:
    """The tracked addresses of a body as they stand there, each once, in reading order."""
    return list(dict.fromkeys(url for _, _, url in HREF.findall(body) if trackable(url)))


def lead_through(body: str, urls: list[str]) -> str:
    """The body with each of `urls` replaced by `{{ links.N }}`, N from 1, which the renderer fills for each person."""
    positions = {url: position for position, url in enumerate(urls, start=1)}

    def replace(match: re.Match[str]) -> str:
        start, quote, url = match.groups()
        if url not in positions:
            return match[0]
        return f"{start}{quote}{{{{ links[{positions[url]}] }}}}{quote}"

    return HREF.sub(replace, body)
