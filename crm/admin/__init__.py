"""Other people's models in our admin."""

from crm.admin import groups, schedule  # noqa: F401
