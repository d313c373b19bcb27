"""The base of every endpoint of the API."""

from __future__ import annotations

from crm.api.conditional import ConditionalRequests
from crm.api.idempotency import IdempotentWrites
from crm.api.parameters import KnownParameters


class Endpoint(ConditionalRequests, IdempotentWrites, KnownParameters):
    """Mixin for views with idempotent writes, ETags and known parameters; put it first. Views with a list also take `Lists`."""
