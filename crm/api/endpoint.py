"""The base of every endpoint of the API."""

from __future__ import annotations

from crm.api.conditional import ConditionalRequests
from crm.api.idempotency import IdempotentWrites


class Endpoint(ConditionalRequests, IdempotentWrites):
    """Mixin for views with idempotent writes and ETags; put it first. Views with a list also take `Lists`."""
