"""A data subject: everything by which one person is found in rows, files and logs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.utils.translation import gettext_noop

from crm.accounts.models import User
from customers.models import Customer, Identity, Merge

Kind = Identity.Kind

COLUMNS = ("external_id", "email", "phone", "first_name", "last_name")

EXPORTED = gettext_noop("All personal data was exported.")
ERASED = gettext_noop("The person was erased.")
NOTES = (EXPORTED, ERASED)


@dataclass(frozen=True, slots=True)
class DataSubject:
    """The keys of a customer and of records merged into it, and every value that identifies the person.

    A phone that somebody else has too is left out: text with it may be about the other person.
    """

    pk: int
    former_pks: list[int]
    external_ids: list[str]
    emails: list[str]
    phones: list[str]
    anonymous_ids: list[str]
    names: list[str]

    @classmethod
    def of(cls, customer: Customer) -> DataSubject:
        merges = list(
            Merge.objects.filter(survivor=customer).values_list("duplicate_id", "duplicate")
        )
        records = [
            {name: getattr(customer, name) for name in COLUMNS},
            *(duplicate for _pk, duplicate in merges if isinstance(duplicate, dict)),
        ]
        identities = list(customer.identities.values_list("kind", "value"))

        def known_by(column: str, *kinds: str) -> set[str]:
            values = {str(each[column]) for each in records if each.get(column)}
            return values | {value for kind, value in identities if kind in kinds}

        phones = known_by("phone", Kind.PHONE)
        return cls(
            pk=customer.pk,
            former_pks=sorted(pk for pk, _duplicate in merges),
            external_ids=sorted(known_by("external_id", Kind.EXTERNAL_ID)),
            emails=sorted(known_by("email", Kind.EMAIL)),
            phones=sorted(phones - _phones_of_others(customer, phones)),
            anonymous_ids=sorted(known_by("", Kind.ANONYMOUS, Kind.DEVICE)),
            names=sorted(known_by("first_name") | known_by("last_name")),
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def patterns(self) -> list[str]:
        """Return regular expressions, for Python and PostgreSQL, that match only this person in any text.

        They match a whole e-mail address, and a phone number with or without signs and spaces. Search with them case-insensitively.
        """
        return [
            *(rf"(?<![a-z0-9_.+-]){_literal(mail)}(?![a-z0-9_-])" for mail in self.emails),
            *(rf"(?<![0-9]){_digits(number)}(?![0-9])" for number in self.phones),
        ]

    def are_mentioned_in(self, text: str) -> bool:
        return any(re.search(pattern, text, re.IGNORECASE) for pattern in self.patterns)


def _phones_of_others(customer: Customer, phones: Iterable[str]) -> set[str]:
    people = Customer.objects.filter(phone__in=phones).exclude(pk=customer.pk)
    identities = Identity.objects.filter(Q(kind=Kind.PHONE), value__in=phones).exclude(
        customer=customer
    )
    return {*people.values_list("phone", flat=True), *identities.values_list("value", flat=True)}


def _literal(text: str) -> str:
    return re.sub(r"([^\w\s])", r"\\\1", text)


def _digits(number: str) -> str:
    return r"\+?" + "[ ()./-]*".join(digit for digit in number if digit.isdigit())


def note(customer_id: int, what: str, *, by: User | None) -> None:
    """Add an entry to the admin's log, by number, so that it identifies no person; without a user responsible there is none."""
    if by is None:
        return
    LogEntry.objects.create(
        user=by,
        content_type=ContentType.objects.get_for_model(Customer),
        object_id=str(customer_id),
        object_repr=f"#{customer_id}",
        action_flag=CHANGE,
        change_message=what,
    )
