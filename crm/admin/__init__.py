"""Other people's models in our admin, and its index."""

from analytics.admin import home_page  # noqa: F401
from crm.admin import groups, schedule  # noqa: F401
