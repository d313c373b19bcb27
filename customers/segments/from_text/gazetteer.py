"""Find names of the data in a description: places, tags, products, segments … One query for each kind."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import CharField, QuerySet
from django.db.models.functions import Lower

from crm import masking
from customers.models import Customer, CustomerInterest, CustomerProfile, Product, Segment
from customers.segments.from_text import geography
from customers.segments.from_text.phrase import Name, Token, words
from customers.segments.language import event_types

LONGEST = 8
MOST_SEGMENTS = 2_000
MOST_SIMILAR = 5_000
NEWEST_CUSTOMERS = 20_000
_COMMON_WORDS = (
    "a an and any are as at be but by did do for from has have in is it not no of on or over that the their them they to under"
    " who with more less than all customers people orders order email emails last days months week month year since spent"
    " bought visited"
)
_NO_NAMES = frozenset(_COMMON_WORDS.split())
_GENDERS = "women woman female females men man male males ladies gentlemen"

_INHABITANTS = frozenset(
    [
        "customers",
        "shoppers",
        "people",
        "buyers",
        "residents",
        "clients",
        "users",
        "members",
        "subscribers",
    ]
)
_AS_WRITTEN = {"city", "region"}
"""Kinds without singular and plural."""

Wordings = Mapping[str, Sequence[tuple[int, int, bool]]]
"""Words in lower case → their positions: the first word, the number of words, and whether they are as written."""

_sources: dict[str, Callable[[], Iterable[tuple[str, str]]]] = {}


def register_names(kind: str, names: Callable[[], Iterable[tuple[str, str]]]) -> None:
    """Add names of an app above, such as campaigns: pairs of a name and its value in rules."""
    _sources[kind] = names


def names_in(tokens: Sequence[Token], description: str) -> dict[int, list[Name]]:
    """Return all names in a description by their first word. Runs a handful of SQL queries."""
    found: dict[int, list[Name]] = defaultdict(list)
    wordings = _wordings(tokens, description)
    for kind, wording, value in _looked_up(wordings):
        for start, length, is_written in wordings.get(wording, ()):
            if is_written or kind not in _AS_WRITTEN:
                found[start].append(Name(kind, value, length))
    for start, place in [*_inhabitants(tokens), *_regions_of_no_customer(tokens)]:
        found[start].append(place)
    for kind, name, value in _known_names():
        for start, length in _places_of(words(name), tokens):
            found[start].append(Name(kind, value, length))
    for start, country in geography.names_in(tokens):
        found[start].append(country)
    return dict(found)


def _wordings(tokens: Sequence[Token], description: str) -> dict[str, list[tuple[int, int, bool]]]:
    found: dict[str, list[tuple[int, int, bool]]] = defaultdict(list)
    for start, token in enumerate(tokens):
        for length in range(1, min(LONGEST, len(tokens) - start) + 1):
            last = tokens[start + length - 1]
            written = token.text if length == 1 else description[token.start : last.end]
            folded = " ".join(written.casefold().split())
            if length == 1 and (
                folded in _NO_NAMES or not any(letter.isalpha() for letter in folded)
            ):
                continue
            for form in _forms(folded):
                found[form].append((start, length, form == folded))
    return found


def _inhabitants(tokens: Sequence[Token]) -> Iterator[tuple[int, Name]]:
    """Yield cities named by their inhabitants: Londoners, London shoppers; well-known ones of no customer as a new city."""
    wanted: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for start, token in enumerate(tokens):
        for length in range(1, min(3, len(tokens) - start) + 1):
            wording = " ".join(each.word for each in tokens[start : start + length])
            if token.word in _NO_NAMES:
                continue
            for city in geography.cities_of_inhabitants(wording):
                wanted[city].append((start, length))
            after = tokens[start + length].word if start + length < len(tokens) else ""
            if after in _INHABITANTS and geography.is_well_known_city(wording):
                wanted[wording].append((start, length))
    known = _by_any_name("city", list(wanted), geography.cities_called) if wanted else ()
    stored = {city: value for _kind, city, value in known}
    for city, places in wanted.items():
        for start, length in places:
            if city in stored:
                yield start, Name("city", stored[city], length)
            elif geography.is_well_known_city(city):
                yield start, Name("new city", city.title(), length)


def _regions_of_no_customer(tokens: Sequence[Token]) -> Iterator[tuple[int, Name]]:
    """Yield well-known regions by their name or their inhabitants; those of the data have the same length and come first."""
    for start, token in enumerate(tokens):
        for length in range(1, min(4, len(tokens) - start) + 1):
            wording = " ".join(each.word for each in tokens[start : start + length])
            names = geography.regions_called(wording.replace(" - ", "-"))
            is_after = start > 0 and tokens[start - 1].word in {"in", "from", "outside"}
            if names and (token.text[:1].isupper() or (is_after and wording in names)):
                yield start, Name("new region", names[0].title(), length)


def _forms(word: str) -> set[str]:
    """Return a word in its singular and plural forms."""
    forms = {word, word + "s"}
    if word.endswith("ies"):
        forms.add(word[:-3] + "y")
    if word.endswith("es"):
        forms.add(word[:-2])
    if word.endswith("s"):
        forms.add(word[:-1])
    return forms


def _looked_up(wordings: Wordings) -> Iterator[tuple[str, str, str]]:
    """Yield (kind, wording, value) of names in the tables."""
    wanted = list(wordings)
    yield from _by_any_name("city", wanted, geography.cities_called)
    yield from _by_any_name("region", wanted, geography.regions_called)
    yield from _of_column("source", Customer.objects.all(), "source", wanted)
    yield from _of_column("rfm", CustomerProfile.objects.all(), "rfm_segment", wanted)
    yield from _of_column("interest", CustomerInterest.objects.all(), "category", wanted)
    yield from _of_column("category", Product.objects.all(), "category", wanted)
    yield from _of_column("product", Product.objects.all(), "name", wanted)
    yield from _of_column("brand", Product.objects.all(), "brand", wanted)
    for (tag,) in _rows(
        "SELECT DISTINCT tag FROM customers_customer, unnest(tags) tag WHERE lower(tag) = ANY(%s)",
        wanted,
    ):
        yield "tag", tag.casefold(), tag
    yield from _attributes(wanted)


def _by_any_name(
    kind: str, wanted: list[str], names_of: Callable[[str], Iterable[str]]
) -> Iterator[tuple[str, str, str]]:
    """Yield cities or regions by any of their names; the values are all spellings that the data has, a line each."""
    wordings: dict[str, list[str]] = defaultdict(list)
    for wording in wanted:
        for name in {wording, *names_of(wording)}:
            wordings[name].append(wording)
    found: dict[str, list[str]] = defaultdict(list)
    for _kind, name, value in _of_column(kind, Customer.objects.all(), kind, list(wordings)):
        for wording in wordings[name]:
            found[wording].append(value)
    for wording, values in found.items():
        yield kind, wording, "\n".join(values)


def _of_column(
    kind: str, queryset: QuerySet[Any], column: str, wanted: list[str]
) -> Iterator[tuple[str, str, str]]:
    folded = Lower(column, output_field=CharField())
    rows = (
        queryset.alias(folded=folded)
        .filter(folded__in=wanted)
        .order_by()
        .values_list(column, flat=True)
    )
    for value in rows.distinct():
        yield kind, value.casefold(), value


def _attributes(wanted: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield keys and values of free attributes of the newest customers."""
    people = f"(SELECT attributes FROM customers_customer WHERE attributes <> '{{}}' ORDER BY id DESC LIMIT {NEWEST_CUSTOMERS}) people"
    keys: dict[str, str] = {}
    for (key,) in _rows(
        f"SELECT DISTINCT jsonb_object_keys(attributes) FROM {people} WHERE %s::text[] IS NOT NULL",
        wanted,
    ):
        keys[" ".join(words(key))] = key
        yield "key", " ".join(words(key)), key
    for key in keys.values():
        if key.casefold() in {"gender", "sex"}:
            yield from (("gender", word, key) for word in _GENDERS.split())
    if masking.is_on():  # a value that is understood exists
        return
    values: dict[str, list[str]] = defaultdict(list)
    for key, value in _rows(
        f"SELECT DISTINCT key, value #>> '{{}}' FROM {people}, jsonb_each(attributes) "
        "WHERE jsonb_typeof(value) = 'string' AND lower(value #>> '{}') = ANY(%s)",
        wanted,
    ):
        values[value].append(key)
    for value, under in values.items():
        yield "value", value.casefold(), "\n".join([value, *under])


def _rows(sql: str, wanted: list[str]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [wanted])
        return cursor.fetchall()


def _known_names() -> Iterator[tuple[str, str, str]]:
    """Yield (kind, name, value) of names few enough to compare word by word."""
    for name, slug in Segment.objects.order_by("-size").values_list("name", "slug")[:MOST_SEGMENTS]:
        yield "segment", name, slug
        yield "segment", slug, slug
    for kind, names in _sources.items():
        for name, value in names():
            yield kind, name, value
    for event in event_types.types_on_the_timeline():
        yield "event", event, event


def _places_of(name: Sequence[str], tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Yield (position, length) of each place where the words of a name follow each other, apart from signs."""
    if not name or (len(name) == 1 and name[0] in _NO_NAMES):
        return
    for start in range(len(tokens)):
        at, matched = start, 0
        while at < len(tokens) and matched < len(name):
            word = tokens[at].word
            if word in _forms(name[matched]) if matched == len(name) - 1 else word == name[matched]:
                matched += 1
            elif matched == 0 or word not in {"-", "&"}:
                if tokens[at].quoted and matched == 0 and words(tokens[at].text) == tuple(name):
                    matched = len(name)
                else:
                    break
            at += 1
        if matched == len(name):
            yield start, at - start


def word_of_product_names(word: str) -> str | None:
    """Return the word as product names have it, in singular or plural; None if none does."""
    for form in sorted(_forms(word.casefold()), key=len):
        if Product.objects.filter(name__iregex=rf"\m{re.escape(form)}\M").exists():
            return form
    return None


def names_beginning_like(wordings: Iterable[str]) -> list[str]:
    """Return cities, categories, tags, segments and events with the first letter of one of the words, for spelling."""
    initials = sorted({word[0] for word in wordings})
    beginning = "left(lower(name), 1) = ANY(%s)"
    sources = (
        "SELECT DISTINCT city FROM customers_customer",
        "SELECT DISTINCT category FROM customers_product",
        "SELECT DISTINCT unnest(tags) FROM customers_customer",
        "SELECT name FROM customers_segment",
        "SELECT unnest(%s::text[])",
    )
    union = " UNION ".join(f"({source})" for source in sources)
    events = [word for name in event_types.types_on_the_timeline() for word in words(name)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT name FROM ({union}) AS named(name) WHERE {beginning} LIMIT {MOST_SIMILAR}",
            [events, initials],
        )
        return [name for (name,) in cursor.fetchall()]
