"""What every endpoint of the API keeps to."""

from __future__ import annotations

from crm.api.conditional import ConditionalRequests
from crm.api.idempotency import IdempotentWrites


class Endpoint(ConditionalRequests, IdempotentWrites):
    """Mixin for views (put it first): writes that can be repeated, and ETags. `Lists` is for those with a list beside it."""
