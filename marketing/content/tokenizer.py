"""Split HTML and Liquid, mixed as authors write them, into tokens.

No HTML parser gives its source back, and none knows that `{{ name | default: "you" }}` inside an attribute is one piece. So Liquid is
found first, by the renderer's own rules; HTML is then read from a mask: a copy of the source, of the same length, in which Liquid is
nothing that HTML could mistake for its own.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from html.entities import html5

from liquid.lex import compile_liquid_rules


class Kind(Enum):
    TEXT = auto()
    OUTPUT = auto()
    TAG = auto()
    NOTE = auto()
    START = auto()
    END = auto()
    COMMENT = auto()
    DECLARATION = auto()
    CONDITION = auto()
    CONDITION_END = auto()


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute as it stands in a start tag; `start` and `end` are where its value stands in the token's source."""

    name: str
    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a source.

    TEXT is shown as it is, OUTPUT is `{{ … }}`, TAG `{% … %}` and NOTE a comment of Liquid. CONDITION starts a conditional comment of
    Outlook. `name` is the element in small letters, the tag of Liquid or Outlook's condition. `liquid` is what a piece of HTML has of it
    inside; `is_raw` says that Liquid leaves the piece alone.
    """

    kind: Kind
    source: str
    start: int
    name: str = ""
    liquid: Sequence[Token] = ()
    attributes: Sequence[Attribute] = ()

    @property
    def is_liquid(self) -> bool:
        return self.kind in LIQUID

    @property
    def hides(self) -> bool:
        """Return whether a comment begins that hides its content from all clients but Outlook, whatever its condition is."""
        is_condition = self.kind is Kind.CONDITION
        return is_condition and self.source.startswith("<!--") and self.source.endswith("]>")

    def get(self, attribute: str) -> str | None:
        """Return the value of the attribute as it stands, or None without one."""
        return next((each.value for each in self.attributes if each.name == attribute), None)


LIQUID = frozenset({Kind.OUTPUT, Kind.TAG, Kind.NOTE})
BLOCKS = frozenset({"if", "unless", "case", "for", "tablerow", "capture", "ifchanged"})
"""Tags of Liquid that an `end…` closes."""
BRANCHES = frozenset({"elsif", "else", "when"})
VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    ]
)
"""Elements without an end tag."""
RAW_TEXT = frozenset(
    {"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"}
)
"""Elements in which `<` begins no other."""

MASKS = {Kind.OUTPUT: "\ue000", Kind.TAG: "\ue001", Kind.NOTE: "\ue001"}
"""The characters that replace Liquid in a mask. A tag ends the name of an element: `<p{% if x %} class="y"{% endif %}>`."""
UNMASKED = str.maketrans("\ue000\ue001", "\ufffd\ufffd")

_LIQUID = compile_liquid_rules()
_RAW = re.compile(
    r"(?P<opening>\{%-?\s*raw\s*-?%\})(?P<content>.*)(?P<closing>\{%-?\s*endraw\s*-?%\})", re.DOTALL
)
_SPACE = r" \t\n\f\r"
_ELEMENT = rf"[a-zA-Z][^{_SPACE}/>\ue001]*+"
_ATTRIBUTE = re.compile(
    rf"""(?P<name>[^{_SPACE}/>\ue001][^{_SPACE}/>=\ue001]*+)
    (?:[{_SPACE}]*+=[{_SPACE}]*+(?:"(?P<double>[^"]*+)"|'(?P<single>[^']*+)'|(?P<bare>[^{_SPACE}>"'][^{_SPACE}>]*+)|(?=>)))?+""",
    re.VERBOSE,
)  # fmt: skip
_HTML = re.compile(
    rf"""
    (?P<condition><!--\[(?i:if)\b(?P<if_revealed>[^\]]*)\]>\s*(?:<!--\s*(?:--)?>|-->)
        |<!--\[(?i:if)\b(?P<if_hidden>[^\]]*)\]>(?=(?:(?!-->|<!\[(?i:endif)\]-->).)*+<!\[(?i:endif)\]-->)
        |<!\[(?i:if)\b(?P<if_plain>[^\]]*)\]>)
    |(?P<condition_end>(?:<!--\s*)?<!\[(?i:endif)\](?:--)?>)
    |(?P<comment><!--(?:-?>|.*?(?:--!?>|\Z)))
    |(?P<declaration><[!?][^>]*+>|</[^a-zA-Z>][^>]*+>)
    |</(?P<end>{_ELEMENT})[^>]*+>
    |<(?P<start>{_ELEMENT})(?P<attributes>(?:[{_SPACE}/\ue001]++|{re.sub(r"[?]P<[a-z]+>", "?:", _ATTRIBUTE.pattern)})*+)>
    |(?P<text>(?:[^<\ue000\ue001]++|<)(?:[^<\ue000\ue001]++|<(?![a-zA-Z/!?]))*+)
    """,
    re.VERBOSE | re.DOTALL,
)  # fmt: skip


def tokenize(source: str) -> list[Token]:
    """Return the tokens of HTML that may hold Liquid; joined, their sources are the source."""
    return list(_html_tokens(source, _islands(source)))


def tokenize_text(source: str) -> list[Token]:
    """Return the tokens of plain text that may hold Liquid; joined, their sources are the source."""
    tokens: list[Token] = []
    place = 0
    for island in [*_islands(source), None]:
        end = island.start if island else len(source)
        if end > place:
            tokens.append(Token(Kind.TEXT, source[place:end], place))
        if island:
            tokens.append(island)
            place = island.start + len(island.source)
    return tokens


def mask(source: str, islands: Iterable[Token]) -> str:
    """Return the source with characters of MASKS in place of the islands of Liquid, at the same places."""
    pieces: list[str] = []
    place = 0
    for island in islands:
        pieces.append(source[place : island.start].translate(UNMASKED))
        pieces.append(MASKS[island.kind] * len(island.source))
        place = island.start + len(island.source)
    return "".join([*pieces, source[place:].translate(UNMASKED)])


def line_of(source: str, token: Token) -> int:
    """Return the line, from 1, on which the token begins."""
    return source.count("\n", 0, token.start) + 1


def unescape_text(source: str) -> str:
    """Return what a piece of text in HTML says."""
    return html.unescape(source)


def unescape_attribute(source: str) -> str:
    """Return what the value of an attribute says: `&copy=2` is no ©, since an address could hold it (HTML, 13.2.5.73)."""
    return _REFERENCE.sub(_referred, source) if "&" in source else source


_REFERENCE = re.compile(r"&(?:#[xX]?[0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);?(?P<goes_on>=?)")


def _referred(match: re.Match[str]) -> str:
    reference, goes_on = match[0].removesuffix("="), match["goes_on"]
    if reference[1] == "#":
        return html.unescape(reference) + goes_on
    known = reference[1:] in html5 and (reference.endswith(";") or not goes_on)
    return html5[reference[1:]] + goes_on if known else match[0]


def _islands(source: str) -> list[Token]:
    """Return the pieces of Liquid; what stands in `raw` is none."""
    islands: list[Token] = []
    note_start = depth = 0
    for match in _LIQUID.finditer(source):
        kind, name = match.lastgroup, match["name"] or ""
        if kind == "TAG" and name == "comment":
            note_start = note_start if depth else match.start()
            depth += 1
        elif depth:
            depth -= kind == "TAG" and name == "endcomment"
            if not depth:
                note = source[note_start : match.end()]
                islands.append(Token(Kind.NOTE, note, note_start, "comment"))
        elif kind == "RAW":
            islands += _raw_tags(match[0], match.start())
        elif kind == "DOC" or name == "#":
            islands.append(Token(Kind.NOTE, match[0], match.start(), name))
        elif kind == "TAG":
            islands.append(Token(Kind.TAG, match[0], match.start(), name))
        elif kind == "output":
            islands.append(Token(Kind.OUTPUT, match[0], match.start()))
    if depth:
        islands.append(Token(Kind.NOTE, source[note_start:], note_start, "comment"))
    return islands


def _raw_tags(source: str, start: int) -> Iterator[Token]:
    match = _RAW.fullmatch(source)
    assert match
    yield Token(Kind.TAG, match["opening"], start, "raw")
    yield Token(Kind.TAG, match["closing"], start + match.start("closing"), "endraw")


def _html_tokens(source: str, islands: Sequence[Token]) -> Iterator[Token]:
    masked = mask(source, islands)
    by_start = {island.start: island for island in islands}
    starts = [island.start for island in islands]
    last_end = masked.rfind(">")
    place, raw_text_ends = 0, 0
    while place < len(source):
        if island := by_start.get(place):
            token = island
        elif place < raw_text_ends or place > last_end:
            end = min(
                _next(starts, place, len(source)),
                raw_text_ends if place < raw_text_ends else len(source),
            )
            token = Token(Kind.TEXT, source[place:end], place)
        else:
            match = _HTML.match(masked, place)
            assert match
            inside = islands[bisect_left(starts, place) : bisect_left(starts, match.end())]
            token = _token(match, source, inside)
            if token.kind is Kind.START and token.name in RAW_TEXT:
                raw_text_ends = _end_of_raw_text(masked, match.end(), token.name)
        yield token
        place += len(token.source)


def _next(starts: Sequence[int], place: int, end: int) -> int:
    number = bisect_left(starts, place)
    return starts[number] if number < len(starts) else end


def _end_of_raw_text(masked: str, place: int, name: str) -> int:
    found = re.compile(rf"</{re.escape(name)}(?=[{_SPACE}/>])", re.IGNORECASE).search(masked, place)
    return found.start() if found else len(masked)


def _token(match: re.Match[str], source: str, inside: Sequence[Token]) -> Token:
    kind = KINDS[match.lastgroup or ""]
    start, end = match.span()
    piece = source[start:end]
    match kind:
        case Kind.START:
            attributes = _attributes(match, source)
            return Token(kind, piece, start, match["start"].lower(), inside, attributes)
        case Kind.END:
            return Token(kind, piece, start, match["end"].lower(), inside)
        case Kind.CONDITION:
            shown_if = match["if_revealed"] or match["if_hidden"] or match["if_plain"]
            return Token(kind, piece, start, shown_if.strip().lower(), inside)
        case _:
            return Token(kind, piece, start, "", inside)


KINDS = {
    "condition": Kind.CONDITION,
    "condition_end": Kind.CONDITION_END,
    "comment": Kind.COMMENT,
    "declaration": Kind.DECLARATION,
    "end": Kind.END,
    "attributes": Kind.START,
    "text": Kind.TEXT,
}


def _attributes(tag: re.Match[str], source: str) -> list[Attribute]:
    found = []
    for match in _ATTRIBUTE.finditer(tag.string, *tag.span("attributes")):
        group = next(
            (each for each in ("double", "single", "bare") if match[each] is not None), None
        )
        start, end = match.span(group) if group else (match.end(), match.end())
        name = source[slice(*match.span("name"))].lower()
        found.append(Attribute(name, source[start:end], start - tag.start(), end - tag.start()))
    return found
