"""Messages: what became of each, for reading; only those in doubt are settled here."""

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
from crm.adminkit import confirm, display
from crm.adminkit.base import ModelAdmin
from crm.api import ids
from customers.models import Customer, Identity
from marketing.admin import badges
from marketing.content import ContentError, customer_context, untracked
from marketing.models import CampaignExecution
from marketing.sending.explain import history, why
from marketing.sending.resolve_manually import NotUnconfirmed, resolve, resolve_all

State = CampaignExecution.State


@admin.register(CampaignExecution)
class ExecutionAdmin(ModelAdmin):
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
        "Once a campaign is sent, each person in its audience has a line here that says what became of the message, and why."
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

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: CampaignExecution | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: CampaignExecution | None = None
    ) -> bool:
        return False

    def has_settle_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("marketing.change_campaignexecution")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CampaignExecution]:
        return super().get_queryset(request).select_related("customer", "run__campaign")

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """All of them: the search below knows what is hidden from whom, and ids are found by everybody."""
        return list(self.search_fields)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[CampaignExecution], search_term: str
    ) -> tuple[QuerySet[CampaignExecution], bool]:
        """Through the indexes of people and ids alone: a search for a part would read every message ever sent."""
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

    @admin.display(description=gettext_lazy("Sent"))
    def sent(self, execution: CampaignExecution) -> str:
        return display.when(execution.sent_at)

    @admin.display(description=gettext_lazy("Opened"))
    def opened(self, execution: CampaignExecution) -> SafeString | str:
        return display.when(execution.opened_at)

    @admin.display(description=gettext_lazy("Clicked"))
    def clicked(self, execution: CampaignExecution) -> SafeString | str:
        return display.when(execution.clicked_at)

    @admin.display(description=gettext_lazy("Why"))
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

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        execution = self.get_object(request, object_id)
        context: dict[str, Any] = dict(extra_context or {})
        if execution:
            context |= {"moments": history(execution), **_content(execution)}
        return super().change_view(request, object_id, form_url, context)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[UnfoldAction]:
        execution = self.get_object(request, object_id)
        in_doubt = execution is not None and execution.state == State.UNCONFIRMED
        return super().get_actions_detail(request, object_id) if in_doubt else []

    @action(
        description=gettext_lazy("It arrived"),
        icon="check_circle",
        variant=ActionVariant.PRIMARY,
        permissions=["settle"],
    )
    def arrived(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._settle(request, object_id, arrived=True)

    @action(description=gettext_lazy("It did not arrive"), icon="cancel", permissions=["settle"])
    def did_not_arrive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._settle(request, object_id, arrived=False)

    @admin.action(description=gettext_lazy("Those in doubt arrived"), permissions=["settle"])
    def all_arrived(
        self, request: HttpRequest, queryset: QuerySet[CampaignExecution]
    ) -> HttpResponse | None:
        return self._settle_all(request, queryset, arrived=True)

    @admin.action(description=gettext_lazy("Those in doubt did not arrive"), permissions=["settle"])
    def none_arrived(
        self, request: HttpRequest, queryset: QuerySet[CampaignExecution]
    ) -> HttpResponse | None:
        return self._settle_all(request, queryset, arrived=False)

    def _settle_all(
        self, request: HttpRequest, chosen: QuerySet[CampaignExecution], *, arrived: bool
    ) -> HttpResponse | None:
        if not confirm.given(request):
            in_doubt = chosen.filter(state=State.UNCONFIRMED).count()
            return confirm.page(
                self,
                request,
                title=_("Did they arrive?") if arrived else _("Did they not arrive?"),
                button=_("They arrived") if arrived else _("They did not arrive"),
                facts=[confirm.Fact(in_doubt, gettext_lazy("messages in doubt"))],
                note=_("Your name stands beside each. Nothing is sent again by this."),
            )
        messages_in_doubt = CampaignExecution.objects.filter(pk__in=chosen.values("pk"))
        number = resolve_all(messages_in_doubt, delivered=arrived, by=user_of(request))
        answer = ngettext(
            "%(number)d message is settled.", "%(number)d messages are settled.", number
        )
        self.message_user(request, answer % {"number": number}, messages.SUCCESS)
        return None

    def _settle(self, request: HttpRequest, object_id: str, *, arrived: bool) -> HttpResponse:
        execution = get_object_or_404(self.get_queryset(request), pk=object_id)
        page = reverse("admin:marketing_campaignexecution_change", args=[execution.pk])
        if not confirm.given(request):
            return confirm.page(
                self, request, back=page, about=execution, **_question(execution, arrived)
            )
        try:
            resolve(execution, delivered=arrived, by=user_of(request))
        except NotUnconfirmed as error:
            self.message_user(request, str(error), messages.ERROR)
        return HttpResponseRedirect(page)


def _question(execution: CampaignExecution, arrived: bool) -> dict[str, Any]:
    who = {"address": execution.address}
    if arrived:
        return {
            "title": _("Did the message to %(address)s arrive?") % who,
            "button": _("It arrived"),
            "note": _("It then counts as sent, with your name beside it."),
        }
    return {
        "title": _("Did the message to %(address)s not arrive?") % who,
        "button": _("It did not arrive"),
        "note": _("It then counts as failed, with your name beside it. It is not sent again."),
    }


def _content(execution: CampaignExecution) -> dict[str, Any]:
    """Return what the message says: its version, with what is known of the customer now."""
    context = {**customer_context(execution.customer), **execution.context}
    try:
        return {"content": untracked(execution.version, context)}
    except ContentError as error:
        return {"content_error": str(error)}


def _people_known_as(term: str) -> set[int]:
    """Customers with this very e-mail address or external id, now or before a merge."""
    folded = Customer.objects.annotate(folded=Lower("email")).filter(folded=term.lower())
    by_id = Customer.objects.filter(external_id=term)
    known = Identity.objects.filter(
        kind__in=[Identity.Kind.EMAIL, Identity.Kind.EXTERNAL_ID], value__in=[term, term.lower()]
    )
    return {
        *folded.values_list("pk", flat=True),
        *by_id.values_list("pk", flat=True),
        *known.values_list("customer", flat=True),
    }


def _link(model: str, obj: Any) -> SafeString:
    url = reverse(f"admin:{model}_change", args=[obj.pk])
    return format_html('<a class="text-link" href="{}">{}</a>', url, obj)
