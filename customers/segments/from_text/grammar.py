"""Join conditions to rules. From loosest to tightest: "except", a comma before "and" or "or", "or", "and", lists of names."""

from __future__ import annotations

from datetime import date, datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from customers.segments.from_text import gazetteer, spelling
from customers.segments.from_text.conditions import all_of, any_of, not_
from customers.segments.from_text.person import bare_age
from customers.segments.from_text.phrase import LeftOut, Phrase, RuleJSON, tokens
from customers.segments.from_text.slots import first_of
from customers.segments.from_text.table import CLAUSES
from customers.segments.from_text.understood import NO_ONE, Understood, explained
from customers.segments.from_text.vocabulary import EXCEPTION, GLUE, NEGATION, PEOPLE, SUBJECT
from customers.segments.language import validate
from customers.segments.language.rules import RuleError
from customers.segments.lookups.comparisons import site_zone

_OR = "(?:or(?: else)?|nor|/)"
_AND = "(?:and(?: also)?|&|plus|as well as|while|yet)"
_LOOSE_AND = "(?:, (?:and|but)(?: also)?|but(?: also)?|and then|, (?=(?:who|that|which|with|also|plus|while|have|are|whose) )|,)"
_LOOSE_OR = "(?:, (?:or|or else))"
_CLAUSE = "(?:who|that|which|whose|with|have|has|had|are|is|were|was|did|do|does|in|from|bought|ordered|spent|visited|tagged)"
_PERCENT = (
    "(?:(?:of|at|least|most|over|more|than|less|under|above|below|only|about|exactly|>=|<=|>|<) )*"
    r"\d+(?:\.\d+)? (?:%|percent|per cent)"
)
"""Says how much of the condition before; no rule compares that."""
MOST_WORDS = 500
"""Reading takes two thousand matches a word; the longest description in English has 450."""
MOST_NESTED = 10
"""As deep as rules nest."""
_LISTS = {"tags", "segment", "interests"}
_JOINING = "and|or|but|nor|not|never|no|without|,|&|again"
_PLACES = {"city", "region", "country"}
_RELATIVE = "(?:who|that|which|whose)"


def understand(description: str, now: datetime) -> Understood:
    """Read a description by the grammar: the same answer every time, without network. Unknown words match no one."""
    words = tokens(description)
    if len(words) > MOST_WORDS:
        reason = _("The description has more than %d words and signs. Shorten it.")
        return Understood(
            NO_ONE, reason % MOST_WORDS, list(dict.fromkeys(each.text for each in words))
        )
    today = timezone.localdate(now, site_zone())
    phrase, found = _read(description, today)
    if corrected := spelling.corrected(description, [*phrase.unread, *phrase.doubtful]):
        again, better = _read(corrected.text, today)
        if _unsure_of(again) < _unsure_of(phrase):
            phrase, found = again, better
            for note in corrected.notes:
                phrase.note(note)
    unparsed = list(dict.fromkeys(token.text for token in phrase.unread))
    if found is None:
        return Understood(NO_ONE, _("Nothing of this was understood."), unparsed)
    try:
        rules = validate.validate_rules(_as_group(found))
    except RuleError as refused:
        reason = _("This was understood, but does not fit: %s") % refused
        return Understood(NO_ONE, reason, [token.text for token in phrase.tokens])
    return Understood(rules, explained(rules, list(phrase.notes), unparsed), unparsed)


def _read(description: str, today: date) -> tuple[Phrase, RuleJSON | None]:
    found = tokens(description)
    phrase = Phrase(found, gazetteer.names_in(found, description), today)
    return phrase, _description(phrase)


def _unsure_of(phrase: Phrase) -> int:
    return len(phrase.unread) + len(phrase.doubtful)


def _as_group(rule: RuleJSON) -> RuleJSON:
    return rule if "conditions" in rule else {"operator": "AND", "conditions": [rule]}


def _description(phrase: Phrase) -> RuleJSON | None:
    """Read the whole phrase; `phrase.unread` collects the words of no condition."""
    parts: list[RuleJSON] = []
    while not phrase.is_over:
        found = _with_exceptions(phrase)
        if found is not None:
            parts.append(found)
        elif not phrase.is_over:
            _skip(phrase)
    return all_of(parts) if parts else None


def _with_exceptions(phrase: Phrase) -> RuleJSON | None:
    """Read "A except B"."""
    found = _sentences(phrase)
    while phrase.take(f"(?:, )?(?:and |but )?(?:{EXCEPTION})"):
        without = _excluded(phrase)
        if without is not None:
            found = not_(without) if found is None else all_of([found, not_(without)])
    return found


def _excluded(phrase: Phrase) -> RuleJSON | None:
    """Read what is excluded: "VIPs and staff" are both, and so are "those in Paris and those in Lyon"."""
    parts = []
    while (found := _all_of_them(phrase)) is not None:
        parts.append(_any_of_a_list(found))
        if not phrase.take(f"(?:, )?(?:{_OR}|and)|,(?= (?:those|people|anyone|the))"):
            break
    return any_of(parts) if parts else None


def _any_of_a_list(rule: RuleJSON) -> RuleJSON:
    is_list = rule.get("field") in _LISTS and rule["operator"] == "contains_all"
    return {**rule, "operator": "contains_any"} if is_list else rule


def _sentences(phrase: Phrase) -> RuleJSON | None:
    """Read parts between commas. A comma alone means the same as the next connective after a comma."""
    first = _alternatives(phrase)
    parts = [] if first is None else [first]
    joints: list[str] = []
    while joint := _joint(phrase):
        if joint == "or" and _skip_unknown(phrase):
            joint = "and"
        part = _alternatives(phrase)
        if part is not None:
            joints += [joint] if parts else []
            parts.append(part)
    return _by_joints(parts, joints)


def _joint(phrase: Phrase) -> str | None:
    """Read the connective of two parts: "or", "and", or "," for a comma alone."""
    if phrase.is_over or phrase.sees(f"\\)|(?:, )?(?:and |but )?(?:{EXCEPTION})"):
        return None
    if phrase.take(_LOOSE_OR):
        return "or"
    found = phrase.take(_LOOSE_AND)
    if found is None:
        return None
    return "," if found[0] == "," else "and"


def _by_joints(parts: list[RuleJSON], joints: list[str]) -> RuleJSON | None:
    meant, following = [], "and"
    for joint in reversed(joints):
        following = following if joint == "," else joint
        meant.append(following)
    alternatives: list[list[RuleJSON]] = [parts[:1]]
    for joint, part in zip(reversed(meant), parts[1:], strict=True):
        if joint == "or":
            alternatives.append([part])
        else:
            alternatives[-1].append(part)
    return any_of([all_of(_places_together(each)) for each in alternatives]) if parts else None


def _alternatives(phrase: Phrase) -> RuleJSON | None:
    """Read "A or B". A part that is not understood takes its "or" along."""
    found = _all_of_them(phrase)
    parts = [found] if found is not None else []
    while phrase.take(_OR):
        is_unknown = _skip_unknown(phrase)
        another = _all_of_them(phrase)
        if another is not None and is_unknown and parts:
            parts[-1] = all_of([parts[-1], another])
        elif another is not None:
            parts.append(another)
    return any_of(parts) if parts else None


def _skip_unknown(phrase: Phrase) -> bool:
    """Skip a part of which nothing is understood, with the connective before it; words of a part that is understood stay."""
    with phrase.attempt() as attempt:
        phrase.leave_out(phrase.at - 1)
        first, is_new = len(phrase.unread), False
        while not phrase.is_over and not _ends_here(phrase):
            is_new = len(phrase.unread) > first and bool(phrase.sees(f"{_CLAUSE}|{_AND}"))
            if is_new or _is_understood(phrase):
                break
            _skip(phrase)
        if len(phrase.unread) > first and (_ends_here(phrase) or phrase.is_over or is_new):
            attempt.keep()
    return attempt.kept


def _is_understood(phrase: Phrase) -> bool:
    with phrase.attempt():
        if phrase.sees(f"{NEGATION}|\\(|either"):
            return True
        try:
            return bool(_left_out(phrase) or first_of((*CLAUSES, bare_age), phrase))
        except LeftOut:
            return True


def _all_of_them(phrase: Phrase) -> RuleJSON | None:
    """Read "A and B", or "A B": conditions side by side must all hold."""
    parts: list[RuleJSON] = []
    while not phrase.is_over and not _ends_here(phrase):
        phrase.take(_AND)
        if parts and phrase.sees(f"(?:{PEOPLE} )?{_RELATIVE} ") and not phrase.before("and|or|but"):
            found = _relative(phrase)
        else:
            found = _condition(phrase)
        if found is not None:
            parts.append(found)
    return all_of(_places_together(parts)) if parts else None


def _places_together(parts: list[RuleJSON]) -> list[RuleJSON]:
    """Join places by "or": no customer lives in two, so "from Paris and from Lyon" means either."""
    found: list[RuleJSON] = []
    for part in parts:
        if found and part.get("field") in _PLACES and found[-1].get("field") == part["field"]:
            both = [found[-1], part]
            if all(rule["operator"] in {"=", "in"} for rule in both):
                found[-1] = any_of(both)
                continue
        found.append(part)
    return found


def _relative(phrase: Phrase) -> RuleJSON | None:
    """Read a relative clause: in "people in Paris who A or B" the "or" belongs to "who"."""
    phrase.take(f"(?:{PEOPLE} )?{_RELATIVE}")
    return _alternatives(phrase)


def _ends_here(phrase: Phrase) -> bool:
    return bool(phrase.sees(f"\\)|,|{_OR}|but|(?:and |but )?(?:{EXCEPTION})"))


def _condition(phrase: Phrase) -> RuleJSON | None:
    """Read a condition, perhaps negated or in brackets; skip a word that begins none, or nests too deeply."""
    if phrase.depth >= MOST_NESTED:
        _skip(phrase)
        return None
    phrase.depth += 1
    try:
        return _nested_condition(phrase)
    finally:
        phrase.depth -= 1


def _nested_condition(phrase: Phrase) -> RuleJSON | None:
    if phrase.take("\\("):
        found = _with_exceptions(phrase)
        phrase.take("\\)")
        return found
    if phrase.take("either"):
        return _either(phrase)
    start = phrase.at
    try:
        found = first_of(CLAUSES, phrase)
        if found is not None and phrase.take(_PERCENT):
            raise LeftOut
    except LeftOut:
        phrase.leave_out(start)
        return None
    if found is not None:
        return found
    if phrase.take(NEGATION):
        return _negated(phrase)
    if (found := _left_out(phrase) or first_of((bare_age,), phrase)) is not None:
        return found
    if not _ends_here(phrase):
        _skip(phrase)
    return None


def _either(phrase: Phrase) -> RuleJSON | None:
    first = _all_of_them(phrase)
    if not phrase.take(f"(?:, )?{_OR}"):
        return first
    second = _next(phrase)
    return (
        any_of([rule for rule in (first, second) if rule is not None]) if first or second else None
    )


def _negated(phrase: Phrase) -> RuleJSON | None:
    """Read what "not" negates: in "not A or B" both, unless B begins something new."""
    while _skip_unknown(phrase):
        if phrase.sees(f"(?:{_OR}) {SUBJECT}") or not phrase.take(_OR):
            return None
    first = _next(phrase)
    if first is None:
        return None
    parts = [not_(first)]
    while phrase.sees(f"(?:{_OR})(?! {SUBJECT})") or phrase.sees("nor"):
        with phrase.attempt() as attempt:
            phrase.take(_OR)
            phrase.take(NEGATION)
            another = _next(phrase)
            if another is not None:
                attempt.keep()
                parts.append(not_(another))
        if another is None:
            break
    return all_of(parts)


def _next(phrase: Phrase) -> RuleJSON | None:
    """Read the next condition before a connective."""
    while not phrase.is_over and not _ends_here(phrase):
        found = _condition(phrase)
        if found is not None:
            return found
        if phrase.sees(_AND):
            break
    return None


def _left_out(phrase: Phrase) -> RuleJSON | None:
    """Read a part that continues the condition before without its verb."""
    again = phrase.again
    return first_of((again,), phrase) if again and phrase.before(_JOINING) else None


def _skip(phrase: Phrase) -> None:
    """Skip a word; one that carries a meaning is listed as not understood."""
    if phrase.is_over or phrase.take(f"{GLUE}|{PEOPLE}"):
        return
    phrase.unread.append(phrase.token)
    phrase.at += 1
