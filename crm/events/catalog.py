"""The catalogue of event types: public ones with a sentence each, and internal ones that only our subscribers read.

Apps fill it (customers.timeline.types, marketing.events). A type that is not declared is public: programs outside publish their own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.functional import Promise

from crm.events.models import MarketingEvent

IdEncoder = Callable[[int], str]

_public: dict[str, Promise] = {}
_internal: set[str] = set()
_ids: dict[str, IdEncoder] = {}


def declare(types: Mapping[str, Promise]) -> None:
    """Add public types, each with a sentence on what happened."""
    _public.update(types)


def keep_internal(*types: str) -> None:
    """Add types that stay in this system, such as events for a batch."""
    _internal.update(types)


def name_ids(**encoders: IdEncoder) -> None:
    """Set how subscribers outside get a key, by its name in an event's data; `customer` is also the subject's."""
    _ids.update(encoders)


def public() -> dict[str, Promise]:
    return dict(sorted(_public.items()))


def internal() -> list[str]:
    return sorted(_internal)


def public_value(name: str, value: object) -> object:
    """Return a value of an event's data, opaque where it is a key."""
    if name in _ids and isinstance(value, int):
        return _ids[name](value)
    return value


def cloud_event(event: MarketingEvent) -> dict[str, Any]:
    """Return the event as a CloudEvent 1.0 in JSON (cloudevents.io), with opaque ids.

    An event of a customer has that one as its subject and as `data.customer`.
    """
    data = {name: public_value(name, value) for name, value in event.data.items()}
    subject = event.subject
    if event.customer_id is not None:
        customer = public_value("customer", event.customer_id)
        data["customer"], subject = customer, f"customer/{customer}"
    elif "campaign" in data:
        subject = f"campaign/{data['campaign']}"
    return {
        "specversion": "1.0",
        "id": str(event.event_id),
        "type": event.type,
        "source": event.source,
        **({"subject": subject} if subject else {}),
        "time": event.time.isoformat(),
        "datacontenttype": "application/json",
        "data": data,
    }


def text(event: MarketingEvent) -> str:
    return json.dumps(cloud_event(event), ensure_ascii=False, separators=(",", ":"))
