"""The WSGI application."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")

django_application = get_wsgi_application()

from crm.api.body_limits import ChunkedBodies, TimelyBodies  # noqa: E402  # its settings are ready now

application = TimelyBodies(ChunkedBodies(django_application))
