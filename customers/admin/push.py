"""Browsers that are subscribed to push messages: whose, which, and since when. Their endpoints are secrets and are not shown."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crm.adminkit import display
from crm.adminkit.base import ModelAdmin
from customers import push
from customers.models import PushSubscription


@admin.register(PushSubscription)
class PushSubscriptionAdmin(ModelAdmin):
    """Browsers subscribe themselves; here they are seen, and forgotten where somebody asks for it."""

    list_display = ("customer", "browser", "service", "since")
    list_before_template = "admin/customers/pushsubscription/how.html"
    list_select_related = ("customer",)
    search_fields = ("=customer__email", "=customer__external_id")
    search_help_text = _("The customer's e-mail or external id, in full")
    ordering = ("-id",)
    empty_says = _(
        "Nobody is typed in here: a browser comes into this list when its user says yes to your messages."
    )
    fields = ("customer", "browser", "service", "since")
    readonly_fields = fields

    @admin.display(description=_("Browser"))
    def browser(self, subscription: PushSubscription) -> str:
        return push.browser_of(subscription) or display.NOTHING

    @admin.display(description=_("Push service"))
    def service(self, subscription: PushSubscription) -> str:
        return urlsplit(subscription.endpoint).hostname or display.NOTHING

    @admin.display(description=_("Since"), ordering="created_at")
    def since(self, subscription: PushSubscription) -> str:
        return display.when(subscription.created_at)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Not many at once: each customer's address follows what is left."""
        return {}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: PushSubscription) -> None:
        push.forget(obj.endpoint)
