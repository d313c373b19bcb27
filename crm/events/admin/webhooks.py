"""Webhooks: their endpoints and deliveries in the admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextareaWidget

from crm.adminkit import display
from crm.adminkit.base import ModelAdmin, column
from crm.events.models import WebhookDelivery, WebhookEndpoint
from crm.events.webhooks import endpoints, queue

TONES: dict[str, display.Tone] = {
    WebhookDelivery.State.PENDING: "info",
    WebhookDelivery.State.DELIVERED: "success",
    WebhookDelivery.State.FAILED: "danger",
}


class Types(forms.CharField):
    """A list of event types, one a line."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return str(value or "").split()


class EndpointForm(forms.ModelForm):
    types = Types(
        required=False,
        label=gettext_lazy("Events"),
        help_text=gettext_lazy(
            "One a line: customer.created, or campaign.* for all of a kind. Leave empty for all."
        ),
    )

    present_secret = forms.CharField(
        required=False,
        label=gettext_lazy("Secret"),
        help_text=gettext_lazy("Only for a new address: the present secret of the webhook."),
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("name", "url", "types", "notify", "is_active")

    def clean(self) -> dict[str, Any]:
        """Require the secret for a new address."""
        cleaned = super().clean() or {}
        secret, moves = cleaned.get("present_secret", ""), "url" in self.changed_data
        if self.instance.pk and moves and not endpoints.is_secret(self.instance, secret):
            self.add_error("present_secret", endpoints.MOVED)
        return cleaned


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ModelAdmin):
    form = EndpointForm
    list_display = ("name", "url", "wants", "works")
    list_filter = ("is_active",)
    search_fields = ("name", "url")
    readonly_fields = ("failures", "failing_since", "switched_off_why")
    actions = ("send_test", "rotate", "replay_failed")

    def get_fields(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> list[str]:
        """Leave the secret out for a new endpoint."""
        fields = [str(each) for each in super().get_fields(request, obj)]
        return fields if obj else [each for each in fields if each != "present_secret"]

    def get_readonly_fields(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> Any:
        """Hide the failures of a new endpoint."""
        return self.readonly_fields if obj else ()

    def save_model(
        self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool
    ) -> None:
        if not change:
            self._show_secret(request, obj, endpoints.create(obj))
            return
        if obj.is_active and "is_active" in form.changed_data:
            endpoints.switch_on(obj)
            obj.refresh_from_db(fields=["failures", "failing_since", "switched_off_why"])
        super().save_model(request, obj, form, change)

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        delivered = WebhookDelivery.objects.filter(
            endpoint=OuterRef("pk"), state=WebhookDelivery.State.DELIVERED
        )
        return super().get_queryset(request).annotate(has_delivered=Exists(delivered))

    @admin.action(description=gettext_lazy("Send a test event"), permissions=["change"])
    def send_test(self, request: HttpRequest, chosen: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in chosen:
            queue.send_test(endpoint)
        text = _("The test event is queued. See its outcome under Deliveries.")
        self.message_user(request, text, messages.SUCCESS)

    @admin.action(description=gettext_lazy("Rotate secret"), permissions=["change"])
    def rotate(self, request: HttpRequest, chosen: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in chosen:
            self._show_secret(request, endpoint, endpoints.rotate(endpoint))

    @admin.action(description=gettext_lazy("Resend failed deliveries"), permissions=["change"])
    def replay_failed(self, request: HttpRequest, chosen: QuerySet[WebhookEndpoint]) -> None:
        count = sum(queue.replay(queue.failed_since(each, None)) for each in chosen)
        text = ngettext("%s delivery is queued again.", "%s deliveries are queued again.", count)
        self.message_user(request, text % count, messages.SUCCESS)

    def _show_secret(self, request: HttpRequest, endpoint: WebhookEndpoint, secret: str) -> None:
        text = _("The secret of “%(name)s”, shown only once: %(secret)s")
        self.message_user(
            request, text % {"name": endpoint.name, "secret": secret}, messages.WARNING
        )

    @admin.display(description=gettext_lazy("Events"))
    def wants(self, endpoint: WebhookEndpoint) -> SafeString | str:
        return display.tags(endpoint.types) if endpoint.types else _("All")

    @admin.display(description=gettext_lazy("State"), ordering="is_active")
    def works(self, endpoint: Any) -> SafeString:
        if not endpoint.is_active:
            return display.badge(_("Off"), "danger" if endpoint.switched_off_why else "neutral")
        if endpoint.failures:
            return display.badge(_("Failing"), "warning")
        if not endpoint.has_delivered:
            return display.badge(_("Not used yet"), "neutral")
        return display.badge(_("Active"), "success")


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ModelAdmin):
    forbids = ("add", "change")
    list_display = ("type", "endpoint", "standing", "attempts", "answer", "took", "error", "when")
    list_filter = ("state", "endpoint", ("created_at", RangeDateTimeFilter))
    list_select_related = ("endpoint",)
    search_fields = ("type", "=event_id")
    search_help_text = gettext_lazy("Type or id of the event")
    ordering = ("-pk",)
    actions = ("replay",)

    @admin.action(description=gettext_lazy("Resend"), permissions=["delete"])
    def replay(self, request: HttpRequest, chosen: QuerySet[WebhookDelivery]) -> None:
        count = queue.replay(chosen)
        text = ngettext("%s delivery is queued again.", "%s deliveries are queued again.", count)
        self.message_user(request, text % count, messages.SUCCESS)

    @admin.display(description=gettext_lazy("State"), ordering="state")
    def standing(self, delivery: WebhookDelivery) -> SafeString:
        return display.badge(delivery.get_state_display(), TONES[delivery.state])

    @admin.display(description=gettext_lazy("Response code"))
    def answer(self, delivery: WebhookDelivery) -> str:
        return str(delivery.response_code or display.NOTHING)

    @admin.display(description=gettext_lazy("Duration"))
    def took(self, delivery: WebhookDelivery) -> str:
        return display.NOTHING if delivery.ms is None else f"{display.number(delivery.ms)} ms"

    when = column("created_at", gettext_lazy("When"), display.when)
