"""Admin of third-party models, and the home page."""

from analytics.admin import home_page
from crm.admin import groups, schedule
