from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    name = "customers"
    verbose_name = _("Customers")

    def ready(self) -> None:
        from customers.ingest import sources  # noqa: F401  registers the kinds of files
        from customers.privacy import tables  # noqa: F401  registers what these tables hold
