"""Our settings with the peers' apps beside ours, for benchmarks.peers alone."""

from crm.settings import *  # noqa: F403
from crm.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "post_office", "mailer"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
POST_OFFICE = {"BATCH_SIZE": 500, "THREADS_PER_PROCESS": 4, "LOG_LEVEL": 2, "MAX_RETRIES": 3}
MAILER_EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
MAILER_EMAIL_MAX_BATCH = None
MAILER_USE_FILE_LOCK = False
