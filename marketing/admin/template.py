"""Templates: written here, with the message beside them as a customer would get it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from crm.accounts.signed_in import user_of
from crm.adminkit import display
from crm.adminkit.base import ModelAdmin
from customers.models import Customer
from customers.models.consent import Channel
from marketing.admin import looks
from marketing.campaigns.create import default_sender
from marketing.channels.base import SendError
from marketing.content import liquid, source, variables, versions
from marketing.content.parts import EVERY, PARTS
from marketing.content.preview import preview, send_test
from marketing.models import CampaignExecution, CampaignTemplate, Sender
from marketing.models.template import Content


def code(rows: int) -> UnfoldAdminTextareaWidget:
    return UnfoldAdminTextareaWidget(attrs={"class": "code", "rows": rows, "spellcheck": "false"})


class TemplateForm(forms.ModelForm):
    class Meta:
        model = CampaignTemplate
        fields = ("name", "channel", *EVERY)
        widgets = {"body": code(24), "plain_text": code(8)}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for choice in ("channel", "body_format"):
            self.fields[choice].required = False

    def clean(self) -> dict[str, Any]:
        """What cannot be sent cannot be saved; parts that the channel does not have are emptied."""
        cleaned: dict[str, Any] = super().clean() or {}
        cleaned["channel"] = cleaned.get("channel") or Channel.EMAIL
        cleaned["body_format"] = cleaned.get("body_format") or Content.BodyFormat.HTML
        for part in {"subject", "preheader", "plain_text", "link"} - {*PARTS[cleaned["channel"]]}:
            cleaned[part] = ""
        if not self.errors:
            self._check(cleaned)
        return cleaned

    def _check(self, cleaned: dict[str, Any]) -> None:
        try:
            source.build(CampaignTemplate(**cleaned))
        except liquid.ContentError as error:
            self.add_error(error.part, str(error))


class LookForm(forms.Form):
    """For whom the preview is."""

    customer = forms.ModelChoiceField(
        Customer.objects.all(),
        label=gettext_lazy("As seen by"),
        required=False,
        widget=AutocompleteSelect(
            CampaignExecution._meta.get_field("customer"),
            admin.site,
            attrs={"data-placeholder": gettext_lazy("a random customer")},
        ),
    )


class TestForm(LookForm):
    """Where a test goes, and from whom."""

    to = forms.EmailField(
        label=gettext_lazy("Send a test to"), widget=UnfoldAdminEmailInputWidget()
    )
    sender = forms.ModelChoiceField(
        Sender.objects.all(),
        label=gettext_lazy("From"),
        empty_label=None,
        widget=UnfoldAdminSelectWidget(),
    )


@admin.register(CampaignTemplate)
class TemplateAdmin(ModelAdmin):
    form = TemplateForm
    list_display = ("name_and_icon", "subject", "changed")
    search_fields = ("name", "subject")
    search_help_text = gettext_lazy("Name or subject")
    change_form_outer_after_template = "admin/marketing/campaigntemplate/preview.html"
    fieldsets = (
        (None, {"fields": (("name", "channel"), "subject", "preheader", "body_format", "body")}),
        (None, {"fields": ("plain_text", "link")}),
    )

    @property
    def media(self) -> forms.Media:
        return super().media + TestForm().media + forms.Media(js=["kindling/campaign-template.js"])

    @admin.display(description=gettext_lazy("Name"), ordering="name")
    def name_and_icon(self, template: CampaignTemplate) -> SafeString:
        return looks.named(template.name, template.channel)

    @admin.display(description=gettext_lazy("Changed"), ordering="updated_at")
    def changed(self, template: CampaignTemplate) -> str:
        return display.when(template.updated_at)

    def save_model(
        self, request: HttpRequest, obj: CampaignTemplate, form: Any, change: bool
    ) -> None:
        versions.save(obj, by=user_of(request))

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("preview/", "marketing_template_preview", require_POST(self.preview)),
            ("test-send/", "marketing_template_test_send", require_POST(self.test_send)),
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        tools = {
            "is_fullwidth": True,
            "tools": TestForm(initial={"to": user_of(request).email, "sender": default_sender()}),
            "variables": sorted(variables.known()),
        }
        return super().changeform_view(
            request, object_id, form_url, {**tools, **(extra_context or {})}
        )

    def preview(self, request: HttpRequest, **kwargs: Any) -> JsonResponse:
        """The posted content as the posted (or any) customer would get it; an error in it is told, not raised."""
        self._only_authors(request)
        form = LookForm(request.POST)
        customer = form.cleaned_data["customer"] if form.is_valid() else None
        try:
            seen = preview(_posted_content(request), customer)
        except liquid.ContentError as error:
            return JsonResponse({"error": str(error)})
        return JsonResponse(
            {
                "subject": seen.subject,
                "html": seen.html,
                "text": seen.text,
                "unknown": seen.unknown,
                "findings": [asdict(each) for each in seen.findings],
                "customer": str(seen.customer or _("nobody yet")),
            }
        )

    def test_send(self, request: HttpRequest, **kwargs: Any) -> JsonResponse:
        """Send the posted content to one address; the answer says in words what happened."""
        self._only_authors(request)
        form = TestForm(request.POST)
        if not form.is_valid():
            return JsonResponse({"error": " ".join(_flat(form))}, status=400)
        wanted = form.cleaned_data
        try:
            send_test(
                _posted_content(request),
                sender=wanted["sender"],
                to_address=wanted["to"],
                customer=wanted["customer"],
            )
        except (liquid.ContentError, SendError) as error:
            return JsonResponse({"error": str(error)}, status=400)
        if wanted["sender"].simulated:
            return JsonResponse({"said": _("The simulator took it; nothing was delivered.")})
        return JsonResponse({"said": _("Sent to %s.") % wanted["to"]})

    def _only_authors(self, request: HttpRequest) -> None:
        if not (self.has_change_permission(request) or self.has_add_permission(request)):
            raise PermissionDenied


def _posted_content(request: HttpRequest) -> CampaignTemplate:
    """The template as it stands in the form, saved or not."""
    given = {part: request.POST[part] for part in ("channel", *EVERY) if part in request.POST}
    return CampaignTemplate(**given)


def _flat(form: forms.Form) -> list[str]:
    return [str(message) for messages in form.errors.values() for message in messages]
