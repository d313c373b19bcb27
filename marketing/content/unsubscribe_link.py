"""Find out whether every recipient of a message sees an unsubscribe link."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from marketing.content.tokenizer import BLOCKS, BRANCHES, Kind, Token, tokenize, tokenize_text
from marketing.content.visibility import Readers, with_readers

VARIABLE = "unsubscribe_url"
FIRST_NAME = re.compile(r"\{\{-?\s*([\w-]+)")
ASSIGNED = re.compile(r"\{%-?\s*assign\s+([\w-]+)\s*=\s*([\w-]+)")
CAPTURED = re.compile(r"\{%-?\s*capture\s+[\"']?([\w-]+)")
CONDITION = re.compile(r"\{%-?\s*if\s+([\w-]+)\s*-?%\}")

Mention = tuple[Token, Readers]
"""A token of Liquid with the mail programs that show what it says; to Readers.NOBODY it is neither text nor the address of a link."""


def in_html(html: str) -> bool:
    """Return whether every recipient sees a link to unsubscribe in the HTML, whatever Liquid and mail programs make of it."""
    return _reaches_all(_of_html(html))


def in_text(text: str) -> bool:
    """Return whether every recipient sees a link to unsubscribe in the text."""
    return _reaches_all((token, Readers.ALL) for token in tokenize_text(text))


def _of_html(html: str) -> Iterator[Mention]:
    for token, readers in with_readers(tokenize(html)):
        if token.is_liquid:
            yield token, readers
        address = next((each for each in token.attributes if each.name == "href"), None)
        for inside in token.liquid:
            place = inside.start - token.start
            is_address = address and token.name == "a" and address.start <= place < address.end
            yield inside, readers if is_address else Readers.NOBODY


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
            block.shown_to |= readers & names.get(named[1] if named else "", Readers.NOBODY)
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
