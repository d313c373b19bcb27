from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "crm.accounts"
    label = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        from crm.accounts import audit, sign_in_limits

        audit.watch_sign_ins()
        sign_in_limits.watch_password_resets()
        post_migrate.connect(audit.guard, sender=self, dispatch_uid="audit")
