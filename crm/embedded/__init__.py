"""Run PostgreSQL and Redis for the site, where DATABASE_URL and REDIS_URL are not set."""

from crm.embedded.environment import provide
from crm.embedded.reference_count import EmbeddedError, leave
