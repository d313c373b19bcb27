"""Admin of third-party models, and the home page."""

from analytics.admin import home_page  # noqa: F401
from crm.admin import groups, schedule  # noqa: F401
