"""Our settings with the peers' apps beside ours, for benchmarks.peers alone. The peers' own settings are as they come."""

from crm.settings import *  # noqa: F403
from crm.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "post_office", "mailer"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
