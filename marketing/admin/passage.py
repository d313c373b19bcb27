"""The passages of customers through workflows: where each stands, and why; a user ends, moves or retries them here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget

from crm import masking
from crm.accounts.saved_views import SavedViews
from crm.adminkit import confirm, display, panels
from crm.adminkit.base import ModelAdmin, column
from customers.identity import find
from customers.models import Customer
from customers.segments import RuleError, describe, event_types
from marketing import workflows
from marketing.admin import badges
from marketing.models import CampaignExecution, Enrollment, EnrollmentEvent

State = Enrollment.State
SHOWN_OF_CUSTOMER = 10


class UnderWay(admin.SimpleListFilter):
    """Passages that have not ended, or those that have."""

    title = gettext_lazy("under way")
    parameter_name = "under_way"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Enrollment]
    ) -> QuerySet[Enrollment]:
        if self.value() == "yes":
            return queryset.filter(state__in=Enrollment.UNDER_WAY)
        return queryset.exclude(state__in=Enrollment.UNDER_WAY) if self.value() else queryset


class StepForm(forms.Form):
    """Choice of the step where a passage continues."""

    step = forms.ChoiceField(label=gettext_lazy("Step"), widget=UnfoldAdminSelectWidget())

    def __init__(self, passage: Enrollment, data: Any = None) -> None:
        super().__init__(data)
        step: Any = self.fields["step"]
        step.choices = [(key, key) for key in passage.version.definition.get("steps", {})]


@admin.register(Enrollment)
class PassageAdmin(SavedViews, ModelAdmin):
    forbids = ("add", "change", "delete")
    list_display = ("person", "workflow", "status", "step", "since", "waits", "entered")
    list_display_links = ("person",)
    list_select_related = ("customer", "workflow")
    list_filter = (
        UnderWay,
        ("state", ChoicesDropdownFilter),
        ("exit_reason", ChoicesDropdownFilter),
        ("workflow", AutocompleteSelectFilter),
    )
    search_fields = ("customer__email",)
    search_help_text = gettext_lazy("Whole e-mail address or external id")
    empty_says = gettext_lazy("Each customer who enters a workflow has a passage here.")
    ordering = ("-id",)
    actions = ("exit_passages",)
    actions_detail = ("exit_passage", "move_passage", "retry_passage")
    change_form_outer_after_template = "admin/marketing/enrollment/way.html"
    fields = (
        ("person_page", "workflow_page"),
        ("status", "step"),
        ("entered_at", "waits"),
        ("goal", "error"),
    )

    class Media:
        css: ClassVar[dict[str, Sequence[str]]] = {"all": ("kindling/workflow.css",)}

    def has_run_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("marketing.run_workflow")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "step__exact" or super().lookup_allowed(lookup, value, request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Enrollment]:
        return super().get_queryset(request).select_related("customer", "workflow", "version")

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return list(self.search_fields)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Enrollment], search_term: str
    ) -> tuple[QuerySet[Enrollment], bool]:
        """Search by ids of customers, by their index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if masking.is_on():
            return queryset.none(), False
        return queryset.filter(customer__in=find([term]).values()), False

    @admin.display(description=gettext_lazy("Customer"))
    def person(self, passage: Enrollment) -> str:
        return str(passage.customer)

    @admin.display(description=gettext_lazy("Customer"))
    def person_page(self, passage: Enrollment) -> SafeString:
        url = reverse("admin:customers_customer_change", args=[passage.customer_id])
        return format_html('<a class="text-link" href="{}">{}</a>', url, passage.customer)

    @admin.display(description=gettext_lazy("Workflow"))
    def workflow_page(self, passage: Enrollment) -> SafeString:
        url = reverse("admin:marketing_workflow_live", args=[passage.workflow_id])
        name = f"{passage.workflow} v{passage.version.number}"
        return format_html('<a class="text-link" href="{}">{}</a>', url, name)

    @admin.display(description=gettext_lazy("State"))
    def status(self, passage: Enrollment) -> SafeString:
        reason = passage.get_exit_reason_display() if passage.exit_reason else ""
        return format_html("{} {}", badges.passage_state(passage), reason)

    @admin.display(description=gettext_lazy("Waits for"))
    def waits(self, passage: Enrollment) -> SafeString | str:
        return _waits(passage)

    @admin.display(description=gettext_lazy("Goal met"))
    def goal(self, passage: Enrollment) -> SafeString | str:
        if passage.goal_at is None:
            return display.NOTHING
        worth = display.money(passage.goal_value) if passage.goal_value is not None else ""
        return format_html("{} {}", display.when(passage.goal_at), worth)

    since = column("came_at", gettext_lazy("There since"), display.when)
    entered = column("entered_at", gettext_lazy("Entered"), display.when)

    def page_context(self, request: HttpRequest, obj: Enrollment) -> dict[str, Any]:
        events = EnrollmentEvent.objects.filter(enrollment_id=obj.pk).order_by("pk")
        return {"way": path_of(events)}

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> Any:
        """Offer what the state of the passage allows."""
        passage = Enrollment.objects.filter(pk=object_id).first()
        under_way = passage is not None and passage.state in Enrollment.UNDER_WAY
        wanted = {"exit_passage": under_way, "move_passage": under_way}
        wanted["retry_passage"] = passage is not None and passage.state == State.FAILED
        return [
            each
            for each in super().get_actions_detail(request, object_id)
            if wanted.get(each.method.__name__, True)
        ]

    @action(description=gettext_lazy("End passage"), icon="logout", permissions=["run"])
    def exit_passage(self, request: HttpRequest, object_id: int) -> HttpResponse:
        passage = get_object_or_404(Enrollment, pk=object_id)
        if not confirm.given(request):
            return confirm.page(
                self, request, title=_("End this passage?"), button=_("End passage"), danger=True, back=_page(passage),
                note=_("Its messages that have not left are skipped."), about=passage,
            )  # fmt: skip
        done = workflows.end_by_hand(passage.workflow, [passage.pk])
        return self._moved(request, passage, done)

    @action(description=gettext_lazy("Move to a step"), icon="move_down", permissions=["run"])
    def move_passage(self, request: HttpRequest, object_id: int) -> HttpResponse:
        passage = get_object_or_404(
            Enrollment.objects.select_related("workflow", "version"), pk=object_id
        )
        form = StepForm(passage, request.POST if confirm.given(request) else None)
        if not confirm.given(request) or not form.is_valid():
            return confirm.page(
                self, request, title=_("Move this passage?"), button=_("Move passage"), form=form, back=_page(passage),
                note=_("The customer continues at the chosen step at once."), about=passage,
            )  # fmt: skip
        done = workflows.put_at(passage.workflow, passage.pk, form.cleaned_data["step"])
        return self._moved(request, passage, done)

    @action(description=gettext_lazy("Retry step"), icon="refresh", permissions=["run"])
    def retry_passage(self, request: HttpRequest, object_id: int) -> HttpResponse:
        passage = get_object_or_404(Enrollment, pk=object_id)
        if not confirm.given(request):
            return confirm.page(
                self, request, title=_("Retry the step?"), button=_("Retry step"), back=_page(passage),
                note=passage.error, about=passage,
            )  # fmt: skip
        return self._moved(request, passage, workflows.retry(passage.workflow, [passage.pk]))

    @admin.action(description=gettext_lazy("End passages"), permissions=["run"])
    def exit_passages(
        self, request: HttpRequest, queryset: QuerySet[Enrollment]
    ) -> HttpResponse | None:
        chosen = queryset.filter(state__in=Enrollment.UNDER_WAY)
        if not confirm.given(request):
            return confirm.page(
                self, request, title=_("End these passages?"), button=_("End passages"), danger=True,
                facts=[confirm.Fact(chosen.count(), _("passages under way"))],
                note=_("Their messages that have not left are skipped."),
            )  # fmt: skip
        done = 0
        for workflow in {each.workflow for each in chosen}:
            ids = list(chosen.filter(workflow=workflow).values_list("pk", flat=True))
            done += workflows.end_by_hand(workflow, ids)
        result = ngettext("%(n)s passage ended.", "%(n)s passages ended.", done) % {"n": done}
        self.message_user(request, result, messages.SUCCESS)
        return None

    def _moved(self, request: HttpRequest, passage: Enrollment, done: int) -> HttpResponse:
        if done:
            self.message_user(request, _("Done."), messages.SUCCESS)
        else:
            refusal = _("The passage is not in a state in which that is possible.")
            self.message_user(request, refusal, messages.ERROR)
        return HttpResponseRedirect(_page(passage))


def of_customer(request: HttpRequest, customer: Customer) -> SafeString | str:
    """Render the passages of a customer, those under way first, for the customer's page."""
    if not request.user.has_perm("marketing.view_enrollment"):
        return ""
    found = customer.enrollments.select_related("workflow").order_by(
        Case(When(state__in=Enrollment.UNDER_WAY, then=0), default=1), "-pk"
    )[:SHOWN_OF_CUSTOMER]
    if not found:
        return ""
    shown = [
        {
            "link": _page(each),
            "workflow": each.workflow.name,
            "state": badges.passage_state(each),
            "reason": each.get_exit_reason_display() if each.exit_reason else "",
            "step": each.step,
            "waits": _waits(each),
            "entered": display.day(each.entered_at),
        }
        for each in found
    ]
    return render_to_string("admin/marketing/enrollment/of_customer.html", {"passages": shown})


panels.register("customers.customer", of_customer)


def _waits(passage: Enrollment) -> SafeString | str:
    if passage.state != State.WAITING or passage.due_at is None:
        return display.NOTHING
    until = format_html(_("until {when}"), when=display.when(passage.due_at))
    event = passage.waiting_for.replace("_", " ").strip("*")
    return format_html("{} {}", event, until)


def path_of(events: Iterable[EnrollmentEvent]) -> list[dict[str, Any]]:
    """Return each event of a passage with its reason as text."""
    return [
        {
            "kind": event.kind,
            "label": event.get_kind_display(),
            "step": event.step,
            "branch": event.branch,
            "why": _why(event.detail),
            "at": display.when(event.at),
        }
        for event in events
    ]


def _why(detail: Any) -> str:
    """Return the reason of a move: the event, the rules or the skip reason that decided."""
    if not isinstance(detail, dict):
        return ""
    if name := detail.get("event"):
        known = event_types.find(str(name))
        at = parse_datetime(str(detail.get("at", "")))
        when = display.date_and_time(at) if at else ""
        return f"{str(known.label).capitalize() if known else name} {when}".strip()
    if rules := detail.get("rules"):
        try:
            return describe(rules)
        except RuleError as error:
            return str(error)
    if reason := detail.get("skip_reason"):
        return str(dict(CampaignExecution.SkipReason.choices).get(reason, reason))
    return ", ".join(f"{key}: {value}" for key, value in detail.items())


def _page(passage: Enrollment) -> str:
    return reverse("admin:marketing_enrollment_change", args=[passage.pk])
