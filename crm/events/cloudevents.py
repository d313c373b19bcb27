"""Write events as CloudEvents 1.0 in the JSON format (cloudevents.io, "JSON Event Format")."""

from __future__ import annotations

import json
from typing import Any

from crm.events import catalog
from crm.events.models import MarketingEvent


def cloud_event(event: MarketingEvent) -> dict[str, Any]:
    """Return the event with opaque ids. An event of a customer has that one as its subject and as `data.customer`."""
    data = {name: catalog.public_value(name, value) for name, value in event.data.items()}
    subject = event.subject
    if event.customer_id is not None:
        customer = catalog.public_value("customer", event.customer_id)
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
