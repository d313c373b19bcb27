"""Upsert customers from files, single calls and batches: match, merge and write rows set-based.

A row is matched by external id, else by e-mail, else by a phone that one customer alone has. Missing fields keep their value;
attributes are merged; of two rows about one person the later wins. Concurrent batches wait for each other and never deadlock.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from customers import clean, consent, customer_totals
from customers.consent import Wish
from customers.identity import (
    LOCK_BATCHES,
    Kind,
    Name,
    add_external_ids,
    emit_changed,
    find_by_identity,
    mark_known,
    release_emails,
    save_identities,
)
from customers.ingest.fields import (
    ATTRIBUTE,
    CONSENT,
    CUSTOMER,
    LEFT_OUT,
    LISTED,
    OPTED_IN_AT,
    STATED_AT,
    WANTS,
    Refused,
    clean_fields,
    is_empty,
)
from customers.ingest.staged_upsert import Column, Incoming, merge, new_keys
from customers.models import Customer

ATTEMPTS = 3
LONGEST_SOURCE = 100
DATES_OF_CONSENT = (OPTED_IN_AT, STATED_AT)
CALL = "call: "
"""Before the name of the field of a call, as the source of its consent."""

Row = dict[str, Any]
"""A cleaned row: columns of Customer (None empties one), and `consents`: what it says of consent, as consent.Wishes."""

# a source that still calls a buyer a lead does not undo the first order
_LIFECYCLE = """
    CASE WHEN new.{0} = 'lead' AND old.order_count > 0 THEN old.{0} ELSE coalesce(new.{0}, old.{0}) END
"""

COLUMNS = [
    Column("external_id", empty="NULL"),
    Column("email", empty="NULL"),
    *(
        Column(name)
        for name in (
            *("phone", "first_name", "last_name", "city", "region", "country", "language"),
            *("timezone", "source"),
        )
    ),
    Column("lifecycle_status", empty="'lead'", merged=_LIFECYCLE),
    Column("date_of_birth", "date", "NULL"),
    Column("registered_at", "timestamptz", "NULL"),
    Column("tags", "varchar[]", "'{}'"),
    Column("attributes", "jsonb", "'{}'", "old.{0} || coalesce(new.{0}, '{{}}')"),
    Column("opening_spend", "numeric", "0"),
    Column("opening_orders", "integer", "0"),
    Column("opening_visits", "integer", "0"),
    Column("last_visit_at", "timestamptz", "NULL", "greatest(old.{0}, new.{0})"),
    Column("from_browser", "boolean", "false", "old.{0}"),
]
_FIGURES = frozenset({"opening_spend", "opening_orders", "opening_visits", "last_visit_at"})
_FIELD_TO_COLUMN = {
    "total_spend": "opening_spend",
    "order_count": "opening_orders",
    "visit_count": "opening_visits",
}

_LOCK_KNOWN = """
    SELECT id, external_id, lower(email), from_browser FROM customers_customer
    WHERE id = ANY(ARRAY(
        SELECT id FROM customers_customer
        WHERE external_id = ANY(ARRAY(SELECT jsonb_array_elements_text(%(external_ids)s::jsonb)))
        UNION ALL
        SELECT id FROM customers_customer
        WHERE lower(email) = ANY(ARRAY(SELECT jsonb_array_elements_text(%(emails)s::jsonb)))
    ) || %(keys)s::bigint[])
    ORDER BY id FOR NO KEY UPDATE
"""
"""Thousands of ids as JSON, which is written and read much faster than an array of text."""


class Stated(NamedTuple):
    """The value of a field of consent, and the column or field of a call that states it."""

    field: str
    source: str
    value: Any


class Outcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(slots=True)
class Result:
    """The outcome of one row, with the reason of a failure, or what was left out of a row that was written.

    `kept_out` says that its opt-in could not undo an opt-out.
    """

    outcome: Outcome
    pk: int | None = None
    reason: str = ""
    left_out: Refused | None = None
    kept_out: bool = False


@dataclass(slots=True)
class _Person:
    """One customer of the batch, existing or new, with the merged values of its rows."""

    pk: int | None
    external_id: str | None
    email: str | None
    from_browser: bool = False
    values: Row = field(default_factory=dict)
    places: list[int] = field(default_factory=list)
    more_ids: list[str] = field(default_factory=list)

    @property
    def loses_email(self) -> bool:
        """Return whether its e-mail yields to a server that states it of another customer: visitors enter any address."""
        return self.from_browser and self.external_id is not None and not self.places


class _Done(NamedTuple):
    """Ids of changed existing customers, and of those whose opt-out an opt-in could not undo."""

    updated: set[int]
    kept_out: set[int]


class _Known(NamedTuple):
    by_external_id: dict[str, _Person]
    by_email: dict[str, _Person]
    by_phone: dict[str, _Person]


def clean_customer(given: Mapping[str, object], *, erase: bool = False) -> Row:
    """Clean a row of fields as a source writes them (customers.ingest.fields.CUSTOMER, and `attributes`).

    An empty value is ignored, or with `erase` empties the column. Raises Refused for an invalid value.
    """
    row = clean_fields(given, CUSTOMER)
    if erase:
        emptied = (name for name, value in given.items() if is_empty(value))
        row |= dict.fromkeys(name for name in emptied if not name.startswith(ATTRIBUTE))
    return complete_customer(row)


def complete_customer(row: Row) -> Row:
    """Turn cleaned fields into columns of Customer. Raises Refused for an invalid phone or name."""
    for name, column in _FIELD_TO_COLUMN.items():
        if name in row:
            row[column] = row.pop(name)
    _split_name(row)
    if "stated" in row or not CONSENT.keys().isdisjoint(row):
        _read_consent(row)
    if row.get("phone"):
        _complete_phone(row)
    return row


def _complete_phone(row: Row) -> None:
    if clean.is_null(row["phone"]):
        del row["phone"]
        return
    country = row.get("country") or ""
    row["phone"] = _clean("phone", lambda number: clean.phone(number, country), row["phone"])


def upsert_customers(
    rows: Sequence[Row],
    *,
    evidence: str,
    adds_ids: bool = False,
    from_browser: bool = False,
    from_visitor: bool = False,
) -> list[Result]:
    """Write cleaned rows, a few thousand at most, in one transaction; returns results in the order of the rows.

    A row that names nobody, or two people at once, fails alone; with `adds_ids`, a new external id of a known e-mail becomes a second id
    of that customer, without the figures of its row. `evidence` is stored with the consents in rows. Rows `from_browser` change only
    customers that no other rows gave.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic():
                results = _upsert(
                    rows,
                    evidence,
                    adds_ids=adds_ids,
                    from_browser=from_browser,
                    takes_emails=not (from_browser or from_visitor),
                )
                if not from_browser:
                    mark_known([result.pk for result in results if result.pk])
                return results
        except IntegrityError:
            # somebody took an id in the admin after it was looked up
            if attempt == ATTEMPTS:
                raise
    raise AssertionError


def change_customer(pk: int, row: Row, *, evidence: str) -> bool:
    """Write a cleaned row to this customer, ids included; returns whether an opt-in could not undo an opt-out.

    Raises Refused for an id of somebody else, or if none would be left.
    """
    with transaction.atomic():
        if _erased([row]):
            raise Refused(_("This person was erased. Erased people are not imported again."))
        by_external_id, by_email, _by_phone = _existing([row])
        for name, owner in (
            ("external_id", by_external_id.get(row.get("external_id") or "")),
            ("email", by_email.get(row.get("email") or "")),
        ):
            if owner is None or owner.pk in (None, pk):
                continue
            if name == "external_id" or not owner.loses_email:
                raise Refused(_("belongs to another customer."), name)
            release_emails({owner.pk: row["email"]})
        try:
            with transaction.atomic():
                mark_known([pk])
                written = _write([_Person(pk, None, None, values=row)], frozenset(), evidence)
                if (
                    not Customer.objects.filter(pk=pk)
                    .exclude(external_id=None, email=None)
                    .exists()
                ):
                    raise Refused(_("A customer needs an external_id or an email."))
                return pk in written.kept_out
        except IntegrityError as error:
            raise Refused(
                _("Another customer got an id of this one meanwhile. Try again.")
            ) from error


def _upsert(
    rows: Sequence[Row],
    evidence: str,
    *,
    adds_ids: bool,
    from_browser: bool,
    takes_emails: bool,
) -> list[Result]:
    results = [Result(Outcome.FAILED) for _row in rows]
    released: dict[int, str] | None = {} if takes_emails else None
    people = _match(rows, results, adds_ids=adds_ids, from_browser=from_browser, released=released)
    if released:
        release_emails(released)
    fresh = [person for person in people if person.pk is None]
    for person, pk in zip(fresh, new_keys("customers_customer", len(fresh)), strict=True):
        person.pk = pk
        if from_browser:
            person.values["from_browser"] = True
    created = frozenset(person.pk for person in fresh if person.pk)
    done = _write(people, created, evidence)
    for person in people:
        is_written = person.pk in created or person.pk in done.updated
        outcome = Outcome.UPDATED if is_written else Outcome.UNCHANGED
        for place in person.places:
            results[place] = Result(outcome, person.pk, left_out=results[place].left_out)
        first = results[person.places[0]]
        first.kept_out = person.pk in done.kept_out
        if person.pk in created:
            first.outcome = Outcome.CREATED
    return results


def _write(people: Sequence[_Person], created: frozenset[int], evidence: str) -> _Done:
    """Write merged values and their consequences."""
    written = merge(
        "customers_customer",
        COLUMNS,
        [
            Incoming(person.pk, person.pk in created, person.values)
            for person in people
            if person.pk
        ],
    )
    touched = [*written.created, *written.updated]
    save_identities(touched)
    add_external_ids([(each.pk, each.more_ids) for each in people if each.pk and each.more_ids])
    consent.hold_opt_outs(touched)
    if any(_FIGURES & person.values.keys() for person in people):
        customer_totals.recompute(touched)
    decided = [
        (each.pk, each.values["consents"])
        for each in people
        if each.pk and each.values.get("consents")
    ]
    recorded = consent.record_wishes(decided, evidence)
    updated = {*written.updated, *(recorded.changed - created)}
    emit_changed(written.created, sorted(updated))
    return _Done(updated, recorded.kept_out)


def _match(
    rows: Sequence[Row],
    results: list[Result],
    *,
    adds_ids: bool,
    from_browser: bool,
    released: dict[int, str] | None,
) -> list[_Person]:
    """Match rows with people, existing ones locked. A row that matches no customer, or may not change it, is marked in the results.

    E-mails that customers of browsers lose to the rows go into `released`, if it is given.
    """
    people: list[_Person] = []
    by_external_id, by_email, by_phone = _existing(rows)
    erased = _erased(rows)
    for place, given in enumerate(rows):
        row = given
        results[place].left_out = row.get(LEFT_OUT)
        external_id, email = row.get("external_id"), row.get("email")
        person = by_external_id.get(external_id) if external_id else None
        owner = by_email.get(email) if email else None
        if person is None and owner and not (external_id and owner.external_id):
            person = owner
        if owner is not person and owner and owner.email != email:
            owner = None  # a former address does not make a conflict
        if (
            adds_ids
            and owner
            and external_id
            and person in (None, owner)
            and external_id != owner.external_id
        ):
            person = owner
            row, results[place].left_out = _as_second_id(row, owner)
        if not external_id and not email:
            person = by_phone.get(row.get("phone") or "")
        if (
            released is not None
            and email
            and owner
            and owner.pk
            and owner is not person
            and owner.loses_email
        ):
            released[owner.pk] = email
            del by_email[email]
            owner.email, owner = None, None
        if reason := _misfit(row, person, owner, erased):
            results[place].reason = reason
            continue
        if from_browser and person and person.pk and not person.from_browser:
            results[place] = Result(Outcome.UNCHANGED, person.pk, _("A server sends it."))
            continue
        if person is None:
            person = _Person(None, None, None)
        if not person.places:
            people.append(person)
        if owner and email != person.email and external_id != person.external_id:
            # matched by an id from before a merge, which stays a former id
            _take_in(person, place, {name: row[name] for name in row if name != "email"})
        else:
            _take_in(person, place, row)
        for known, key in ((by_external_id, person.external_id), (by_email, person.email)):
            if key:
                known.setdefault(key, person)
    return people


def _as_second_id(row: Row, owner: _Person) -> tuple[Row, Refused | None]:
    """Add the external id of the row to a customer; returns the row without it and its figures, and what was left out."""
    owner.more_ids.append(row["external_id"])
    rest = {name: value for name, value in row.items() if name not in {"external_id", *_FIGURES}}
    if len(rest) == len(row) - 1:
        return rest, None
    figures_left_out = _(
        "“%(second)s” is a second id of customer %(first)s, and the figures of this row were not added."
    )
    told = figures_left_out % {"second": row["external_id"], "first": owner.external_id}
    return rest, Refused(told, "total_spend")


def _erased(rows: Sequence[Row]) -> set[str]:
    """Return the ids in the rows that belong to erased people."""
    return consent.erased_among(row.get(name) for row in rows for name in ("external_id", "email"))


def _misfit(row: Row, person: _Person | None, owner: _Person | None, erased: set[str]) -> str:
    if not erased.isdisjoint((row.get("external_id"), row.get("email"))):
        return _("This person was erased. Erased people are not imported again.")
    if person is None and not row.get("external_id") and not row.get("email"):
        return _("A customer needs an external_id or an email.")
    if owner is not None and owner is not person:
        return _("email: “%(email)s” belongs to another customer%(who)s.") % {
            "email": row["email"],
            "who": f" ({owner.external_id})" if owner.external_id else "",
        }
    return ""


def _take_in(person: _Person, place: int, row: Row) -> None:
    values = dict(row)
    if person.external_id:
        values.pop("external_id", None)  # an existing external id stays
    else:
        person.external_id = values.get("external_id")
    if values.get("attributes") and person.values.get("attributes"):
        values["attributes"] = person.values["attributes"] | values["attributes"]
    if values.get("consents") and person.values.get("consents"):
        values["consents"] = consent.combine(person.values["consents"], values["consents"])
    person.email = values.get("email") or person.email
    person.values.update(values)
    person.places.append(place)


def _existing(rows: Sequence[Row]) -> _Known:
    """Return the customers with the ids of the rows, current or earlier ones, locked in the order of their keys."""
    external_ids = {external_id for row in rows if (external_id := row.get("external_id"))}
    emails = {email for row in rows if (email := row.get("email"))}
    with connection.cursor() as cursor:
        cursor.execute(LOCK_BATCHES)
        found = find_by_identity(
            [
                *(Name(Kind.EXTERNAL_ID, value) for value in external_ids),
                *(Name(Kind.EMAIL, value) for value in emails),
                *(Name(Kind.PHONE, row["phone"]) for row in rows if _has_phone_alone(row)),
            ]
        )
        cursor.execute(
            _LOCK_KNOWN,
            {
                "external_ids": json.dumps(list(external_ids)),
                "emails": json.dumps(list(emails)),
                "keys": list(set(found.values())),
            },
        )
        people = {
            pk: _Person(pk, external_id, email, from_browser)
            for pk, external_id, email, from_browser in cursor.fetchall()
        }
    known = _Known({}, {}, {})
    by_kind = {
        Kind.EXTERNAL_ID: known.by_external_id,
        Kind.EMAIL: known.by_email,
        Kind.PHONE: known.by_phone,
    }
    for name, pk in found.items():
        if pk in people:
            by_kind[Kind(name.kind)][name.value] = people[pk]
    known.by_external_id.update(
        {each.external_id: each for each in people.values() if each.external_id}
    )
    known.by_email.update({each.email: each for each in people.values() if each.email})
    return known


def _has_phone_alone(row: Row) -> bool:
    return bool(row.get("phone") and not row.get("external_id") and not row.get("email"))


def _clean(name: str, cleaner: Callable[[object], Any], value: object) -> Any:
    try:
        return cleaner(value)
    except ValueError as error:
        raise Refused(str(error), name) from error


def _split_name(row: Row) -> None:
    """Fill missing first and last names from `name`; its last word is the last name."""
    name = row.pop("name", None)
    if not name:
        return
    first, _space, last = name.rpartition(" ")
    for column, part in (("first_name", first or last), ("last_name", last if first else "")):
        if part:
            row.setdefault(column, _clean("name", CUSTOMER[column].clean, part))


def _read_consent(row: Row) -> None:
    """Gather what the fields of consent state into one wish a channel and topic."""
    stated: list[Stated] = row.pop("stated", [])
    stated += [Stated(name, CALL + name, row.pop(name)) for name in CONSENT if name in row]
    wishes: consent.Wishes = {}
    for name, source, said in stated:
        channels, role = CONSENT[name]
        listed = said if role == LISTED else {(channel.value, ""): said for channel in channels}
        for (channel, topic), each in (listed or {}).items():
            if role not in DATES_OF_CONSENT and each and each.wanted is not None:
                at = each.at or (_date_of(stated, channel, each.wanted) if role == WANTS else None)
                wish = Wish(
                    each.wanted, source[:LONGEST_SOURCE], at, each.is_opt_out, name == "opted_out"
                )
                wishes = consent.combine(wishes, {(channel, topic): wish})
    if wishes:
        row["consents"] = wishes


def _date_of(stated: Sequence[Stated], channel: str, wanted: bool) -> datetime | None:
    """Return the date that other columns give to a statement; that of an opt-in dates no opt-out."""
    dates = [
        each.value
        for each in stated
        if each.value
        and channel in CONSENT[each.field][0]
        and (
            CONSENT[each.field][1] == STATED_AT
            or (wanted and CONSENT[each.field][1] == OPTED_IN_AT)
        )
    ]
    return max(dates, default=None)
