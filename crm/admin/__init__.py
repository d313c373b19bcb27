"""Other people's models in our admin, and its index."""

from crm import dashboard  # noqa: F401
from crm.admin import groups, schedule  # noqa: F401
