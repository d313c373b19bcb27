"""Our settings with the apps of the peers, for benchmarks.peers alone. The peers keep their default settings."""

from crm.settings import *  # noqa: F403
from crm.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "post_office", "mailer"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
