"""Find the links of a message, mark them before it is rendered, and replace them by tracked ones after it.

What a link leads to is often known only once Liquid is rendered: it stands in a loop, a variable or a snippet. So the places of links are
marked in the source, and what stands between the marks of a rendered message is the address that its recipient would have seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from marketing.content.context import SHORTCUTS
from marketing.content.tokenizer import (
    BLOCKS,
    BRANCHES,
    MASKS,
    Attribute,
    Kind,
    Token,
    mask,
    tokenize,
    tokenize_text,
    unescape_attribute,
)

OUTPUT, TAG = MASKS[Kind.OUTPUT], MASKS[Kind.TAG]
START, END = "\x02", "\x03"
"""The marks around a link: control characters, which neither HTML nor a text has any use for."""
WITHOUT_MARKS = str.maketrans("", "", START + END)

WEB = re.compile(r"(?:https?:)?//[^/]", re.IGNORECASE)
LINE_BREAKS = re.compile(r"[\t\n\r]+")
LETTERS = "A-Za-z0-9\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u0386\u0388-\u0588\u1e00-\u1fff"
"""Of scripts that put spaces between words: in others a sentence goes on right after an address."""
_CHARACTER = rf"[{LETTERS}\-._~%!$&*+,;=:@/?#|{OUTPUT}{TAG}]"
_IN_TEXT = re.compile(
    rf"""(?:(?i:https?)://(?:(?:[^\W_](?:[\w-]*[^\W_])?\.)+[a-zA-Z]{{2,}})?|{OUTPUT}++(?!(?i:https?)://))
    (?:{_CHARACTER}|'(?=[A-Za-z0-9])|\((?:{_CHARACTER}|')*\)|\[(?:{_CHARACTER})*\])*""",
    re.VERBOSE,
)
PUNCTUATION = ".,;:!?*'"
"""Characters that end a sentence, and not the address before it."""
JSON_CAPTURE, JSON_OUTPUT = "{% capture json_text %}", "{{ json_text | json }}"
"""The frame of a text in a JSON document: the text is rendered first, and then escaped with the marks in it."""
NO_ADDRESS = re.compile(
    rf"{re.escape(JSON_OUTPUT)}|\{{\{{-?\s*(?:customer\.)?(?:{'|'.join(SHORTCUTS)}|unsubscribe_url)\s*-?\}}\}}"
)
"""Pieces of Liquid that are no link of the author's, even if a person calls themselves one."""
JSON_MARK = re.compile(r"(?<!\\)\\u000([23])")


def in_html(html: str) -> list[str]:
    """Return the addresses of the HTML that are the same for all recipients, each once, in reading order."""
    found = (
        address_of(attribute.value)
        for token in tokenize(html)
        for attribute in _hrefs(token)
        if not _liquid_of(token, attribute)
    )
    return list(dict.fromkeys(address for address in found if WEB.match(address)))


def in_text(text: str) -> list[str]:
    """Return the addresses of the text that are the same for all recipients, each once, in reading order."""
    spans = (text[start:end] for start, end in spans_in_text(text))
    return list(dict.fromkeys(span for span in spans if _is_static(span)))


def in_message(html: str, text: str, link: str) -> list[str]:
    """Return the addresses of a whole message that are the same for all recipients, each once, in reading order."""
    own = [link.strip()] if _is_static(link.strip()) else []
    return list(dict.fromkeys([*in_html(html), *in_text(text), *own]))


def address_of(value: str) -> str:
    """Return the address that the value of an attribute means."""
    address = unescape_attribute(value).strip()
    return address if address.isprintable() else LINE_BREAKS.sub("", address)


def spans_in_text(text: str) -> list[tuple[int, int]]:
    """Return where web addresses, and pieces of Liquid that may be some, begin and end in plain text."""
    islands = [token for token in tokenize_text(text) if token.is_liquid]
    masked = mask(text, islands)
    spans = []
    place = 0
    while match := _IN_TEXT.search(masked, place):
        start = match.start()
        place = _whole_end([each for each in islands if start <= each.start < match.end()], match)
        end = start + len(masked[start:place].rstrip(PUNCTUATION))
        spans.append((start, end))
    return spans


def replace_in_text(text: str, replace: Callable[[str], str]) -> str:
    """Return a text without Liquid with `replace` done to each web address."""
    pieces: list[str] = []
    place = 0
    for start, end in spans_in_text(text):
        pieces += text[place:start], replace(text[start:end])
        place = end
    return "".join([*pieces, text[place:]])


def mark_html(html: str) -> str:
    """Return the HTML with marks around the address of each link that is to be tracked."""
    return "".join(map(_marked, tokenize(html.translate(WITHOUT_MARKS))))


def mark_text(text: str) -> str:
    """Return the text with marks around each address, and each variable that may be one.

    Captured text is left alone, since a filter may get it; where the capture is shown it is marked like any other variable.
    """
    text = text.translate(WITHOUT_MARKS)
    captured = _captured(text)
    pieces: list[str] = []
    place = 0
    for start, end in spans_in_text(text):
        is_captured = any(first <= start < last for first, last in captured)
        if not is_captured and not NO_ADDRESS.fullmatch(text[start:end]):
            pieces += text[place:start], mark(text[start:end])
            place = end
    return "".join([*pieces, text[place:]])


def mark(address: str) -> str:
    return f"{START}{address}{END}" if address else ""


def replace_marked(rendered: str, replace: Callable[[str], str]) -> str:
    """Return what was rendered with `replace` done to each marked address, and without the marks."""
    before, *rest = rendered.split(START)
    pieces = [piece.split(END) for piece in rest]
    if END in before or not set(map(len, pieces)) <= {2}:
        return "".join(_replaced_outermost(rendered, replace))
    done = [before]
    for address, after in pieces:
        done += replace(address), after
    return "".join(done)


def unescape_json_marks(document: str) -> str:
    """Return the JSON document with the marks in it as they were before they were escaped."""
    return JSON_MARK.sub(lambda mark: START if mark[1] == "2" else END, document)


def _replaced_outermost(rendered: str, replace: Callable[[str], str]) -> Iterator[str]:
    """Yield the pieces of a text in which marks stand inside one another or alone."""
    depth = 0
    address = ""
    for piece in re.split(f"([{START}{END}])", rendered):
        if piece == START:
            depth += 1
        elif piece == END:
            depth = max(0, depth - 1)
            if depth == 0 and address:
                yield replace(address)
                address = ""
        elif depth:
            address += piece
        else:
            yield piece
    yield address


def _is_static(address: str) -> bool:
    return bool(WEB.match(address)) and all(
        each.kind is Kind.TEXT for each in tokenize_text(address)
    )


def _hrefs(token: Token) -> list[Attribute]:
    """Return the addresses of links in a start tag: of HTML's, and of buttons drawn for Outlook in VML."""
    if token.name in {"a", "area"} or token.name.startswith("v:"):
        return [each for each in token.attributes if each.name == "href"]
    return []


def _liquid_of(token: Token, attribute: Attribute) -> list[Token]:
    first, last = token.start + attribute.start, token.start + attribute.end
    return [each for each in token.liquid if first <= each.start < last]


def _marked(token: Token) -> str:
    source = token.source
    for attribute in reversed(_hrefs(token)):
        if _liquid_of(token, attribute) or WEB.match(address_of(attribute.value)):
            start, end = attribute.start, attribute.end
            source = source[:start] + mark(attribute.value) + source[end:]
    return source


def _whole_end(inside: list[Token], match: re.Match[str]) -> int:
    """Return the latest end of an address: what it has of Liquid's blocks it has from their start to their end."""
    blocks = BLOCKS | {"raw"}
    opened: list[int] = []
    for token in inside:
        if token.kind is Kind.TAG and token.name in blocks:
            opened.append(token.start)
        elif token.name in BRANCHES and not opened:
            return token.start
        elif token.name.startswith("end") and token.name[3:] in blocks:
            if not opened:
                return token.start
            opened.pop()
    return opened[0] if opened else match.end()


def _captured(text: str) -> list[tuple[int, int]]:
    """Return where captures begin and end, but for those of JSON's texts."""
    found = []
    start = 0
    for token in tokenize_text(text):
        if token.name == "capture":
            start = len(text) if token.source == JSON_CAPTURE else token.start
        elif token.name == "endcapture" and start < token.start:
            found.append((start, token.start))
    return found
