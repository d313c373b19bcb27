"""Recognise columns of consent by their headers and cells, and list what must be answered before such a file is imported."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.clean.dates import AmbiguousDate
from customers.ingest import consent_words as words
from customers.ingest.fields import (
    CONSENT,
    CUSTOMER,
    LISTED,
    OPTED_IN_AT,
    REFUSES,
    STATED_AT,
    WANTS,
    Refused,
    Statement,
    clean_stated_at,
    is_empty,
    words_of,
)
from customers.models.consent import Channel

NO_OPT_IN = gettext_lazy(
    "A token with the scope “ingest” alone states no consent. Use a token with the scope “write”, or leave this out."
)
ANSWERS = {
    "opted_in": Statement(True),
    "opted_out": Statement(False, is_opt_out=True),
    "nothing": Statement(None),
}
"""Meanings that an answer may give to a cell."""
MOST_WORDS = 20
DETAIL, UNCLEAR = "detail", "unclear"


@dataclass(frozen=True)
class ConsentAnswers:
    """Answers of the importing user: what cells mean, which columns were mapped on purpose, and how a new consent was given.

    With `ignore_columns`, unclear columns state nothing. With `evidence`, opt-ins without a date of their own count as given at `given_at`.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    columns: Collection[str] = ()
    ignore_columns: bool = False
    evidence: str = ""
    given_at: datetime | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> ConsentAnswers:
        """Return the answers in a stored or received object. Raises Refused for an invalid one."""
        values = dict(given.get("values") or {})
        if wrong := sorted(set(map(str, values.values())) - set(ANSWERS)):
            raise Refused(
                _("“%(given)s” is no answer. Use one of %(known)s.")
                % {"given": wrong[0][:50], "known": ", ".join(ANSWERS)},
                "consent_values",
            )
        evidence, at = str(given.get("evidence") or "").strip(), given.get("given_at")
        given_at = clean_stated_at(at) if at else None
        if bool(evidence) != (given_at is not None):
            raise Refused(
                _("A new consent needs its evidence and the past time at which it was given."),
                "consent_evidence",
            )
        return cls(
            values={str(cell).strip(): str(answer) for cell, answer in values.items()},
            columns=frozenset(given.get("columns") or ()),
            ignore_columns=bool(given.get("ignore_columns")),
            evidence=evidence,
            given_at=given_at,
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "values": dict(self.values),
            "columns": sorted(self.columns),
            "ignore_columns": self.ignore_columns,
            "evidence": self.evidence,
            "given_at": self.given_at and self.given_at.isoformat(),
        }

    def evidence_by(self, who: str) -> str:
        """Return the evidence of a new consent with its time and the importing user, empty text without one."""
        if not self.evidence or not self.given_at:
            return ""
        return _("new consent of %(date)s, imported by %(who)s: %(evidence)s") % {
            "date": self.given_at.date().isoformat(),
            "who": who,
            "evidence": self.evidence,
        }

    def said(self, cell: object) -> Statement | None:
        """Return the declared meaning of a cell, None for an undeclared one."""
        return ANSWERS.get(self.values.get(str(cell).strip(), ""))


UNANSWERED = ConsentAnswers()


class ConsentQuestion(Refused):
    """The import stops: columns or cells may state consent, and only the user knows what they mean."""

    def __init__(self, columns: Sequence[str], cells: Mapping[str, Sequence[str]]) -> None:
        self.columns, self.cells = list(columns), dict(cells)
        sentences = [self.about_column(column) for column in self.columns]
        sentences += [self.about_cells(column) for column in self.cells]
        super().__init__(" ".join(sentences))

    def about_column(self, column: str) -> str:
        return (
            _(
                "“%s” may state which customers want messages. Map it to a field of consent, or confirm that it states nothing."
            )
            % column
        )

    def about_cells(self, column: str) -> str:
        return _(
            "It is unclear what these cells of “%(column)s” state: %(cells)s. Answer opted_in, opted_out or nothing for each."
        ) % {"column": column, "cells": ", ".join(f"“{cell}”" for cell in self.cells[column])}


def consent_fields(header: Iterable[str], rows: Sequence[Sequence[Any]] = ()) -> dict[str, str]:
    """Return the field of each column that states consent: its own, DETAIL, or UNCLEAR for a column that needs an answer.

    `rows` are the first rows of the file: of a column called status, its cells decide.
    """
    columns = list(header)
    found = {column: meaning for column in columns if (meaning := _meaning(column))}
    for place, column in enumerate(columns):
        if column in found and words_of(column) in words.LISTED:
            if rows and not any(_lists_channels(row[place]) for row in rows if place < len(row)):
                found[column] = "subscribed"
        elif column not in found and words.STATUS.search(words_of(column)):
            cells = {
                words_of(str(row[place]))
                for row in rows
                if place < len(row) and not is_empty(row[place])
            }
            if _states_consent(cells) or _is_no_region(column, cells):
                found[column] = "subscribed"
    if not any(words.HAS_MAIL.search(words_of(column)) for column in columns):
        found = {
            column: "do_not_contact" if each == "email_opt_out" else each
            for column, each in found.items()
        }
    stated = {CONSENT[each][1] for each in found.values() if each in CONSENT}
    if not stated & {WANTS, REFUSES, LISTED, OPTED_IN_AT}:
        found = {column: UNCLEAR if each == DETAIL else each for column, each in found.items()}
    return found


@lru_cache(maxsize=4096)
def opt_out_field(name: str) -> str | None:
    """Return the field of consent of a name that states an opt-out (`unsubscribed`, `smsOptOut`), None for any other name."""
    field = _meaning(name)
    return field if field in CONSENT and CONSENT[field][1] == REFUSES else None


def _meaning(column: str) -> str:
    text = words_of(column)
    if column in CONSENT or text.replace(" ", "_") in CONSENT:
        return text.replace(" ", "_")
    if text in words.LISTED:
        return "consent"
    if text in {"opted out channels", "opted out topics"}:
        return "opted_out"
    if words.ELSEWHERE.search(text):
        return ""
    refuses, wants = words.REFUSES.search(text), words.WANTS.search(text)
    if not refuses and not wants:
        return UNCLEAR if words.SMELLS.search(text) else ""
    if words.PARTIAL.search(text) or (not refuses and words.NEGATES.search(text)):
        return UNCLEAR
    if words.DETAIL.search(text):
        return DETAIL
    channel = next((name for name, pattern in words.CHANNELS if pattern.search(text)), "")
    if channel == "none":
        return DETAIL
    role = _role(text, is_opt_out=bool(refuses))
    if role == REFUSES and not channel and words.EVERY_CHANNEL.search(text):
        return "do_not_contact"
    if channel == "voice":
        return "sms_opt_out" if role == REFUSES else UNCLEAR
    if role == OPTED_IN_AT and not channel and words.SIGN_UP.search(text):
        return UNCLEAR
    about = Channel(channel or Channel.EMAIL)
    return next((name for name, meaning in CONSENT.items() if meaning == ((about,), role)), DETAIL)


def _role(text: str, *, is_opt_out: bool) -> str:
    if is_opt_out:
        return REFUSES
    if not words.DATE.search(text):
        return WANTS
    return OPTED_IN_AT if words.OPTED_IN_DATE.search(text) else STATED_AT


def _lists_channels(cell: object) -> bool:
    return not is_empty(cell) and any(channel in str(cell).lower() for channel in Channel.values)


def _states_consent(cells: Collection[str]) -> bool:
    """Return whether the cells of a status are about consent: one says so, and none is a stage of the lifecycle alone."""
    telling = {cell for cell in cells if cell in _STATES_OF_A_SUBSCRIPTION} - {"active", "inactive"}
    return bool(telling - words.NOTHING) or bool(telling & {"enabled", "disabled", "confirmed"})


def _is_no_region(column: str, cells: Set[str]) -> bool:
    """Return whether a column called state has states of a subscription alone, as in an export of Kit, and not Oklahoma (OK)."""
    return (
        words_of(column) == "state"
        and cells <= _STATES_OF_A_SUBSCRIPTION
        and bool(cells - (words.NOTHING - {"active"}))
    )


_STATES_OF_A_SUBSCRIPTION = words.OPTED_IN | words.OPTED_OUT | words.NOT_YET | words.NOTHING


def consent_question(
    header: Sequence[str],
    rows: Iterable[Sequence[Any]],
    mapping: Mapping[str, str],
    answers: ConsentAnswers,
    *,
    every_column: bool,
) -> ConsentQuestion | None:
    """Return the question where a column or cell may state consent and the mapping and answers do not say what.

    With `every_column`, unmistakable opt-outs are looked for in all cells, else in columns called status.
    """
    stated, others = _places(header, mapping, answers, every_column=every_column)
    if not stated and not others:
        return None
    unread: dict[str, dict[str, None]] = {}
    unclear: dict[str, None] = {}
    for cells in rows:
        for place, name in stated:
            if (
                place < len(cells)
                and not is_empty(cells[place])
                and not _is_read(name, cells[place], answers)
            ):
                unread.setdefault(header[place], {})[str(cells[place])] = None
        for place, is_unclear in others:
            if (
                place < len(cells)
                and not is_empty(cells[place])
                and (is_unclear or _is_opt_out(cells[place]))
            ):
                unclear[header[place]] = None
    if not unread and not unclear:
        return None
    shown = {column: list(found)[:MOST_WORDS] for column, found in unread.items()}
    return ConsentQuestion(list(unclear), shown)


def _places(
    header: Sequence[str],
    mapping: Mapping[str, str],
    answers: ConsentAnswers,
    *,
    every_column: bool,
) -> tuple[list[tuple[int, str]], list[tuple[int, bool]]]:
    """Return the places of columns that state consent with their fields, and of others that may, and whether any cell of them does."""
    stated, others = [], []
    meanings = consent_fields(header)
    for place, column in enumerate(header):
        name = mapping.get(column, "")
        if name in CONSENT:
            if CONSENT[name][1] in {WANTS, REFUSES, LISTED}:
                stated.append((place, name))
        elif not answers.ignore_columns and column not in answers.columns:
            is_unclear = meanings.get(column) == UNCLEAR
            is_status = bool(words.STATUS.search(words_of(column)))
            if is_unclear or is_status or (every_column and name not in _NEVER_A_STATUS):
                others.append((place, is_unclear))
    return stated, others


def _is_read(name: str, cell: object, answers: ConsentAnswers) -> bool:
    if answers.said(cell) is not None:
        return True
    try:
        CUSTOMER[name].clean(cell)
    except AmbiguousDate:  # its column has the order
        return True
    except ValueError:
        return False
    return True


def _is_opt_out(cell: object) -> bool:
    """Return whether a cell of any column is an unmistakable opt-out, such as “unsubscribed”."""
    if not isinstance(cell, str) or len(cell) > 40:
        return False
    word = words_of(cell)
    return word in words.OPTED_OUT and bool(words.REFUSES.search(word))


_NEVER_A_STATUS = frozenset(CUSTOMER) - {"lifecycle_status", "region", "source"}


def refuse_opt_ins(mapping: Mapping[str, str]) -> None:
    """Raise Refused for a column that may state an opt-in."""
    for column, name in mapping.items():
        if name in CONSENT and CONSENT[name][1] != REFUSES:
            raise Refused(str(NO_OPT_IN), f"mapping.{column}")
