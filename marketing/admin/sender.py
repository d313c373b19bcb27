"""Who messages come from."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from crm.adminkit import display
from crm.adminkit.base import ModelAdmin
from marketing.admin import looks
from marketing.models import Sender


@admin.register(Sender)
class SenderAdmin(ModelAdmin):
    list_display = ("name_and_icon", "sends_as", "provider_label", "default")
    search_fields = ("name", "from_address")
    search_help_text = _("Name or address")
    fieldsets = (
        (None, {"fields": (("name", "is_default"), ("provider", "cost_per_message"))}),
        (
            _("What recipients see"),
            {"fields": (("from_name", "from_address"), "reply_to")},
        ),
        (
            _("How fast"),
            {"fields": (("per_second", "per_day"), "connections")},
        ),
    )

    @admin.display(description=_("Name"), ordering="name")
    def name_and_icon(self, sender: Sender) -> SafeString:
        return looks.named(sender.name, sender.channel)

    @admin.display(description=_("Sends as"), ordering="from_address")
    def sends_as(self, sender: Sender) -> str:
        return f"{sender.from_name} <{sender.from_address}>".strip()

    @admin.display(description=_("Provider"), ordering="provider")
    def provider_label(self, sender: Sender) -> SafeString | str:
        label = sender.get_provider_display()
        return looks.simulated() if sender.simulated else label

    @admin.display(description=_("Default"), ordering="-is_default")
    def default(self, sender: Sender) -> SafeString | str:
        return display.badge(_("Default"), "primary") if sender.is_default else display.NOTHING
