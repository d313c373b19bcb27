from django.apps import AppConfig, apps
from django.contrib.admin import apps as admin_apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class CrmConfig(AppConfig):
    name = "crm"
    verbose_name = _("System")
    default = True

    def ready(self) -> None:
        from crm import audit_models, checks, roles  # noqa: F401

        audit_models.watch()

        last = apps.get_app_config("admin")  # by then every app has made its permissions
        post_migrate.connect(roles.sync, sender=last, dispatch_uid="roles")


class KindlingAdminConfig(admin_apps.AdminConfig):
    default_site = "crm.site.KindlingAdminSite"
    default = False
