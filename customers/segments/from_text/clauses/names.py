"""Comparisons of texts, and what is known of a person at all: e-mail ends with gmail.com, called Anna, without a phone number."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from customers.segments.from_text.clauses.reading import known_or_not, listed, remember
from customers.segments.from_text.conditions import attribute, not_, one_of
from customers.segments.from_text.languages import LANGUAGES
from customers.segments.from_text.phrase import Phrase, Rule

_FIELDS = {
    "email": "email(?:s)?(?: addresse?s?| domains?)?",
    "first_name": "(?:first|given) names?",
    "last_name": "(?:last|family) names?|surnames?",
    "name": "(?:full )?names?",
    "phone": "(?:phone|mobile|telephone|cell)(?: ?numbers?| phones?)?",
    "city": "city|cities|town",
    "region": "region|state|province|county",
    "country": "country|countries",
    "language": "language|preferred language",
    "timezone": "time ?zone",
    "external_id": "external id|customer id|customer number",
    "source": "source|acquisition source|acquisition channel|signup source",
    "date_of_birth": "birth ?days?|date of birth|birth ?date|dob",
    "registered_at": "registration date|sign ?up date",
}
_STARTS = "(?:that |which )?(?:starts?|begins?|starting|beginning) with"
_ENDS = "(?:that |which )?(?:ends?|ending) (?:with|in|on)"
_CONTAINS = "(?:that |which )?(?:contains?|containing|includes?|including|has|have)"
_IS = "(?:is|are|=|:|equals?|of|in|on|called|named)(?: (?:one of|either|set to|equal to))?"
_IS_NOT = "(?:is|are|does|do) not (?:one of|either|equal(?: to)?)?|!="
_MAIL_HOSTS = {
    "gmail": "gmail.com",
    "hotmail": "hotmail.com",
    "outlook": "outlook.com",
    "yahoo": "yahoo.com",
    "icloud": "icloud.com",
    "aol": "aol.com",
}
_DOMAIN = r"[\w-]+(?:\.[\w-]+)+"
_HAVING = "with|have|has|no|without|having|a|an|any|provided|gave|not|given|us|missing|lacking"
_ANY = "an?|any|their|the|us|valid|known"
_ALONE = "(?! (?:is|was|in|on|over|next|this|within|today|between|score|>|<))"
_END = (
    r"and|or|but|nor|who|that|whose|which|with|,|in|from|except|have|has|are|is|\)|=|!=|>|<|>=|<=|spent|bought|ordered|visited"
    "|opened|clicked|living|lives?|based|aged|over|under|born|registered|joined|interested|tagged|subscribed|not|no"
)
_COMPARED = r"\S+(?: \S+)? (?:=|!=|>|<|>=|<=|is|are|contains|starts|ends|begins)"


def mail_host(phrase: Phrase) -> Rule | None:
    """Gmail users; with a gmail address."""
    found = phrase.take(
        "(?:with |using |use |have "
        f"|has )*(?:an? )?(?P<host>{'|'.join(_MAIL_HOSTS)})(?: (?:address(?:es)?|accounts?|users?"
        "|emails?(?: addresse?s?)?))+"
    )
    return attribute("email", "ends_with", f"@{_MAIL_HOSTS[found['host']]}") if found else None


def mail_domain(phrase: Phrase) -> Rule | None:
    """E-mail at example.com; an example.org address; @example.com."""
    found = phrase.take(
        rf"(?:(?:with|using|use|have|has|an?|whose|their) )*(?:{_FIELDS['email']}) (?:(?:is|are) )?(?:at|from|on|@) @?(?P<at>{_DOMAIN})"
        rf"|(?:(?:with|using|use|have|has|an?) )*@?(?P<before>{_DOMAIN}) (?:addresse?s?|accounts?|emails?)(?: addresse?s?)?"
        rf"|@(?P<alone>{_DOMAIN})"
    )
    if found is None:
        return None
    return attribute("email", "ends_with", f"@{found['at'] or found['before'] or found['alone']}")


def text_field(phrase: Phrase) -> Rule | None:
    """First name is Anna; e-mail ends with example.com; city starts with S; language = fr."""
    for field, noun in _FIELDS.items():
        with phrase.attempt() as attempt:
            if not phrase.take(f"(?:(?:whose|with|having|their|the|an?|have|has) )*(?:{noun})"):
                continue
            rule = _compared_text(phrase, field)
            if rule is not None:
                attempt.keep()
                return rule
    return None


def called(phrase: Phrase) -> Rule | None:
    """Called Anna, named Smith."""
    if not phrase.take("(?:called|named)"):
        return None
    value = text_value(phrase)
    return (
        attribute("name" if value and " " in value else "first_name", "=", value) if value else None
    )


def presence(phrase: Phrase) -> Rule | None:
    """With a phone number; (not) with an e-mail address."""
    if not phrase.before(_HAVING):
        return None
    is_missing = phrase.before("missing|lacking")
    phrase.take("both ")
    rule = _present(phrase)
    if rule is None:
        return None
    return not_(rule) if is_missing else remember(phrase, _present, rule)


def _present(phrase: Phrase) -> Rule | None:
    for field, noun in _FIELDS.items():
        if phrase.take(
            f"(?:(?:{_ANY}) )*(?:{noun})(?: (?:on file|known|set|on record|given))?{_ALONE}"
        ):
            return attribute(field, "is_set")
    return None


def missing(phrase: Phrase) -> Rule | None:
    """Missing a phone number, lacking an e-mail."""
    if not phrase.take(
        "(?:who are |are |is |with |whose |have |has |an? )*(?:missing|lacking|lack|lacks|unknown|no known)"
    ):
        return None
    for field, noun in _FIELDS.items():
        if phrase.take(f"(?:(?:an?|any|their|the) )*(?:{noun})"):
            return attribute(field, "is_not_set")
    return None


def text_value(phrase: Phrase) -> str | None:
    """The words of a value as they were written: quoted, or until a word that leads on."""
    if phrase.is_over:
        return None
    if phrase.token.quoted:
        phrase.at += 1
        return phrase.tokens[phrase.at - 1].text
    if phrase.token.word.isdecimal() or phrase.sees(_COMPARED):
        return None
    first = phrase.at
    while not phrase.is_over and not phrase.sees(_END) and phrase.at - first < 4:
        if phrase.at > first and not _goes_on(phrase):
            break
        phrase.at += 1
    return _written(phrase, first) if phrase.at > first else None


def _goes_on(phrase: Phrase) -> bool:
    before, here = phrase.tokens[phrase.at - 1], phrase.token
    return before.end == here.start or (before.text[:1].isupper() and here.text[:1].isupper())


def _written(phrase: Phrase, first: int) -> str:
    parts = phrase.tokens[first : phrase.at]
    text = parts[0].text
    for before, part in pairwise(parts):
        text += ("" if before.end == part.start else " ") + part.text
    return text


def _compared_text(phrase: Phrase, field: str) -> Rule | None:
    if presence := known_or_not(phrase, field):
        return presence
    if field in {"date_of_birth", "registered_at"}:
        return None
    for pattern, operator in (
        (_STARTS, "starts_with"),
        (_ENDS, "ends_with"),
        (_CONTAINS, "contains"),
    ):
        is_not = bool(phrase.take(f"(?:does|do|is|are) not(?= {pattern})"))
        if phrase.take(pattern):
            value = text_value(phrase)
            if value is None:
                return None
            rule = attribute(field, operator, value)
            return not_(rule) if is_not else rule
    is_not = bool(phrase.take(_IS_NOT))
    if not is_not and not phrase.take(_IS) and not _follows_plainly(phrase, field):
        return None
    read = _values(field)
    compared = read(phrase)
    if compared is None:
        return None
    return not_(compared) if is_not else remember(phrase, read, compared)


def _follows_plainly(phrase: Phrase, field: str) -> bool:
    """Whether the value stands there without an "is": surname Smith."""
    if phrase.is_quoted or phrase.name(field):
        return True
    return field in {"first_name", "last_name"} and phrase.token.text[:1].isupper()


def _values(field: str) -> Callable[[Phrase], Rule | None]:
    def one(phrase: Phrase) -> str | None:
        if field == "language" and (spoken := phrase.take("|".join(LANGUAGES))):
            return LANGUAGES[spoken[0]]
        named = phrase.take_name(field)
        return named.value if named else text_value(phrase)

    def read(phrase: Phrase) -> Rule | None:
        phrase.take("(?:is|=|:)")
        found = listed(phrase, one)
        return one_of(field, found[0]) if found else None

    return read


CLAUSES = (mail_host, mail_domain, text_field, called, missing)
PRESENCE = (presence,)
