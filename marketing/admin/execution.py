"""The pages of messages, read only; a user resolves messages in doubt here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action
from unfold.enums import ActionVariant

from crm import masking
from crm.accounts.current_user import user_of
from crm.accounts.saved_views import SavedViews
from crm.adminkit import confirm, display
from crm.adminkit.base import ModelAdmin, column
from crm.api import ids
from customers import clean
from customers.models import Customer, Identity
from marketing.admin import badges
from marketing.content import ContentError, customer_context, untracked
from marketing.models import CampaignExecution
from marketing.sending import NotUnconfirmed, history, resolve, resolve_all, why

State = CampaignExecution.State


@admin.register(CampaignExecution)
class ExecutionAdmin(SavedViews, ModelAdmin):
    forbids = ("add", "change", "delete")
    list_display = ("person", "campaign", "address", "status", "sent", "opened", "clicked")
    list_display_links = ("person",)
    list_select_related = ("customer", "run__campaign")
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ("skip_reason", ChoicesDropdownFilter),
        ("error_kind", ChoicesDropdownFilter),
        ("run__campaign", AutocompleteSelectFilter),
    )
    search_fields = ("address",)
    search_help_text = gettext_lazy("Whole e-mail address, external id or message id")
    empty_says = gettext_lazy(
        "Each customer in the audience of a sent campaign has a message here, with its state and the reason for it."
    )
    ordering = ("-id",)
    actions = ("all_arrived", "none_arrived")
    actions_detail = ("arrived", "did_not_arrive")
    change_form_outer_after_template = "admin/marketing/campaignexecution/details.html"
    fields = (
        ("status", "reason"),
        ("customer_page", "campaign_page"),
        ("address", "content_version"),
        ("attempts", "provider_id"),
    )

    def has_resolve_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("marketing.change_campaignexecution")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CampaignExecution]:
        return super().get_queryset(request).select_related("customer", "run__campaign")

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Return all fields: get_search_results() leaves out personal data, and every user may search ids."""
        return list(self.search_fields)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[CampaignExecution], search_term: str
    ) -> tuple[QuerySet[CampaignExecution], bool]:
        """Search by indexes of customers and ids alone: a search for a part of an address would read every message."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if message_id := ids.decode("msg", term):
            return queryset.filter(pk=message_id), False
        if masking.is_on():
            return queryset.none(), False
        return queryset.filter(customer__in=_people_known_as(term)), False

    @admin.display(description=gettext_lazy("Customer"))
    def person(self, execution: CampaignExecution) -> str:
        return str(execution.customer)

    @admin.display(description=gettext_lazy("Campaign"))
    def campaign(self, execution: CampaignExecution) -> str:
        return execution.run.campaign.name

    @admin.display(description=gettext_lazy("State"))
    def status(self, execution: CampaignExecution) -> SafeString:
        labels = [badges.message_state(execution)]
        if execution.run.simulated:
            labels.append(badges.simulated())
        why = execution.get_skip_reason_display() or execution.get_error_kind_display()
        return format_html_join(" ", "{}", ((part,) for part in (*labels, why) if part))

    sent = column("sent_at", gettext_lazy("Sent"), display.when)
    opened = column("opened_at", gettext_lazy("Opened"), display.when)
    clicked = column("clicked_at", gettext_lazy("Clicked"), display.when)

    @admin.display(description=gettext_lazy("Reason"))
    def reason(self, execution: CampaignExecution) -> str:
        return why(execution)

    @admin.display(description=gettext_lazy("Customer"))
    def customer_page(self, execution: CampaignExecution) -> SafeString:
        return _link("customers_customer", execution.customer)

    @admin.display(description=gettext_lazy("Campaign"))
    def campaign_page(self, execution: CampaignExecution) -> SafeString:
        return _link("marketing_campaign", execution.run.campaign)

    @admin.display(description=gettext_lazy("Content"))
    def content_version(self, execution: CampaignExecution) -> str:
        return str(execution.version)

    def page_context(self, request: HttpRequest, obj: CampaignExecution) -> dict[str, Any]:
        return {"moments": history(obj), **_content(obj)}

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[UnfoldAction]:
        execution = self.get_object(request, object_id)
        in_doubt = execution is not None and execution.state == State.UNCONFIRMED
        return super().get_actions_detail(request, object_id) if in_doubt else []

    @action(
        description=gettext_lazy("Mark as delivered"),
        icon="check_circle",
        variant=ActionVariant.PRIMARY,
        permissions=["resolve"],
    )
    def arrived(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._resolve(request, object_id, delivered=True)

    @action(
        description=gettext_lazy("Mark as not delivered"), icon="cancel", permissions=["resolve"]
    )
    def did_not_arrive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._resolve(request, object_id, delivered=False)

    @admin.action(
        description=gettext_lazy("Mark messages in doubt as delivered"), permissions=["resolve"]
    )
    def all_arrived(
        self, request: HttpRequest, queryset: QuerySet[CampaignExecution]
    ) -> HttpResponse | None:
        return self._resolve_all(request, queryset, delivered=True)

    @admin.action(
        description=gettext_lazy("Mark messages in doubt as not delivered"), permissions=["resolve"]
    )
    def none_arrived(
        self, request: HttpRequest, queryset: QuerySet[CampaignExecution]
    ) -> HttpResponse | None:
        return self._resolve_all(request, queryset, delivered=False)

    def _resolve_all(
        self, request: HttpRequest, chosen: QuerySet[CampaignExecution], *, delivered: bool
    ) -> HttpResponse | None:
        if not confirm.given(request):
            in_doubt = chosen.filter(state=State.UNCONFIRMED).count()
            return confirm.page(
                self,
                request,
                title=_("Mark as delivered?") if delivered else _("Mark as not delivered?"),
                button=_("Mark as delivered") if delivered else _("Mark as not delivered"),
                facts=[confirm.Fact(in_doubt, gettext_lazy("messages in doubt"))],
                note=_("Your name is recorded with each message. Nothing is sent again."),
            )
        messages_in_doubt = CampaignExecution.objects.filter(pk__in=chosen.values("pk"))
        number = resolve_all(messages_in_doubt, delivered=delivered, by=user_of(request))
        answer = ngettext(
            "%(number)d message is resolved.", "%(number)d messages are resolved.", number
        )
        self.message_user(request, answer % {"number": number}, messages.SUCCESS)
        return None

    def _resolve(self, request: HttpRequest, object_id: str, *, delivered: bool) -> HttpResponse:
        execution = get_object_or_404(self.get_queryset(request), pk=object_id)
        page = reverse("admin:marketing_campaignexecution_change", args=[execution.pk])
        if not confirm.given(request):
            return confirm.page(
                self, request, back=page, about=execution, **_question(execution, delivered)
            )
        try:
            resolve(execution, delivered=delivered, by=user_of(request))
        except NotUnconfirmed as error:
            self.message_user(request, str(error), messages.ERROR)
        return HttpResponseRedirect(page)


def _question(execution: CampaignExecution, delivered: bool) -> dict[str, Any]:
    address = {"address": execution.address}
    if delivered:
        return {
            "title": _("Mark the message to %(address)s as delivered?") % address,
            "button": _("Mark as delivered"),
            "note": _("It counts as sent from then on. Your name is recorded with it."),
        }
    return {
        "title": _("Mark the message to %(address)s as not delivered?") % address,
        "button": _("Mark as not delivered"),
        "note": _(
            "It counts as failed from then on, and is not sent again. Your name is recorded with it."
        ),
    }


def _content(execution: CampaignExecution) -> dict[str, Any]:
    """Return the content of the message, rendered with the customer's data as of now."""
    context = {**customer_context(execution.customer), **execution.context}
    try:
        return {"content": untracked(execution.version, context)}
    except ContentError as error:
        return {"content_error": str(error)}


def _people_known_as(term: str) -> set[int]:
    """Return ids of customers with exactly this e-mail address or external id, now or before a merge."""
    folded = Customer.objects.annotate(folded=Lower("email")).filter(folded=clean.comparable(term))
    by_id = Customer.objects.filter(external_id=term)
    known = Identity.objects.filter(
        kind__in=[Identity.Kind.EMAIL, Identity.Kind.EXTERNAL_ID],
        value__in=[term, clean.comparable(term)],
    )
    return {
        *folded.values_list("pk", flat=True),
        *by_id.values_list("pk", flat=True),
        *known.values_list("customer", flat=True),
    }


def _link(model: str, obj: Any) -> SafeString:
    url = reverse(f"admin:{model}_change", args=[obj.pk])
    return format_html('<a class="text-link" href="{}">{}</a>', url, obj)
