"""Find the declarations of CSS that hold for each element of a message, from its style sheets and style attributes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, SubElement

import cssselect2
import tinycss2

from marketing.content.tokenizer import VOID, Kind, Token, unescape_attribute

EVERYWHERE = frozenset({"", "all", "screen", "only screen"})
ON_PAPER = re.compile(r"(?:only )?print\b[^,]*")
_TAG = re.compile(r"\{%.*?%\}")
_FONT_SIZE = re.compile(r"(?:^|\s)((?:\d*\.)?\d+[a-z%]*)(?:\s*/|\s)")

Declared = Mapping[str, str]
"""Property → value."""


class Style(NamedTuple):
    """The declarations of an element, and those that hold on some screens or in some mail programs alone, rule by rule."""

    declared: Declared
    elsewhere: Sequence[Declared] = ()


class _Declaration(NamedTuple):
    name: str
    value: str
    is_important: bool


class _Rule(NamedTuple):
    declarations: Sequence[_Declaration]
    is_elsewhere: bool


PAGE = Token(Kind.START, "", -1, "body")
"""The body of HTML that writes none."""


def styles_of(tokens: Sequence[Token]) -> dict[int, Style]:
    """Return the style of each element by the place where it starts, for all media but paper."""
    matcher = cssselect2.Matcher()
    for sheet, is_elsewhere in _sheets(tokens):
        _add_rules(matcher, tinycss2.parse_stylesheet(sheet, True, True), is_elsewhere=is_elsewhere)
    root, elements = _tree(tokens)
    matches = {
        id(each.etree_element): matcher.match(each)
        for each in cssselect2.ElementWrapper.from_html_root(root).iter_subtree()
    }
    return {
        token.start: _style(
            token, [rule for *_, pseudo, rule in matches[id(element)] if not pseudo]
        )
        for token, element in elements
    }


def inline_style(token: Token) -> Style:
    """Return the style of an element by its own attribute alone."""
    return _style(token, ())


def _style(token: Token, rules: Iterable[_Rule]) -> Style:
    normal: dict[str, str] = {}
    important: dict[str, str] = {}
    own = _declarations(_TAG.sub("", unescape_attribute(token.get("style") or "")))
    own_names = {each.name for each in own}
    elsewhere = []
    for rule in rules:
        if rule.is_elsewhere:
            elsewhere.append(
                {
                    name: value
                    for name, value, is_important in rule.declarations
                    if is_important or name not in own_names
                }
            )
            continue
        for name, value, is_important in rule.declarations:
            (important if is_important else normal)[name] = value
    normal |= {each.name: each.value for each in own if not each.is_important}
    important |= {each.name: each.value for each in own if each.is_important}
    return Style(normal | important, elsewhere)


def _sheets(tokens: Iterable[Token]) -> Iterator[tuple[str, bool]]:
    """Yield each style sheet, and whether it is for some screens or for Outlook alone."""
    sheet: list[str] | None = None
    media, for_outlook = "", False
    for token in tokens:
        if token.kind in {Kind.CONDITION, Kind.CONDITION_END}:
            for_outlook = token.hides
        elif token.name == "style" and token.kind is Kind.START:
            sheet, media = [], (token.get("media") or "").strip().lower()
        elif token.name == "style" and token.kind is Kind.END and sheet is not None:
            if not ON_PAPER.fullmatch(media):
                yield "".join(sheet), for_outlook or media not in EVERYWHERE
            sheet = None
        elif sheet is not None and token.kind not in {Kind.TAG, Kind.NOTE}:
            sheet.append(token.source)


def _add_rules(matcher: cssselect2.Matcher, nodes: Iterable[Any], *, is_elsewhere: bool) -> None:
    for node in nodes:
        if node.type == "qualified-rule":
            rule = _Rule(_declared(node.content), is_elsewhere)
            try:
                selectors = cssselect2.compile_selector_list(node.prelude)
            except cssselect2.SelectorError:
                continue
            for selector in selectors:
                matcher.add_selector(selector, rule)
        elif node.type == "at-rule" and node.content and node.lower_at_keyword != "font-face":
            media = tinycss2.serialize(node.prelude).strip().lower()
            if not ON_PAPER.fullmatch(media):
                inside = tinycss2.parse_rule_list(node.content, True, True)
                is_narrow = is_elsewhere or media not in EVERYWHERE
                _add_rules(matcher, inside, is_elsewhere=is_narrow)


def _tree(tokens: Sequence[Token]) -> tuple[Element, list[tuple[Token, Element]]]:
    """Return the elements as a tree, and with the tokens that start them."""
    root = Element("html")
    opened, elements = [root], []
    has_body = any(each.kind is Kind.START and each.name == "body" for each in tokens)
    for token in tokens if has_body else [PAGE, *tokens]:
        if token.kind is Kind.START:
            attributes = {each.name: unescape_attribute(each.value) for each in token.attributes}
            if token.name == "html":
                element = root
                root.attrib.update(attributes)
            else:
                element = SubElement(opened[-1], token.name, attributes)
                if token.name not in VOID and not token.source.endswith("/>"):
                    opened.append(element)
            elements.append((token, element))
        elif token.kind is Kind.END:
            names = [each.tag for each in opened[1:]]
            if token.name in names:
                del opened[len(names) - names[::-1].index(token.name) :]
    return root, elements


@lru_cache(maxsize=4_096)
def _declarations(style: str) -> Sequence[_Declaration]:
    return _declared(style)


def _declared(source: Any) -> Sequence[_Declaration]:
    """Return the declarations in order, with the longhands that matter for text added to their shorthands."""
    found: list[_Declaration] = []
    for each in tinycss2.parse_blocks_contents(source, True, True):
        if each.type != "declaration":
            continue
        value = tinycss2.serialize(each.value).strip().lower()
        found.append(_Declaration(each.lower_name, value, each.important))
        if each.lower_name == "background":
            found.append(_Declaration("background-color", value, each.important))
        elif each.lower_name == "font" and (size := _FONT_SIZE.search(value)):
            found.append(_Declaration("font-size", size[1], each.important))
    return found
