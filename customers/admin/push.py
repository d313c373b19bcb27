"""Push subscriptions of browsers. Their endpoints are secrets and are not shown."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crm.adminkit import display
from crm.adminkit.base import ModelAdmin, column
from customers import push
from customers.models import PushSubscription


@admin.register(PushSubscription)
class PushSubscriptionAdmin(ModelAdmin):
    """Browsers subscribe themselves; staff see and delete subscriptions."""

    forbids = ("add", "change")

    list_display = ("customer", "browser", "service", "since")
    list_before_template = "admin/customers/pushsubscription/how.html"
    list_select_related = ("customer",)
    search_fields = ("=customer__email", "=customer__external_id")
    search_help_text = _("The customer's e-mail or external id, in full")
    ordering = ("-id",)
    empty_says = _("A browser is listed when its user allows your push messages.")
    fields = ("customer", "browser", "service", "since")
    readonly_fields = fields

    @admin.display(description=_("Browser"))
    def browser(self, subscription: PushSubscription) -> str:
        return push.browser_of(subscription) or display.NOTHING

    @admin.display(description=_("Push service"))
    def service(self, subscription: PushSubscription) -> str:
        return urlsplit(subscription.endpoint).hostname or display.NOTHING

    since = column("created_at", _("Since"), display.when, ordering="created_at")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Remove bulk deletion, as each deletion updates the customer's push address."""
        return {}

    def delete_model(self, request: HttpRequest, obj: PushSubscription) -> None:
        push.forget(obj.endpoint)
