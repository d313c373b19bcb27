"""Find out whether every recipient of a message sees an unsubscribe link."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from tinycss2.color4 import parse_color

from marketing.content.style_sheets import PAGE, Style, styles_of
from marketing.content.tokenizer import (
    BLOCKS,
    BRANCHES,
    VOID,
    Kind,
    Token,
    tokenize,
    tokenize_text,
    unescape_attribute,
    unescape_text,
)
from marketing.content.visibility import Readers, with_readers

VARIABLE = "unsubscribe_url"
FIRST_NAME = re.compile(r"\{\{-?\s*([\w-]+)")
ASSIGNED = re.compile(r"\{%-?\s*assign\s+([\w-]+)\s*=\s*([\w-]+)")
CAPTURED = re.compile(r"\{%-?\s*capture\s+[\"']?([\w-]+)")
CONDITION = re.compile(r"\{%-?\s*if\s+([\w-]+)\s*-?%\}")
OTHER_FILTER = re.compile(r"\|(?!\s*(?:escape|strip|default)\b)")
"""A filter that may leave something else of the address."""
ALIKE = 24
"""Two colors look the same where their channels, of 0 to 255, differ by so much at most in all."""
TOO_SMALL = re.compile(r"[01]?(?:\.\d+)?(?:px|pt)?|0?(?:\.[01]\d*)?r?em|\d(?:\.\d+)?%")
"""A size of text that nobody reads."""
BARELY = 0.1
"""The opacity up to which a color is not seen."""
WORDS = re.compile(r">[^<&]*[^<&\s][^<&]*<")
PERSONAL = re.compile(r"""(\s)((?:href|src|alt|title)=)("[^"]*"|'[^']*')""")
"""Attributes whose values differ between recipients and hide nothing."""
BLANK = " \t\r\n\u00a0\u00ad\u034f\u200b\u200c\u200d\ufeff"

WHITE = (255, 255, 255)
UNSEEN = (-1, -1, -1)
_Color = tuple[int, int, int]

Mention = tuple[Token, Readers]
"""A token with the mail programs that show it."""


def in_html(html: str, *, on_all_screens: bool = True) -> bool:
    """Return whether every recipient sees a link to unsubscribe in the HTML, whatever Liquid and mail programs make of it.

    Without `on_all_screens`, rules for some screens or mail programs alone, which often are not what they seem, hide nothing.
    """
    return _reaches_all(_of_html(html, on_all_screens=on_all_screens))


def in_text(text: str) -> bool:
    """Return whether every recipient sees a link to unsubscribe in the text."""
    return _reaches_all((token, Readers.ALL) for token in tokenize_text(text))


def shows_link(html: str, url: str) -> bool:
    """Return whether all mail programs show a link to the address in rendered HTML."""
    quoted = {f'"{url}"', f"'{url}'"}
    skeleton = PERSONAL.sub(
        lambda found: found[0] if found[3] in quoted else f"{found[1]}{found[2]}''",
        WORDS.sub(">x<", html),
    )
    return _skeleton_shows(skeleton, url)


@lru_cache(maxsize=500)
def _skeleton_shows(html: str, url: str) -> bool:
    """Return the result for HTML without its words, which is the same for all recipients of a branch."""
    seen = Readers.NOBODY
    for token, readers in _shown(html, on_all_screens=False):
        if token.name == "a" and unescape_attribute(token.get("href") or "").strip() == url:
            seen |= readers
    return seen == Readers.ALL


def _of_html(html: str, *, on_all_screens: bool) -> Iterator[Mention]:
    """Yield the Liquid of the HTML; that of an address where its link shows something."""
    for token, readers in _shown(html, on_all_screens=on_all_screens):
        if token.is_liquid:
            yield token, readers
        else:
            yield from ((inside, readers) for inside in _liquid_of_address(token))


def _shown(html: str, *, on_all_screens: bool) -> Iterator[Mention]:
    """Yield Liquid outside of tags, and the start tag of a link each time that it shows a text or an image."""
    tokens = list(tokenize(html))
    styles = styles_of(tokens)
    if not on_all_screens:
        styles = {start: style._replace(elsewhere=()) for start, style in styles.items()}
    link: Mention | None = None
    depth = depth_of_link = 0
    looks = _Looks(styles)
    for token, displayed in with_readers(tokens, styles):
        looks.follow(token)
        readers = Readers.NOBODY if looks.is_invisible else displayed
        if token.name == "a" and token.kind is Kind.START:
            link, depth_of_link = (token, readers), depth
        elif token.name == "a" and token.kind is Kind.END:
            link = None
        elif link and _shows_something(token):
            yield link[0], link[1] & readers
        if token.is_liquid:
            yield token, readers
        if token.kind is Kind.TAG:
            ends = token.name.startswith("end") and token.name[3:] in BLOCKS
            if (ends or token.name in BRANCHES) and 0 < depth == depth_of_link:
                link = None  # the link began in a branch that ends here
            depth += (token.name in BLOCKS) - ends


def _shows_something(token: Token) -> bool:
    if token.kind is Kind.TEXT:
        return bool(unescape_text(token.source).strip(BLANK))
    return token.kind is Kind.OUTPUT or (token.kind is Kind.START and token.name == "img")


def _liquid_of_address(link: Token) -> list[Token]:
    address = next((each for each in link.attributes if each.name == "href"), None)
    if address is None:
        return []
    first, last = link.start + address.start, link.start + address.end
    return [each for each in link.liquid if first <= each.start < last]


class _Look(NamedTuple):
    """How the text of an element looks: of size zero, in a color, on a background; None for a color that is not known."""

    element: str
    is_zero: bool
    color: _Color | None
    background: _Color | None


class _Looks:
    """The look of text at a place: templates set size and colors on cells, and again on what is inside of them."""

    def __init__(self, styles: Mapping[int, Style]) -> None:
        self._styles = styles
        self._open = [_Look("", False, (0, 0, 0), WHITE)]
        if PAGE.start in styles:
            self._open.append(self._look_of(PAGE))

    @property
    def is_invisible(self) -> bool:
        look = self._open[-1]
        return look.is_zero or look.color == UNSEEN or _are_alike(look.color, look.background)

    def follow(self, token: Token) -> None:
        """Enter or leave an element."""
        if token.kind is Kind.START and token.name not in VOID:
            self._open.append(self._look_of(token))
        elif token.kind is Kind.END:
            names = [look.element for look in self._open]
            if token.name in names:
                del self._open[len(names) - 1 - names[::-1].index(token.name) :]

    def _look_of(self, token: Token) -> _Look:
        outside, style = self._open[-1], self._styles[token.start]
        declared = style.declared
        size = declared.get("font-size", "inherit")
        color = declared.get("color") or (token.get("color") if token.name == "font" else None)
        background = (
            declared.get("background-color") or token.get("bgcolor") or token.get("background")
        )
        is_colored_itself = token.name == "a" and outside.color != UNSEEN
        color_outside = None if is_colored_itself else outside.color
        return _Look(
            token.name,
            (outside.is_zero if size == "inherit" else bool(TOO_SMALL.fullmatch(size)))
            or any(TOO_SMALL.fullmatch(each.get("font-size", "x")) for each in style.elsewhere),
            outside.color if color == "inherit" else _color(color) if color else color_outside,
            _background(background, outside.background) if background else outside.background,
        )


def _color(written: str) -> _Color | None:
    """Return red, green and blue of 0 to 255, UNSEEN for a transparent color, None for one that is unknown or partly transparent."""
    found = parse_color(written.strip())
    if found is None or found == "currentcolor":
        return None
    if found.alpha <= BARELY:
        return UNSEEN
    if found.alpha < 1:
        return None
    red, green, blue = (round(255 * channel) for channel in found.to("srgb")[:3])
    return red, green, blue


def _background(written: str, outside: _Color | None) -> _Color | None:
    color = outside if written in {"none", "inherit", "initial"} else _color(written)
    return outside if color == UNSEEN else color


def _are_alike(one: _Color | None, other: _Color | None) -> bool:
    if one is None or other is None:
        return False
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) <= ALIKE


@dataclass(slots=True)
class _Block:
    """A block of Liquid that is open: what each of its branches that ended shows, and what the present one does."""

    name: str
    is_certain: bool = False
    captures: str = ""
    has_when: bool = False
    has_else: bool = False
    branches: list[Readers] = field(default_factory=list)
    shown_to: Readers = Readers.NOBODY

    def end_branch(self) -> None:
        if self.name != "case" or self.has_when:
            self.branches.append(self.shown_to)
        self.shown_to = Readers.NOBODY

    def reaches(self) -> Readers:
        """Return the mail programs that show a link whichever branch is rendered."""
        if self.is_certain or self.captures:
            return self.branches[0]
        reached = Readers.ALL if self.has_else else Readers.NOBODY
        for each in self.branches:
            reached &= each
        return reached


def _reaches_all(mentions: Iterable[Mention]) -> bool:
    names = {VARIABLE: Readers.ALL}
    blocks = [_Block("")]
    for token, readers in mentions:
        block = blocks[-1]
        if token.kind is Kind.OUTPUT:
            named = FIRST_NAME.match(token.source)
            is_whole = OTHER_FILTER.search(token.source) is None
            name = named[1] if named and is_whole else ""
            block.shown_to |= readers & names.get(name, Readers.NOBODY)
        elif token.name == "assign":
            if assigned := ASSIGNED.match(token.source):
                names[assigned[1]] = names.get(assigned[2], Readers.NOBODY)
        elif token.name in BLOCKS:
            captured, condition = CAPTURED.match(token.source), CONDITION.match(token.source)
            blocks.append(
                _Block(
                    token.name,
                    is_certain=bool(condition and condition[1] == VARIABLE),
                    captures=captured[1] if captured else "",
                )
            )
        elif token.name in BRANCHES:
            block.end_branch()
            block.has_when |= token.name == "when"
            block.has_else |= token.name == "else"
        elif token.name.startswith("end") and token.name[3:] in BLOCKS and len(blocks) > 1:
            block.end_branch()
            blocks.pop()
            if block.captures:
                names[block.captures] = block.branches[0]
            else:
                blocks[-1].shown_to |= block.reaches()
    return blocks[0].shown_to == Readers.ALL
