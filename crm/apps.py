from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class CrmConfig(AppConfig):
    name = "crm"
    verbose_name = _("System")
    default = True

    def ready(self) -> None:
        from crm import checks  # noqa: F401


class KindlingAdminConfig(admin_apps.AdminConfig):
    default_site = "crm.site.KindlingAdminSite"
    default = False
