"""Edit templates, with a preview and the earlier versions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import label_for_field
from django.db.models import Count, Max, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesCheckboxFilter

from crm.accounts.current_user import user_of
from crm.adminkit import display
from crm.adminkit.base import column, page
from marketing.admin import badges
from marketing.admin.template_form import TemplateForm, TestForm
from marketing.admin.template_tools import TemplateTools
from marketing.content import (
    PARTS,
    STARTERS,
    restore_version,
    save_template,
    version_changes,
    versions_of,
)
from marketing.models import CampaignTemplate, TemplateVersion
from marketing.models.template import Content
from marketing.sending.sender_accounts import default_sender

SHOWN_VERSIONS = 20


@admin.register(CampaignTemplate)
class TemplateAdmin(TemplateTools):
    form = TemplateForm
    compressed_fields = False
    list_display = ("name_and_icon", "subject", "format", "used", "version", "changed")
    list_filter = (("channel", ChoicesCheckboxFilter), ("body_format", ChoicesCheckboxFilter))
    search_fields = ("name", "subject")
    search_help_text = gettext_lazy("Name or subject")
    empty_says = gettext_lazy(
        "A template is the content of a message. The preview shows it as a customer sees it while you write."
    )
    change_form_before_template = "admin/marketing/campaigntemplate/starters.html"
    change_form_outer_after_template = "admin/marketing/campaigntemplate/beside.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "channel"),
                    "subject",
                    "preheader",
                    "link",
                    "body_format",
                    "body",
                    "plain_text",
                )
            },
        ),
    )

    @property
    def media(self) -> forms.Media:
        return super().media + TestForm().media

    def get_queryset(self, request: HttpRequest) -> QuerySet[CampaignTemplate]:
        templates = super().get_queryset(request)
        return templates.annotate(
            campaign_count=Count("campaigns", distinct=True), newest=Max("versions__number")
        )

    @admin.display(description=gettext_lazy("Name"), ordering="name")
    def name_and_icon(self, template: CampaignTemplate) -> SafeString:
        return badges.named(template.name, template.channel)

    @admin.display(description=gettext_lazy("Format"), ordering="body_format")
    def format(self, template: CampaignTemplate) -> SafeString | str:
        if "body_format" not in PARTS[template.channel]:
            return display.NOTHING
        is_mjml = template.body_format == Content.BodyFormat.MJML
        return display.badge(template.get_body_format_display(), "info" if is_mjml else "neutral")

    used = column(
        "campaign_count", gettext_lazy("Campaigns"), display.number, ordering="campaign_count"
    )
    version = column("newest", gettext_lazy("Version"), display.number, ordering="newest")
    changed = column("updated_at", gettext_lazy("Changed"), display.when, ordering="updated_at")

    def save_model(
        self, request: HttpRequest, obj: CampaignTemplate, form: Any, change: bool
    ) -> None:
        save_template(obj, by=user_of(request))

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
            "parts": PARTS,
            "starters": [] if object_id else _starters(),
            "versions": self._newest_versions(request, object_id) if object_id else [],
        }
        return super().changeform_view(
            request, object_id, form_url, {**tools, **(extra_context or {})}
        )

    @page("version", "<int:object_id>/versions/<int:number>/", "change")
    def version_view(
        self, request: HttpRequest, object_id: int, number: int, **kwargs: Any
    ) -> HttpResponse:
        """Show what a version changed, what has changed since, and a button to restore it."""
        template = get_object_or_404(CampaignTemplate, pk=object_id)
        known = versions_of(template).select_related("created_by")
        version = get_object_or_404(known, number=number)
        if request.method == "POST":
            newest = restore_version(version, by=user_of(request))
            sentence = _("Version %(old)s restored as version %(new)s.")
            result = sentence % {"old": version.number, "new": newest.number}
            self.message_user(request, result, messages.SUCCESS)
            return HttpResponseRedirect(_page(template))
        return TemplateResponse(
            request,
            "admin/marketing/campaigntemplate/version.html",
            self._version_context(request, version),
        )

    def _version_context(self, request: HttpRequest, version: TemplateVersion) -> dict[str, Any]:
        template = version.template
        known = versions_of(template)
        before = known.filter(number__lt=version.number).first()
        newest = known[0]
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("%(template)s, version %(number)s")
            % {"template": template, "number": version.number},
            "object": template,
            "version": version,
            "before": before,
            "newest": newest,
            "since_before": _named(version_changes(before, version)) if before else {},
            "until_newest": _named(version_changes(version, newest)),
            "back": _page(template),
        }

    def _newest_versions(self, request: HttpRequest, object_id: str) -> list[TemplateVersion]:
        template = self.get_object(request, object_id)
        if template is None:
            return []
        return list(versions_of(template).select_related("created_by")[:SHOWN_VERSIONS])


def _starters() -> list[dict[str, str]]:
    fields = ("name", "about", "subject", "preheader", "body")
    return [{field: str(getattr(starter, field)) for field in fields} for starter in STARTERS]


def _named(changes: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the changes by the labels of the parts."""
    return {_name_of(part): lines for part, lines in changes.items()}


def _name_of(part: str) -> str:
    return str(label_for_field(part, TemplateVersion)).capitalize()


def _page(template: CampaignTemplate) -> str:
    return reverse("admin:marketing_campaigntemplate_change", args=[template.pk])
