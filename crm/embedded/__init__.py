"""A PostgreSQL and a Redis of our own, for whoever names neither in DATABASE_URL and REDIS_URL."""

from crm.embedded.environment import provide
from crm.embedded.reference_count import EmbeddedError, leave

__all__ = ["EmbeddedError", "leave", "provide"]
