"""Receive calls of the Segment spec, each once, as customers, orders and rows of the timeline.

Calls of anonymous people are stored (customers.tracking_api.anonymous_calls). A batch is written in one transaction, or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from django.db import IntegrityError, OperationalError, transaction
from django.utils.translation import gettext as _

from customers import clean
from customers.identity import Name, find_by_identity, mark_known, merge
from customers.ingest import Row, SameRefund, upsert_customers
from customers.models import Customer, Identity, Merge
from customers.models import RefusedId as RefusedIdRow
from customers.timeline import NewInteraction, record_interactions, types
from customers.tracking_api import anonymous_calls, commerce, dedupe, identify, limits, refused_ids
from customers.tracking_api.calls import Call, CallType, PlaceholderId, Trust
from customers.tracking_api.identify import ANONYMOUS, Link
from customers.tracking_api.refused_ids import RefusedId
from customers.tracking_api.sessions import count_visits
from customers.tracking_api.traits import Ignored, customer_row

ATTEMPTS = 3
Reason = RefusedIdRow.Reason
EVIDENCE = "Segment API"


@dataclass(slots=True)
class _Batch:
    """New calls with the rows of identify calls, the names in them, and the known owners of names."""

    messages: list[Call]
    ignored: list[Ignored]
    rows: dict[int, Row] = field(default_factory=dict)
    names: list[Name | None] = field(default_factory=list)
    links: dict[str, Link] = field(default_factory=dict)
    owners: dict[Name, int] = field(default_factory=dict)
    known: dict[int, limits.Known] = field(default_factory=dict)

    def owner_of(self, place: int) -> int:
        """Return the customer of a call, 0 for an unknown one."""
        return self.owners.get(self.owner_name(place), 0)

    def owner_name(self, place: int) -> Name:
        """Return the name that finds the customer of a call: its own, or that linked to its anonymous id."""
        if name := self.names[place]:
            return name
        anonymous_id = self.messages[place].anonymous_id
        link = self.links.get(anonymous_id)
        return link.name if link else Name(ANONYMOUS, anonymous_id)


def receive_calls(messages: Sequence[Call], write_key_id: int) -> list[Ignored]:
    """Receive the calls that did not come before; returns the parts that were ignored, as far as their sender may know."""
    for attempt in range(1, ATTEMPTS + 1):
        ignored: list[Ignored] = []
        try:
            with transaction.atomic():
                if fresh := dedupe.unseen(messages, write_key_id):
                    _take_in(fresh, ignored)
                    refused_ids.note(
                        write_key_id, [each.refused_id for each in ignored if each.refused_id]
                    )
                return [each for each in ignored if limits.may_tell(each)]
        except (IntegrityError, OperationalError):
            # a customer was merged or erased after the lookup, or two batches deadlocked
            if attempt == ATTEMPTS:
                raise
    raise AssertionError


def refuse_call(refused: PlaceholderId, write_key_id: int) -> None:
    """Note the placeholder of a call that has no other id."""
    refused_id = RefusedId(refused.field, refused.value, Reason.PLACEHOLDER)
    refused_ids.note(write_key_id, [refused_id])


def _take_in(messages: list[Call], ignored: list[Ignored]) -> None:
    batch = _Batch(messages, ignored)
    _name(batch)
    new_links = _join(batch)
    _limit_browsers(batch)
    _write_customers(batch)
    if new_links:
        identify.remember(
            {
                anonymous_id: batch.owners[link.name]
                for anonymous_id, link in new_links.items()
                if link.name in batch.owners
            }
        )
    _merge_aliases(batch)
    _record(batch)


def _name(batch: _Batch) -> None:
    batch.ignored.clear()
    batch.rows, batch.names = {}, []
    for place, message in enumerate(batch.messages):
        for name, value in message.placeholders.items():
            refused = PlaceholderId(name, value)
            _refuse(batch, message, name, ValueError.__str__(refused), Reason.PLACEHOLDER, value)
        if message.is_wrongly_signed:
            batch.ignored.append(limits.refuse_signature(message))
        if message.kind in {CallType.IDENTIFY, CallType.GROUP}:
            batch.rows[place] = customer_row(message, batch.ignored)
        batch.names.append(identify.name_of(message, batch.rows.get(place)))
    phones = {name for name in batch.names if name and name.kind == Identity.Kind.PHONE}
    if unknown := phones - find_by_identity(phones).keys():
        # a phone alone finds a customer, but creates none
        batch.names = [None if name in unknown else name for name in batch.names]


def _join(batch: _Batch) -> dict[str, Link]:
    """Find known customers, and replay stored calls of newly identified ones first; returns the new links."""
    named = list(zip(batch.messages, batch.names, strict=True))
    batch.links = identify.links_of(named)
    nameless = {
        Name(ANONYMOUS, message.anonymous_id)
        for message, name in named
        if name is None and message.anonymous_id not in batch.links
    }
    wanted = {name for name in batch.names if name} | nameless | _more_names(batch)
    batch.owners = find_by_identity(wanted | {Name(ANONYMOUS, each) for each in batch.links})
    _find_by_address(batch)
    if new_links := identify.news(batch.links, batch.owners):
        anonymous_calls.hold_off_all()
        if earlier := anonymous_calls.take(new_links):
            batch.messages = [*earlier, *batch.messages]
            _name(batch)
    elif not nameless <= batch.owners.keys():
        anonymous_calls.hold_off_joins()
    else:
        return {}
    batch.owners |= find_by_identity(nameless)
    return new_links


def _more_names(batch: _Batch) -> set[Name]:
    """Return other ids of named people, which may lead to another record of the same person."""
    emails = {
        Name(Identity.Kind.EMAIL, row["email"]) for row in batch.rows.values() if row.get("email")
    }
    previous = {
        Name(Identity.Kind.EXTERNAL_ID, message.other_id)
        for message in batch.messages
        if message.kind is CallType.ALIAS
    }
    addresses = {
        Name(Identity.Kind.EMAIL, address["email"])
        for message in batch.messages
        if message.trust is Trust.BROWSER and (address := _address_in(message.user_id))
    }
    return emails | previous | addresses


def _find_by_address(batch: _Batch) -> None:
    """Let the user id of an unsigned browser that is the e-mail of a customer find the customer, and write nothing."""
    for message, name in zip(batch.messages, batch.names, strict=True):
        if message.trust is Trust.BROWSER and name and name not in batch.owners:
            email = _address_in(message.user_id).get("email", "")
            if owner := batch.owners.get(Name(Identity.Kind.EMAIL, email)):
                batch.owners[name] = owner


def _limit_browsers(batch: _Batch) -> None:
    """Drop from unsigned calls of browsers what they may not write."""
    if all(message.trust is Trust.SERVER for message in batch.messages):
        return
    batch.known = limits.look_up({*batch.owners.values()})
    for place, message in enumerate(batch.messages):
        owner = batch.owner_of(place)
        if message.trust is not Trust.BROWSER:
            continue
        device = batch.owners.get(Name(ANONYMOUS, message.anonymous_id), owner)
        if message.kind is CallType.IDENTIFY and device != owner:
            batch.ignored.append(limits.refuse_device(message))
        if (row := batch.rows.pop(place, None)) is None:
            continue
        other = batch.owners.get(Name(Identity.Kind.EMAIL, row.get("email") or ""), owner)
        limited, ignored = limits.limit_traits(
            message, row, batch.known.get(owner), is_email_taken=other != owner
        )
        batch.ignored += ignored
        if limited is not None:
            batch.rows[place] = limited


def _write_customers(batch: _Batch) -> None:
    """Create unknown customers and save traits; afterwards every name has a customer."""
    _merge_with_addressed(batch)
    names = [batch.owner_name(place) for place in range(len(batch.messages))]
    found_by = identify.ids_of(
        batch.owners[names[place]]
        for place in batch.rows
        if names[place].kind != Identity.Kind.EXTERNAL_ID and names[place] in batch.owners
    )
    places, rows = [], []
    asked = set(batch.owners)
    for place, name in enumerate(names):
        traits = batch.rows.get(place)
        if traits is None and name in asked:
            continue
        asked.add(name)
        if row := _row(name, traits or {}, found_by.get(batch.owners.get(name, 0))):
            places.append(place)
            rows.append(row)
    start = 0
    for trust, run in groupby(batch.messages[place].trust for place in places):
        end = start + len(list(run))
        _upsert(batch, places[start:end], rows[start:end], trust)
        start = end
    named = zip(batch.messages, batch.names, strict=True)
    mark_known(
        [
            batch.owners[name]
            for message, name in named
            if message.trust is not Trust.BROWSER and name in batch.owners
        ]
    )


def _row(name: Name, traits: Row, found_by: Row | None) -> Row | None:
    """Return the traits with an id that finds or creates the customer; None for an anonymous one."""
    if found_by is not None:
        # the e-mail may be a former one
        older = {"email"} if name.kind == Identity.Kind.EMAIL else set()
        return {trait: traits[trait] for trait in traits.keys() - older} | found_by
    if name.kind == ANONYMOUS:
        return None
    return {**_address_in(name.value), **traits, name.kind: name.value}


def _upsert(batch: _Batch, places: Sequence[int], rows: list[Row], trust: Trust) -> None:
    """Write the rows; one with another customer's e-mail is written without it."""
    if not rows:
        return
    again: list[tuple[int, Row]] = []
    for place, row, result in zip(
        places,
        rows,
        upsert_customers(
            rows,
            evidence=EVIDENCE,
            from_browser=trust is Trust.BROWSER,
            from_visitor=trust is Trust.SIGNED,
        ),
        strict=True,
    ):
        if result.pk is not None:
            batch.owners[batch.owner_name(place)] = result.pk
            if trust is Trust.BROWSER and result.reason:
                batch.ignored += limits.refuse_traits(batch.messages[place])
            if result.kept_out and trust is Trust.SERVER:
                reason = _(
                    "The customer opted out. The opt-out stays, as a trait only restates consent."
                )
                batch.ignored.append(Ignored(batch.messages[place], "traits", reason))
        else:
            _refuse(batch, batch.messages[place], "traits.email", result.reason, Reason.TAKEN)
            if row.get("external_id") and row.pop("email", None):
                again.append((place, row))
    places, rows = [place for place, _row in again], [row for _place, row in again]
    _upsert(batch, places, rows, trust)


def _address_in(user_id: str) -> Row:
    """Return the e-mail if the user id is one."""
    if "@" not in user_id:
        return {}
    try:
        return {"email": clean.email(user_id)}
    except ValueError:
        return {}


def _merge_with_addressed(batch: _Batch) -> None:
    """Merge a customer with one known by the same e-mail alone."""
    for place, row in batch.rows.items():
        name = batch.owner_name(place)
        user = batch.owners.get(name)
        addressed = batch.owners.get(Name(Identity.Kind.EMAIL, row.get("email") or ""))
        if user is None or addressed is None or user == addressed:
            continue
        if not Customer.objects.filter(pk=addressed, external_id=None).exists():
            continue
        if _emails([user])[0] in ("", row["email"]):
            _merge(batch, user, addressed)
        else:
            _refuse_other_email(batch, batch.messages[place], "traits.email")
            del row["email"]


def _merge_aliases(batch: _Batch) -> None:
    for message in batch.messages:
        if message.kind is not CallType.ALIAS:
            continue
        survivor = batch.owners[Name(Identity.Kind.EXTERNAL_ID, message.user_id)]
        previous = batch.owners.get(Name(Identity.Kind.EXTERNAL_ID, message.other_id))
        if previous is None or previous == survivor:
            continue
        if not limits.may_merge(message, batch.known.get(previous)):
            batch.ignored.append(limits.refuse_merge(message))
        elif len(set(_emails([survivor, previous])) - {""}) < 2:
            _merge(batch, survivor, previous)
        else:
            _refuse_other_email(batch, message, "previousId")


def _emails(customers: Sequence[int]) -> list[str]:
    found = Customer.objects.filter(pk__in=customers).values_list("email", flat=True)
    return [(email or "").lower() for email in found]


def _refuse(
    batch: _Batch, message: Call, path: str, text: str, reason: str, value: str = ""
) -> None:
    batch.ignored.append(Ignored(message, path, text, RefusedId(path, value, reason)))


def _refuse_other_email(batch: _Batch, message: Call, path: str) -> None:
    text = _("The customers have different e-mail addresses, so they were not merged.")
    _refuse(batch, message, path, text, Reason.OTHER_EMAIL)


def _merge(batch: _Batch, survivor: int, duplicate: int) -> None:
    merge(survivor, duplicate, reason=Merge.Reason.IDENTIFIED)
    for name, owner in batch.owners.items():
        if owner == duplicate:
            batch.owners[name] = survivor


def _record(batch: _Batch) -> None:
    orders: list[tuple[Call, int]] = []
    happened: list[NewInteraction] = []
    unnamed: list[Call] = []
    for place, message in enumerate(batch.messages):
        customer = batch.owners.get(batch.owner_name(place))
        if customer is None:
            unnamed.append(message)
        elif not limits.limit_event(message, batch.ignored):
            continue
        elif limits.is_order(message):
            orders.append((message, customer))
        elif interaction := _interaction(message, customer):
            happened.append(interaction)
    anonymous_calls.put_by(unnamed)
    if orders:
        happened += _record_orders(batch, orders)
    record_interactions(happened)
    count_visits([each for each in happened if each.type == types.PAGE_VIEWED])


def _record_orders(batch: _Batch, orders: Sequence[tuple[Call, int]]) -> list[NewInteraction]:
    """Write the orders; an invalid order stays an event."""
    customers = {id(message): customer for message, customer in orders}
    kept = []
    for message, refused in commerce.record_orders(orders):
        path = f"properties.{refused.field}" if refused.field else "properties"
        batch.ignored.append(Ignored(message, path, ValueError.__str__(refused)))
        if not isinstance(refused, SameRefund):
            kept.append(
                NewInteraction(customers[id(message)], message.name, message.at, message.content)
            )
    return kept


def _interaction(message: Call, customer: int) -> NewInteraction | None:
    match message.kind:
        case CallType.TRACK:
            return NewInteraction(customer, message.name, message.at, message.content)
        case CallType.PAGE | CallType.SCREEN:
            return NewInteraction(customer, types.PAGE_VIEWED, message.at, message.content)
        case CallType.GROUP:
            group: Mapping[str, str] = {"group_id": message.other_id}
            return NewInteraction(
                customer, types.GROUP_JOINED, message.at, {**message.content, **group}
            )
        case _:
            return None
