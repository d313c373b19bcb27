"""Segments in the admin: rules with a live preview, members, size over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeNumericFilter
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action

from crm import masking
from crm.accounts.saved_views import SavedViews
from crm.adminkit import confirm, display
from crm.adminkit.base import ModelAdmin, column, page
from crm.adminkit.charts import Chart, Series
from crm.nudge import nudge
from customers.admin import rule_views
from customers.admin.compare import Compare
from customers.admin.explain import Explain
from customers.admin.list_members import ListMembers
from customers.admin.lookalike import Lookalikes
from customers.admin.segment_forms import SegmentForm, TriggerInline
from customers.models import Segment, SegmentMembership
from customers.models.segment import free_slug
from customers.segments import (
    PRESETS,
    Refreshed,
    RuleError,
    SegmentInUse,
    check_can_delete,
    describe,
    find_preset,
    refresh,
    size_history,
)


class MemberInline(TabularInline):
    model = SegmentMembership
    tab = True
    extra = 0
    per_page = 25
    can_delete = False
    fields = ("person", "email", "spent", "orders", "since")
    readonly_fields = fields
    ordering = ("customer_id",)
    verbose_name_plural = gettext_lazy("members")
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[SegmentMembership]:
        return super().get_queryset(request).select_related("customer")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("customers.view_segment")

    @admin.display(description=gettext_lazy("Customer"))
    def person(self, membership: SegmentMembership) -> SafeString:
        url = reverse("admin:customers_customer_change", args=[membership.customer_id])
        return format_html(
            '<a href="{}" class="text-primary-600 dark:text-primary-500">{}</a>',
            url,
            membership.customer,
        )

    @admin.display(description=gettext_lazy("E-mail"))
    def email(self, membership: SegmentMembership) -> str:
        return membership.customer.email or display.NOTHING

    spent = column("customer.total_spend", gettext_lazy("Total spend"), display.money)
    orders = column("customer.order_count", gettext_lazy("Orders"), display.number)
    since = column("entered_at", gettext_lazy("Since"), display.when)


@admin.register(Segment)
class SegmentAdmin(SavedViews, Compare, Explain, ListMembers, Lookalikes, ModelAdmin):
    form = SegmentForm
    list_display = ("name", "status", "people", "refreshed", "took")
    list_filter = (("kind", ChoicesCheckboxFilter), ("size", RangeNumericFilter))
    search_fields = ("name", "slug", "description")
    search_help_text = gettext_lazy("Name, slug or description")
    prepopulated_fields = {"slug": ("name",)}
    fields = (("name", "slug"), ("kind", "description"), "rules")
    inlines = (MemberInline, TriggerInline)
    actions = ("refresh_selected", "compare_selected")
    actions_detail = (
        "refresh_now",
        "explain_membership",
        "compare_with",
        "list_members",
        "find_lookalikes",
    )
    change_list_template = "admin/customers/segment/list.html"
    change_form_outer_before_template = "admin/customers/segment/sizes.html"

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["kindling/segment-pages.css"]}

    @admin.display(description=gettext_lazy("Kind"), ordering="kind")
    def status(self, segment: Segment) -> SafeString:
        tone: display.Tone = "primary" if segment.kind == Segment.Kind.DYNAMIC else "neutral"
        return display.badge(segment.get_kind_display(), tone)

    @admin.display(description=gettext_lazy("Size"), ordering="size")
    def people(self, segment: Segment) -> SafeString:
        return format_html('<span class="figure">{}</span>', display.people(segment.size))

    @admin.display(description=gettext_lazy("Rules"))
    def rules_in_words(self, segment: Segment) -> str:
        try:
            return describe(segment.rules)
        except RuleError as refused:
            return str(refused)

    refreshed = column(
        "refreshed_at", gettext_lazy("Refreshed"), display.when, ordering="refreshed_at"
    )

    @admin.display(description=gettext_lazy("Refresh time"), ordering="refresh_ms")
    def took(self, segment: Segment) -> str:
        if segment.refresh_ms is None:
            return display.NOTHING
        return _("%s ms") % display.number(segment.refresh_ms)

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        """Leave out the size where personal data is masked: filters would count what is not shown."""
        return self.list_filter[:1] if masking.is_on() else self.list_filter

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {"presets": PRESETS, **(extra_context or {})}
        return super().changelist_view(request, context)

    def page_context(self, request: HttpRequest, obj: Segment) -> dict[str, Any]:
        return {"size_chart": size_chart(obj)}

    def get_fields(self, request: HttpRequest, obj: Segment | None = None) -> Sequence[Any]:
        """Describe the rules to a user who may neither change them nor see all of them."""
        if masking.is_on() and not self.has_change_permission(request, obj):
            return [*self.fields[:-1], "rules_in_words"]
        return self.fields

    def get_readonly_fields(
        self, request: HttpRequest, obj: Segment | None = None
    ) -> Sequence[str]:
        return ("rules_in_words",)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """`?start=high-value` fills the form in."""
        preset = find_preset(request.GET.get("start", ""))
        if preset is None:
            return super().get_changeform_initial_data(request)
        return {
            "name": preset.name,
            "slug": free_slug(preset.slug),
            "description": preset.description,
            "rules": preset.rules,
        }

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[UnfoldAction]:
        """Return the buttons; only a static segment has a list to edit."""
        actions: list[UnfoldAction] = super().get_actions_detail(request, object_id)
        if Segment.objects.filter(pk=object_id, kind=Segment.Kind.STATIC).exists():
            return actions
        return [each for each in actions if not each.action_name.endswith("list_members")]

    def get_inlines(self, request: HttpRequest, obj: Segment | None) -> Sequence[Any]:
        return self.inlines if obj else ()

    def save_model(self, request: HttpRequest, obj: Segment, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if {"rules", "kind"} & set(form.changed_data) or not change:
            nudge("customers.tasks.refresh_segments", [obj.pk])

    @action(description=gettext_lazy("Refresh now"), icon="refresh", permissions=["change"])
    def refresh_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        segment = get_object_or_404(Segment, pk=object_id)
        try:
            self.message_user(request, _summary(refresh(segment)))
        except RuleError as refused:
            self.message_user(request, str(refused), "error")
        return HttpResponseRedirect(reverse("admin:customers_segment_change", args=[segment.pk]))

    @admin.action(description=gettext_lazy("Refresh"), permissions=["change"])
    def refresh_selected(
        self, request: HttpRequest, queryset: QuerySet[Segment]
    ) -> HttpResponse | None:
        chosen = list(queryset)
        if not confirm.given(request):
            fact = confirm.Fact(len(chosen), ngettext("segment", "segments", len(chosen)))
            title, note = (
                _("Refresh these segments?"),
                _("Segments refresh in the background, one after the other."),
            )
            return confirm.page(
                self, request, title=title, button=_("Refresh"), facts=[fact], note=note
            )
        nudge("customers.tasks.refresh_segments", [segment.pk for segment in chosen])
        message = ngettext(
            "Refresh of %s segment started.", "Refresh of %s segments started.", len(chosen)
        )
        self.message_user(request, message % display.number(len(chosen)))
        return None

    @admin.action(description=gettext_lazy("Compare two"), permissions=["view"])
    def compare_selected(
        self, request: HttpRequest, queryset: QuerySet[Segment]
    ) -> HttpResponse | None:
        chosen = list(queryset[:3])
        if len(chosen) != 2:
            self.message_user(request, _("Select two segments to compare them."), "warning")
            return None
        query = urlencode({"first": chosen[0].pk, "second": chosen[1].pk})
        return HttpResponseRedirect(f"{reverse('admin:customers_segment_compare')}?{query}")

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Return what a deletion removes, in numbers, and the objects that use a segment, which prevent it."""
        segments = list(objs)
        counts = {
            str(_("segments")): len(segments),
            str(_("memberships")): masking.rounded(sum(segment.size for segment in segments)),
        }
        missing = {
            str(segment) for segment in segments if not self.has_delete_permission(request, segment)
        }
        return [str(segment) for segment in segments], counts, missing, _used_by(segments)

    preview = staticmethod(
        page("preview", "preview/", "view")(require_POST(rule_views.preview_rules))
    )
    suggest = staticmethod(page("suggest", "suggest/", "view")(rule_views.suggest))
    from_text = staticmethod(
        page("describe", "describe/", "view")(require_POST(rule_views.from_text))
    )


def size_chart(segment: Segment) -> Chart | None:
    """Return the chart of size over time; None before the first change."""
    changes = size_history(segment)
    if len(changes) < 2:
        return None
    moments = [display.date_and_time(each.at) for each in changes]
    people = Series(_("Customers"), [each.size for each in changes], type="line", unit="people")
    return Chart("segment-size", "line", _("Size over time"), moments, [people], shape="flat")


def _summary(refreshed: Refreshed) -> str:
    return _("+%(added)s −%(removed)s, %(size)s customers, %(ms)s ms") % {
        "added": display.people(refreshed.added),
        "removed": display.people(refreshed.removed),
        "size": display.people(refreshed.size),
        "ms": display.number(refreshed.ms),
    }


def _used_by(segments: list[Segment]) -> list[str]:
    users = []
    for segment in segments:
        try:
            check_can_delete(segment)
        except SegmentInUse as in_use:
            users += [f"{user._meta.verbose_name}: {user}" for user in in_use.users]
    return users
