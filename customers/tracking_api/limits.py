"""Limit calls of browsers: every visitor can read their write key, and so can write them by hand.

Such a call adds events, and sets traits of a customer that no server, file or user has sent. It changes no e-mail address and no phone
number, merges nobody, opts nobody in, and an order in it counts once a server sends the order. A call that the site's server signed (an
HMAC of the user id, as in Intercom's identity verification) is limited in its orders alone, and merges only customers known from browsers.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from customers.ingest import CALL, Row
from customers.models import Customer
from customers.models import RefusedId as RefusedIdRow
from customers.timeline import types
from customers.tracking_api import commerce
from customers.tracking_api.calls import Call, CallType, Trust
from customers.tracking_api.refused_ids import RefusedId
from customers.tracking_api.traits import Ignored, trait_of

Reason = RefusedIdRow.Reason
UNCONFIRMED = "unconfirmed"
"""Property of events with amounts that a browser sent: they are no revenue."""


ABOUT_CUSTOMERS = frozenset({Reason.OTHER_EMAIL, Reason.TAKEN, Reason.UNSIGNED, Reason.CHANGED})
"""Reasons that depend on the customers that are stored, and so tell a visitor whether an address or id is one of them."""


class Known(NamedTuple):
    """A customer as stored: the addresses, and whether only browsers sent them."""

    email: str
    phone: str
    from_browser: bool


def look_up(customer_ids: Collection[int]) -> dict[int, Known]:
    """Return the known part of customers."""
    found = Customer.objects.filter(pk__in=customer_ids).values_list(
        "pk", "email", "phone", "from_browser"
    )
    return {pk: Known((email or "").lower(), phone, alone) for pk, email, phone, alone in found}


def limit_traits(
    message: Call, row: Row, owner: Known | None, *, is_email_taken: bool
) -> tuple[Row | None, list[Ignored]]:
    """Return the part of a row that an unsigned call may write, and the ignored parts; None where it may write nothing."""
    ignored = [
        _ignored(
            message,
            f"traits.{trait_of(message, wish.source.removeprefix(CALL))}",
            _("Only a signed call opts in."),
            Reason.CONSENT,
        )
        for wish in row.get("consents", {}).values()
        if wish.wanted
    ]
    if owner and not owner.from_browser:
        return None, [*ignored, *refuse_traits(message)]
    row = dict(row)
    for name in ("email", "phone"):
        held = getattr(owner, name, "")
        if row.get(name) and (held not in ("", row[name]) or (name == "email" and is_email_taken)):
            del row[name]
            text = _("Only a signed call changes this, or merges customers by it.")
            ignored.append(_ignored(message, f"traits.{name}", text, Reason.CHANGED))
    consents = row.pop("consents", {})
    # for this customer alone: a visitor may enter the address of another customer
    opt_outs = {
        key: wish._replace(is_opt_out=False) for key, wish in consents.items() if not wish.wanted
    }
    if opt_outs:
        row["consents"] = opt_outs
    return row, ignored


def may_tell(ignored: Ignored) -> bool:
    """Return whether the answer to a call may say what was ignored: a browser does not learn who is a customer."""
    reason = ignored.refused_id.reason if ignored.refused_id else ""
    return ignored.message.trust is Trust.SERVER or reason not in ABOUT_CUSTOMERS


def is_order(message: Call) -> bool:
    """Return whether a call is an order of a server; that of a browser stays an event until a server sends the order."""
    is_trusted = message.trust is Trust.SERVER
    return is_trusted and message.kind is CallType.TRACK and commerce.is_order(message.name)


def may_merge(message: Call, previous: Known | None) -> bool:
    """Return whether an alias call may merge a customer into its own."""
    if message.trust is Trust.SIGNED:
        return previous is not None and previous.from_browser
    return message.trust is Trust.SERVER


def limit_event(message: Call, ignored: list[Ignored]) -> bool:
    """Return whether to record an event of a browser, whose amounts are marked as unconfirmed."""
    if message.kind is not CallType.TRACK or message.trust is Trust.SERVER:
        return True
    if message.name in types.OWN:
        text = _("Only Kindling itself records this event. Choose another name.")
        ignored.append(_ignored(message, "event", text, Reason.RESERVED))
        return False
    if is_bought := commerce.is_order(message.name):
        text = _(
            "An order of a browser counts when your server sends it with this order_id. Until then it is an unconfirmed event."
        )
        ignored.append(_ignored(message, "event", text, Reason.UNCONFIRMED))
    if is_bought or any(map(_is_amount, message.content.values())):
        message.content = {**message.content, UNCONFIRMED: True}
    return True


def refuse_traits(message: Call) -> list[Ignored]:
    """Return that the traits of a call were ignored, if it has some."""
    text = _("Your server sends this customer. Only a signed call changes traits.")
    return [_ignored(message, "traits", text, Reason.UNSIGNED)] if message.content else []


def refuse_device(message: Call) -> Ignored:
    text = _("This device belongs to another customer. Only a signed call changes that.")
    return _ignored(message, "anonymousId", text, Reason.UNSIGNED)


def refuse_merge(message: Call) -> Ignored:
    text = _("A browser merges no customers of your server. Merge them there.")
    return _ignored(message, "previousId", text, Reason.UNSIGNED)


def refuse_signature(message: Call) -> Ignored:
    text = _("The signature is not that of the userId, so the call counts as unsigned.")
    return _ignored(message, "userHash", text, Reason.SIGNATURE)


def _ignored(message: Call, path: str, text: str, reason: str) -> Ignored:
    return Ignored(message, path, text, RefusedId(path[:100], "", reason))


def _is_amount(value: Any) -> bool:
    """Return whether the goal of a campaign could read a property as its value."""
    try:
        return not isinstance(value, bool) and Decimal(str(value)).is_finite()
    except ArithmeticError:
        return False
