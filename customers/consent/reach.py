"""Conditions of a query for customers who may receive messages, shared by audiences, segments and the recheck."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower, Now

from customers.models import Suppression


def topic_key(channel: str, topic: str) -> str:
    """Return the key of a topic in `Customer.opted_out_topics`."""
    return f"{channel}:{topic}"


def has_no_address(address: str) -> Q:
    """`address` names the column that holds it."""
    return Q(**{address: ""}) | Q(**{f"{address}__isnull": True})


def is_unwanted(channel: str, topic: str = "", *, customer: str = "") -> Q:
    """Match customers who opted out of the channel or the topic, did not confirm yet, or pause.

    `customer` is a prefix such as `customer__`.
    """
    unwanted = Q(**{f"{customer}opted_out_channels__contains": [channel]}) | Q(
        **{f"{customer}paused_until__gt": Now()}
    )
    if topic:
        unwanted |= Q(**{f"{customer}opted_out_topics__contains": [topic_key(channel, topic)]})
    return unwanted


def is_suppressed(channel: str, address: str) -> Exists:
    """Return the condition that the address is on the suppression list."""
    suppressed = (
        Suppression.objects.filter(channel=channel)
        .annotate(folded=Lower("address"))
        .filter(folded=Lower(OuterRef(address)))
    )
    return Exists(suppressed)
