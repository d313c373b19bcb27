from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MarketingConfig(AppConfig):
    name = "marketing"
    verbose_name = _("Marketing")

    def ready(self) -> None:
        from marketing import customer_merge, personal_data  # noqa: F401  register what these tables hold and how they merge
        from marketing.campaigns import search, triggered  # noqa: F401  make campaigns known to segments and to whoever writes rules, and start what events trigger
        from marketing.past_campaigns import kinds  # noqa: F401  registers files of past campaigns
