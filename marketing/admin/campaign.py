"""The admin of campaigns: their list, their form, and the pages around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import action

from crm import masking
from crm.accounts.current_user import user_of
from crm.accounts.saved_views import SavedViews
from crm.adminkit import display, panels
from crm.adminkit.base import List, page
from customers.models.consent import Channel
from customers.segments import RuleError, describe
from marketing import campaigns
from marketing.admin import (
    badges,
    campaign_audience,
    campaign_calendar,
    campaign_live,
    campaign_sections,
    schedule_form,
)
from marketing.admin.campaign_bulk import CampaignBulkActions
from marketing.admin.campaign_buttons import CampaignButtons
from marketing.admin.campaign_form import TRIGGER_FIELDS, CampaignForm, VariantInline
from marketing.models import Campaign, CampaignRun
from marketing.schedule import describe_schedule
from marketing.sending import done_and_sent

State = Campaign.State

ALWAYS_EDITABLE = frozenset({"name", "tags"})
MANY_TO_MANY = frozenset({"segments", "exclude_segments"})


class CampaignList(List):
    """A page of campaigns, each with the progress of its newest run and its results."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        counts = done_and_sent(each.run_id for each in self.result_list if each.run_id)
        prefetch_related_objects(self.result_list, "segments")
        figures = panels.figures("marketing.campaign", request, self.result_list)
        for campaign in self.result_list:
            campaign.done, campaign.sent = counts.get(campaign.run_id, (0, 0))
            campaign.figures = figures.get(campaign.pk, {})


@admin.register(Campaign)
class CampaignAdmin(SavedViews, CampaignBulkActions, CampaignButtons):
    form = CampaignForm
    list_per_page = 25
    list_display = (
        "name_and_channel",
        "audience_names",
        "status",
        "progress",
        "open_rate",
        "click_rate",
        "conversions",
        "launch_time",
    )
    list_select_related = ("sender",)
    actions_list = ("calendar",)
    list_filter = (
        ("state", ChoicesCheckboxFilter),
        ("channel", ChoicesCheckboxFilter),
        ("type", ChoicesCheckboxFilter),
    )
    search_fields = ("name",)
    search_help_text = gettext_lazy("Name")
    empty_says = gettext_lazy(
        "A campaign sends a template to segments of customers, now or at a scheduled time. Nothing is sent until you launch it."
    )
    inlines = (VariantInline,)
    change_form_outer_before_template = "admin/marketing/campaign/live_frame.html"
    change_form_after_template = "admin/marketing/campaign/schedule_frame.html"
    fieldsets = campaign_sections.SECTIONS

    class Media:
        css: ClassVar[dict[str, Sequence[str]]] = {"all": ("kindling/campaign.css",)}
        js = ("kindling/campaign-schedule.js", "kindling/campaign-live.js")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        newest = CampaignRun.objects.filter(campaign=OuterRef("pk")).order_by("-number")[:1]
        campaigns = super().get_queryset(request)
        return campaigns.annotate(
            run_id=Subquery(newest.values("pk")), run_audience=Subquery(newest.values("audience"))
        )

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[List]:
        return CampaignList

    @admin.display(description=gettext_lazy("Name"), ordering="name")
    def name_and_channel(self, campaign: Campaign) -> SafeString:
        return format_html(
            '<span class="flex flex-col"><span class="font-semibold text-important">{}</span>'
            '<span class="whitespace-nowrap">{} · {}</span></span>',
            campaign.name,
            campaign.get_channel_display(),
            campaign.get_type_display(),
        )

    @admin.display(description=gettext_lazy("State"), ordering="state")
    def status(self, campaign: Campaign) -> SafeString:
        state = badges.campaign_state(campaign)
        if not campaign.sender.simulated:
            return state
        return format_html('<span class="inline-flex gap-1">{}{}</span>', state, badges.simulated())

    @admin.display(description=gettext_lazy("Progress"))
    def progress(self, campaign: Any) -> SafeString | str:
        if campaign.run_id is None:
            return display.NOTHING
        return display.bar(campaign.done, max(campaign.run_audience, campaign.done))

    @admin.display(description=gettext_lazy("Audience"))
    def audience_names(self, campaign: Campaign) -> SafeString | str:
        if campaign.channel == Channel.SOCIAL:
            return _("Public")
        names = [str(each) for each in campaign.segments.all()]
        if campaign.rules:
            names.append(_("own filter"))
        return display.tags(names, shown=2) if names else _("All customers")

    @admin.display(description=gettext_lazy("Opened"))
    def open_rate(self, campaign: Any) -> str:
        return campaign.figures.get("open_rate", display.NOTHING)

    @admin.display(description=gettext_lazy("Clicked"))
    def click_rate(self, campaign: Any) -> str:
        return campaign.figures.get("click_rate", display.NOTHING)

    @admin.display(description=gettext_lazy("Converted"))
    def conversions(self, campaign: Any) -> str:
        return campaign.figures.get("converted", display.NOTHING)

    @admin.display(description=gettext_lazy("Launch"), ordering="launched_at")
    def launch_time(self, campaign: Campaign) -> SafeString | str:
        if campaign.next_run_at:
            following = format_html(_("next run {when}"), when=display.when(campaign.next_run_at))
            return format_html("<span>{}</span>", following)
        return display.when(campaign.launched_at)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Campaign | None = None
    ) -> Sequence[str]:
        if not self._is_in_words(request, obj):
            return ()
        closed = [field for field in CampaignForm.Meta.fields if field not in ALWAYS_EDITABLE]
        return [*closed, "rules_in_words", "schedule_in_words"]

    def _is_in_words(self, request: HttpRequest, obj: Campaign | None) -> bool:
        """Return whether the page describes audience and schedule; Django shows a user who only views it the stored values."""
        if obj is None:
            return False
        hidden = masking.is_on() and not self.has_change_permission(request, obj)
        return hidden or not obj.is_editable

    def get_fieldsets(self, request: HttpRequest, obj: Campaign | None = None) -> Any:
        """Describe an audience filter and a schedule that can no longer be changed in words."""
        fieldsets: Any = super().get_fieldsets(request, obj)
        if not self._is_in_words(request, obj):
            return fieldsets
        words = {"rules": "rules_in_words", "scheduled_at": "schedule_in_words"}
        described = {*schedule_form.FIELDS, *TRIGGER_FIELDS} - words.keys()
        return [
            (
                name,
                {
                    **options,
                    "fields": [
                        words.get(each, each)
                        for each in options["fields"]
                        if not described.issuperset([each] if isinstance(each, str) else each)
                    ],
                },
            )
            for name, options in fieldsets
        ]

    @admin.display(description=gettext_lazy("Schedule"))
    def schedule_in_words(self, campaign: Campaign) -> str:
        return describe_schedule(campaign)

    @admin.display(description=gettext_lazy("Audience filter"))
    def rules_in_words(self, campaign: Campaign) -> str:
        try:
            return describe(campaign.rules) if campaign.rules else display.NOTHING
        except RuleError as error:
            return str(error)

    def get_inlines(self, request: HttpRequest, obj: Campaign | None) -> list[Any]:
        """Leave out the table of variants where there are none and none can be added."""
        if obj is None or obj.is_editable or obj.variants.exists():
            return [*self.inlines]
        return []

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not obj.runs.exists())

    def save_model(self, request: HttpRequest, obj: Campaign, form: Any, change: bool) -> None:
        """Save the fields of the form alone: the state may have changed since it was read."""
        if not change:
            campaigns.create(obj, by=user_of(request))
            return
        written = [field for field in form.cleaned_data if field not in MANY_TO_MANY]
        obj.save(update_fields=[*written, "channel", "clock_time", "updated_at"])
        if {*form.changed_data} - ALWAYS_EDITABLE:
            campaigns.note_change(obj, by=user_of(request))
        if obj.state == State.SCHEDULED and {*schedule_form.FIELDS} & {*form.changed_data}:
            self._reschedule(request, obj)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        if change and formset.has_changed():
            campaigns.note_change(form.instance, by=user_of(request))

    def _reschedule(self, request: HttpRequest, campaign: Campaign) -> None:
        assert campaign.scheduled_at is not None
        try:
            campaigns.schedule_launch(campaign, at=campaign.scheduled_at, by=user_of(request))
        except (campaigns.ImpossibleMove, campaigns.NotReady) as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, _("Campaign rescheduled."), messages.INFO)

    def delete_model(self, request: HttpRequest, obj: Campaign) -> None:
        campaigns.discard(obj)

    @action(description=gettext_lazy("Calendar"), icon="calendar_month", permissions=["view"])
    def calendar(self, request: HttpRequest) -> HttpResponse:
        return campaign_calendar.page(self, request)

    def page_context(self, request: HttpRequest, obj: Campaign) -> dict[str, Any]:
        return {"live": campaign_live.render(request, obj)}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        shown = context["adminform"]
        shown.fieldsets = campaign_sections.unfolded(shown.fieldsets, shown.form)
        return super().render_change_form(request, context, *args, **kwargs)

    @page("next_runs", "next-runs/", "view")
    def next_runs(self, request: HttpRequest) -> HttpResponse:
        """Return the next runs of the schedule in the form, saved or not."""
        pk = request.GET.get("campaign", "")
        known = Campaign.objects.filter(pk=pk).first() if pk.isdecimal() else None
        return HttpResponse(schedule_form.render_next_runs(known or Campaign(), request.GET))

    @page("live", "<int:object_id>/live/", "view")
    def live(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Return the live part; once the state has changed, reload the page with its buttons and form."""
        campaign = self._viewed(request, object_id)
        if request.GET.get("state") != campaign.state:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return HttpResponse(campaign_live.render(request, campaign))

    @page("stream", "<int:object_id>/stream/", "view")
    def stream(self, request: HttpRequest, object_id: int) -> HttpResponseBase:
        """Stream the figures as server-sent events."""
        return campaign_live.stream(request, self._viewed(request, object_id))

    @page("audience", "<int:object_id>/audience/", "view", "customers.view_customer")
    def audience(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Show the customers of one reason of a dry run."""
        return campaign_audience.page(self, request, self._viewed(request, object_id))

    def _viewed(self, request: HttpRequest, object_id: int) -> Campaign:
        return get_object_or_404(Campaign.objects.select_related("sender"), pk=object_id)
