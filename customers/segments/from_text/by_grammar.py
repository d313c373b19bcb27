"""A description in English → rules, by the grammar: no network, and the same answer every time."""

from __future__ import annotations

from datetime import date, datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from customers.segments.from_text import gazetteer, spelling
from customers.segments.from_text.grammar import description as read
from customers.segments.from_text.lexer import tokens
from customers.segments.from_text.phrase import Phrase, Rule
from customers.segments.from_text.understood import NO_ONE, Understood, explained
from customers.segments.language import validate
from customers.segments.language.rules import RuleError
from customers.segments.lookups.comparisons import site_zone


def understand(description: str, now: datetime) -> Understood:
    """What the grammar makes of a description. Where that is nothing, the rules match no one."""
    today = timezone.localdate(now, site_zone())
    phrase, found = _read(description, today)
    if phrase.unread and (corrected := spelling.corrected(description, phrase.unread)):
        again, better = _read(corrected.text, today)
        if len(again.unread) < len(phrase.unread):
            phrase, found = again, better
            for note in corrected.notes:
                phrase.note(note)
    unparsed = list(dict.fromkeys(token.text for token in phrase.unread))
    if found is None:
        return Understood(
            NO_ONE, _("Nothing of this was understood, so it matches no one."), unparsed
        )
    try:
        rules = validate.validate_rules(_as_group(found))
    except RuleError as refused:
        told = _("This was understood, but does not fit: %s") % refused
        return Understood(NO_ONE, told, [token.text for token in phrase.tokens])
    return Understood(rules, explained(rules, list(phrase.notes), unparsed), unparsed)


def _read(description: str, today: date) -> tuple[Phrase, Rule | None]:
    found = tokens(description)
    phrase = Phrase(found, gazetteer.names_in(found, description), today)
    return phrase, read(phrase)


def _as_group(rule: Rule) -> Rule:
    return rule if "conditions" in rule else {"operator": "AND", "conditions": [rule]}
