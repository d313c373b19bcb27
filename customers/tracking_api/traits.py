"""Turn traits into fields of a customer, cleaned as in imports; other traits become free attributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from customers.ingest import ATTRIBUTE, CUSTOMER, Refused, Row, clean_customer, opt_out_field
from customers.tracking_api.calls import Call, CallType
from customers.tracking_api.refused_ids import RefusedId

FIELDS = {
    "email": "email",
    "phone": "phone",
    "name": "name",
    "firstName": "first_name",
    "lastName": "last_name",
    "birthday": "date_of_birth",
    "createdAt": "registered_at",
    "city": "city",
    "state": "region",
    "country": "country",
    "language": "language",
    "locale": "language",
    "timezone": "timezone",
    "tags": "tags",
    "emailOptIn": "subscribed",
    "email_opt_in": "subscribed",
    "emailOptOut": "email_opt_out",
    "email_opt_out": "email_opt_out",
    **{
        name: name
        for name in (
            *("first_name", "last_name", "date_of_birth", "registered_at", "region", "source"),
            "lifecycle_status",
        )
    },
    "created_at": "registered_at",
}
"""Trait → field. `subscribed` is not one of them: most senders mean a paying subscriber. Opt-outs are recognised in other words, too."""
ADDRESS = {"city": "city", "state": "region", "region": "region", "country": "country"}


class Ignored(NamedTuple):
    """A part of a call that was ignored; the rest was received. A refused id is noted for the owner of the write key."""

    message: Call
    path: str
    reason: str
    refused_id: RefusedId | None = None


def customer_row(message: Call, ignored: list[Ignored]) -> Row:
    """Return the cleaned row of an identify or group call, with no id but the e-mail.

    An invalid trait is stored as an attribute under its own name, and reported in `ignored`.
    """
    fields: dict[str, tuple[str, Any]] = {}
    if message.kind is CallType.GROUP:
        attributes = _group(message)
    else:
        fields, attributes = _sorted_out(message)
    row = _taken(fields, attributes, message, ignored)
    for name, value in attributes.items():
        if value is None:
            continue
        try:
            taken = clean_customer({ATTRIBUTE + name: value})
        except Refused as refused:
            ignored.append(Ignored(message, f"traits.{name}", ValueError.__str__(refused)))
            continue
        row.setdefault("attributes", {}).update(taken.get("attributes", {}))
    return row


def trait_of(message: Call, field: str) -> str:
    """Return the name under which a call has a field."""
    given = (trait for trait, _value in _flat(message) if _field_of(trait) == field)
    return next(given, field)


def _field_of(trait: str) -> str | None:
    return FIELDS.get(trait) or opt_out_field(trait)


def _taken(
    fields: dict[str, tuple[str, Any]],
    attributes: dict[str, Any],
    message: Call,
    ignored: list[Ignored],
) -> Row:
    """Clean all fields at once, as a phone depends on the country; invalid ones become attributes."""
    while True:
        try:
            return clean_customer({field: value for field, (_trait, value) in fields.items()})
        except Refused as refused:
            invalid = [refused.field] if refused.field in fields else list(fields)
            for field in invalid:
                trait, value = fields.pop(field)
                attributes[trait] = value
                ignored.append(Ignored(message, f"traits.{trait}", ValueError.__str__(refused)))


def _group(message: Call) -> dict[str, Any]:
    return {"group_id": message.other_id, "group": message.content or None}


def _sorted_out(message: Call) -> tuple[dict[str, tuple[str, Any]], dict[str, Any]]:
    """Return field → its trait and value, and the traits that are attributes."""
    fields: dict[str, tuple[str, Any]] = {}
    attributes: dict[str, Any] = {}
    for trait, value in _flat(message):
        field = _field_of(trait)
        if field in CUSTOMER and value not in (None, ""):
            earlier = fields.get(field) if opt_out_field(trait) else None
            fields[field] = (trait, [earlier[1], value] if earlier else value)
        elif field is None:
            attributes[trait] = value
    for trait in ("locale", "timezone"):
        if message.context.get(trait):
            fields.setdefault(FIELDS[trait], (trait, message.context[trait]))
    return fields, attributes


def _flat(message: Call) -> Iterator[tuple[str, Any]]:
    for trait, value in message.content.items():
        if trait == "address" and isinstance(value, Mapping):
            for part, given in value.items():
                yield (ADDRESS[part], given) if part in ADDRESS else (f"address_{part}", given)
        elif trait != "id":
            yield trait, value
