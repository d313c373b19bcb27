"""Define the forms of a template's page: content, preview customer, test."""

from __future__ import annotations

from typing import Any, Literal

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.validators import validate_email
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from customers.models import Customer
from customers.models.consent import Channel
from marketing.content import ALL_PARTS, PARTS, ContentError, check_snippet, validate
from marketing.models import CampaignExecution, CampaignTemplate, Sender, Snippet
from marketing.models.template import Content


class CodeWidget(UnfoldAdminTextareaWidget):
    """A text area for source code with line numbers and tabs, and a bar that inserts what `puts_in` names."""

    template_name = "admin/marketing/campaigntemplate/code.html"

    class Media:
        css = {"all": ["kindling/template-editor.css"]}
        js = (forms.Script("kindling/template/start.js", type="module"),)

    def __init__(self, rows: int, *puts_in: Literal["variables", "snippets", "images"]) -> None:
        super().__init__(
            attrs={"class": "code", "rows": rows, "spellcheck": "false", "wrap": "off"}
        )
        self.puts_in = puts_in

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return {**super().get_context(name, value, attrs), "puts_in": self.puts_in}


class TemplateForm(forms.ModelForm):
    class Meta:
        model = CampaignTemplate
        fields = ("name", "channel", *ALL_PARTS)
        widgets = {
            "body": CodeWidget(26, "variables", "snippets", "images"),
            "plain_text": CodeWidget(8, "variables", "snippets"),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for choice in {"channel", "body_format"} & self.fields.keys():  # none for who only looks
            self.fields[choice].required = False

    def clean(self) -> dict[str, Any]:
        """Refuse content that cannot be sent; parts that the channel does not have are emptied."""
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
            validate(CampaignTemplate(**cleaned))
        except ContentError as error:
            self.add_error(error.part, str(error))


class SnippetForm(forms.ModelForm):
    class Meta:
        model = Snippet
        fields = ("name", "description", "body")
        widgets = {"body": CodeWidget(18)}

    def clean_body(self) -> str:
        body: str = self.cleaned_data["body"]
        try:
            check_snippet(self.cleaned_data.get("name") or self.instance.name, body)
        except ContentError as error:
            raise forms.ValidationError(str(error)) from error
        return body


class LookForm(forms.Form):
    """The customer of the preview."""

    customer = forms.ModelChoiceField(
        Customer.objects.all(),
        label=_("As seen by"),
        required=False,
        widget=AutocompleteSelect(
            CampaignExecution._meta.get_field("customer"),
            admin.site,
            attrs={"data-placeholder": _("a random customer")},
        ),
    )


class TestForm(LookForm):
    """The address and the sender of a test."""

    to = forms.CharField(label=_("Send a test to"), widget=UnfoldAdminTextInputWidget())
    sender = forms.ModelChoiceField(
        Sender.objects.all(), label=_("From"), empty_label=None, widget=UnfoldAdminSelectWidget()
    )

    def clean_to(self) -> str:
        to: str = self.cleaned_data["to"].strip()
        if self.data.get("channel", Channel.EMAIL) == Channel.EMAIL:
            validate_email(to)
        return to


def posted_template(request: HttpRequest) -> CampaignTemplate:
    """Return the template as it stands in the form, saved or not."""
    given = {part: request.POST[part] for part in ("channel", *ALL_PARTS) if request.POST.get(part)}
    return CampaignTemplate(**given)
