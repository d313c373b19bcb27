"""The buttons of a campaign: each asks first, with the numbers, and then makes one move of marketing.campaigns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action
from unfold.enums import ActionVariant

from crm.accounts.current_user import user_of
from crm.accounts.models import User
from crm.adminkit import confirm, display
from crm.adminkit.base import ModelAdmin
from crm.adminkit.confirm import Fact
from customers.models.consent import Channel
from marketing import campaigns
from marketing.admin import badges, campaign_audience, campaign_messages, campaign_preflight
from marketing.models import Campaign, CampaignExecution, CampaignRun
from marketing.schedule import describe_schedule
from marketing.sending import progress_of

State = Campaign.State

BUTTONS: dict[str, frozenset[str]] = {
    "send_now": Campaign.EDITABLE,
    "preflight": Campaign.EDITABLE,
    "schedule": frozenset({State.DRAFT}),
    "pause": frozenset({State.RUNNING}),
    "resume": frozenset({State.PAUSED}),
    "complete": frozenset({State.RUNNING, State.PAUSED}),
    "cancel": frozenset({State.SCHEDULED, State.RUNNING, State.PAUSED}),
    "duplicate": frozenset(State),
}
"""The states in which each button is offered."""

BETWEEN_RUNS = frozenset({"pause", "complete"})
"""The buttons that a recurring campaign offers while it is scheduled, too."""

SEEN = "seen"
"""The field of the confirmation that names what the approver saw."""
NEED_APPROVAL = frozenset({"send_now", "schedule"})


def asks_first(
    move: Callable[..., Any],
    *,
    label: str | Promise,
    title: str | Promise,
    button: str | Promise,
    note: str | Promise,
    done: str | Promise,
    facts: Callable[[Campaign], Sequence[Fact]] | None = None,
    **options: Any,
) -> Callable[..., HttpResponse]:
    """Return a button that asks a question, with facts (by default the progress so far), and then makes a move."""

    def press(self: CampaignButtons, request: HttpRequest, object_id: str) -> HttpResponse:
        campaign = _campaign(object_id)
        if confirm.given(request):
            return self._make(request, campaign, move, str(done))
        return confirm.page(
            self,
            request,
            title=title,
            button=button,
            note=note,
            danger=options.get("variant") == ActionVariant.DANGER,
            facts=(facts or _progress_facts)(campaign),
            back=_page(campaign),
            about=campaign,
        )

    press.__name__ = move.__name__
    decorated: Callable[..., HttpResponse] = action(
        description=label, permissions=["launch"], **options
    )(press)
    return decorated


class CampaignButtons(ModelAdmin):
    """The part of the campaign's admin that changes states."""

    actions_detail: Sequence[str] = ("approve", "retry_failed", *BUTTONS)

    pause = asks_first(
        campaigns.pause,
        label=_lazy("Pause"),
        icon="pause",
        title=_lazy("Pause this campaign?"),
        button=_lazy("Pause campaign"),
        note=_lazy("Sending stops until you resume. Messages already sent are not affected."),
        done=_lazy("Campaign paused."),
    )
    resume = asks_first(
        campaigns.resume,
        label=_lazy("Resume"),
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
        title=_lazy("Resume sending?"),
        button=_lazy("Resume sending"),
        note=_lazy("Sending continues where it stopped; no customer receives a message twice."),
        done=_lazy("Sending resumed."),
    )
    complete = asks_first(
        campaigns.complete,
        label=_lazy("End early"),
        icon="done_all",
        title=_lazy("End campaign early?"),
        button=_lazy("End campaign"),
        note=_lazy("Messages not sent yet are skipped for good; the campaign counts as completed."),
        done=_lazy("Campaign completed."),
    )
    cancel = asks_first(
        campaigns.cancel,
        label=_lazy("Cancel"),
        icon="block",
        variant=ActionVariant.DANGER,
        title=_lazy("Cancel this campaign?"),
        button=_lazy("Cancel campaign"),
        note=_lazy("Messages not sent yet are skipped for good."),
        done=_lazy("Campaign cancelled."),
    )

    retry_failed = asks_first(
        campaigns.retry_failed,
        label=_lazy("Retry failed messages"),
        icon="replay",
        title=_lazy("Retry failed messages?"),
        button=_lazy("Retry messages"),
        note=_lazy("No other customer receives the message again. Invalid addresses are skipped."),
        done=_lazy("The failed messages are being sent again."),
        facts=lambda campaign: [Fact(_failed(campaign), _lazy("failed messages"))],
    )

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[UnfoldAction]:
        campaign = self.get_object(request, object_id)
        offered = _offered(campaign, user_of(request)) if campaign else set()
        return [
            button
            for button in super().get_actions_detail(request, object_id)
            if button.action_name.removeprefix("marketing_campaign_") in offered
        ]

    @action(
        description=_lazy("Send now"),
        icon="send",
        variant=ActionVariant.PRIMARY,
        permissions=["launch"],
    )
    def send_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        campaign = _campaign(object_id)
        if confirm.given(request):
            launch = partial(campaigns.launch, skip_invalid=campaign_preflight.is_waived(request))
            return self._make(request, campaign, launch, _("Sending started."))
        return self._ask_to_send(request, campaign, button=_("Send now"))

    @action(description=_lazy("Run preflight"), icon="fact_check", permissions=["change"])
    def preflight(self, request: HttpRequest, object_id: str) -> HttpResponse:
        campaign = _campaign(object_id)
        if request.method != "POST":
            return campaign_preflight.page(self, request, campaign)
        try:
            campaign_preflight.start_or_stop(request, campaign)
        except campaigns.NotReady as error:
            return self._refuse(request, campaign, error)
        return HttpResponseRedirect(request.path)

    @action(description=_lazy("Schedule"), icon="schedule", permissions=["launch"])
    def schedule(self, request: HttpRequest, object_id: str) -> HttpResponse:
        campaign = _campaign(object_id)
        if campaign.scheduled_at is None:
            return self._refuse(request, campaign, _("Set a start and save the campaign first."))
        if confirm.given(request):
            schedule = partial(
                campaigns.schedule_launch,
                at=campaign.scheduled_at,
                skip_invalid=campaign_preflight.is_waived(request),
            )
            return self._make(request, campaign, schedule, _("Campaign scheduled."))
        return self._ask_to_send(
            request, campaign, button=_("Schedule campaign"), when=describe_schedule(campaign)
        )

    @action(description=_lazy("Duplicate"), icon="content_copy", permissions=["duplicate"])
    def duplicate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        campaign = _campaign(object_id)
        if not confirm.given(request):
            return confirm.page(
                self,
                request,
                title=_("Duplicate this campaign?"),
                button=_("Duplicate campaign"),
                note=_("The copy is a draft with the same content and audience. Nothing is sent."),
                back=_page(campaign),
                about=campaign,
            )
        copy = campaigns.duplicate(campaign, by=user_of(request))
        self.message_user(request, _("Campaign duplicated. This is the draft."), messages.SUCCESS)
        return HttpResponseRedirect(_page(copy))

    @action(
        description=_lazy("Approve"),
        icon="verified",
        variant=ActionVariant.PRIMARY,
        permissions=["approve"],
    )
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        campaign = get_object_or_404(Campaign, pk=object_id)
        if reason := campaigns.why_not_approve(campaign, user_of(request)):
            raise PermissionDenied(reason)
        if confirm.given(request):
            approve = partial(campaigns.approve, seen=request.POST.get(SEEN, ""))
            return self._make(request, campaign, approve, _("Campaign approved."))
        seen = campaigns.overall_fingerprint(campaign)
        return self._ask_to_send(
            request,
            campaign,
            button=_("Approve campaign"),
            title=_("Approve this campaign?"),
            when=describe_schedule(campaign),
            hidden={SEEN: seen},
        )

    def has_launch_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        return request.user.has_perm("marketing.launch_campaign")

    def has_duplicate_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        return self.has_add_permission(request)

    def has_approve_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        return request.user.has_perm(campaigns.APPROVE_PERMISSION)

    def _ask_to_send(
        self,
        request: HttpRequest,
        campaign: Campaign,
        *,
        button: str,
        when: str = "",
        title: str = "",
        hidden: Mapping[str, str] | None = None,
    ) -> HttpResponse:
        try:
            campaigns.check_ready(campaign)
        except campaigns.NotReady as error:
            return self._refuse(request, campaign, error)
        found = campaigns.dry_run(campaign)
        return confirm.page(
            self,
            request,
            title=title or _question(campaign, found),
            button=button,
            facts=_audience_facts(campaign, found),
            note=_content_and_sender(campaign, when),
            details=campaign_audience.details(campaign, found)
            + campaign_messages.as_received(campaign, found),
            form=campaign_preflight.question(campaign),
            hidden=hidden,
            back=_page(campaign),
            about=campaign,
        )

    def _make(
        self, request: HttpRequest, campaign: Campaign, move: Callable[..., Any], done: str
    ) -> HttpResponse:
        try:
            move(campaign, by=request.user)
        except (campaigns.ImpossibleMove, campaigns.NotReady) as error:
            return self._refuse(request, campaign, error)
        self.message_user(request, done, messages.SUCCESS)
        return HttpResponseRedirect(_page(campaign))

    def _refuse(
        self, request: HttpRequest, campaign: Campaign, reason: str | Exception
    ) -> HttpResponse:
        self.message_user(request, str(reason), messages.ERROR)
        return HttpResponseRedirect(_page(campaign))


def _offered(campaign: Campaign, user: User) -> set[str]:
    """Return the names of the buttons that the campaign offers to a user."""
    offered = {name for name, states in BUTTONS.items() if campaign.state in states}
    if campaign.recurs and campaign.state == State.SCHEDULED:
        offered |= BETWEEN_RUNS
    if campaigns.needs_approval(campaign):
        offered -= NEED_APPROVAL
        if campaigns.may_start(campaign) and campaigns.may_approve(campaign, user):
            offered.add("approve")
    if _failed(campaign):
        offered.add("retry_failed")
    return offered


def _campaign(object_id: str) -> Campaign:
    return get_object_or_404(Campaign.objects.select_related("sender", "template"), pk=object_id)


def _page(campaign: Campaign) -> str:
    return reverse("admin:marketing_campaign_change", args=[campaign.pk])


def _failed(campaign: Campaign) -> int:
    """Return how many messages of the newest run can be retried."""
    run = campaign.runs.select_related("campaign").first()
    if run is None or run.state in {CampaignRun.State.CANCELLED, CampaignRun.State.FAILED}:
        return 0
    return campaigns.worth_retrying(run).count()


def _question(campaign: Campaign, found: campaigns.DryRun) -> str:
    if campaign.channel == Channel.SOCIAL:
        return _("Publish the post as “%s”?") % campaign.sender
    return ngettext(
        "Send to %(number)s customer?", "Send to %(number)s customers?", found.reachable
    ) % {"number": display.people(found.reachable)}


def _audience_facts(campaign: Campaign, found: campaigns.DryRun) -> list[Fact]:
    if campaign.channel == Channel.SOCIAL:
        return [Fact(1, _lazy("public post"))]
    facts = [confirm.customers(found.reachable, _lazy("recipients"))]
    for reason, number in sorted(found.skipped.items(), key=lambda pair: -pair[1]):
        label = CampaignExecution.SkipReason(reason).label
        facts.append(confirm.customers(number, _("skipped: %s") % str(label).lower()))
    return facts


def _content_and_sender(campaign: Campaign, when: str) -> SafeString:
    """Return what will be sent, by which sender and when, a line each."""
    lines = [(_("From"), badges.sends_as(campaign.sender))]
    if when:
        lines.append((_("When"), when))
    if campaign.sender.simulated:
        lines.append((_("Simulated"), _("nothing is delivered, and all results are generated.")))
    for template, findings in campaigns.findings(campaign).items():
        lines.extend((template.name, each.message) for each in findings)
    return format_html_join("", "<span class='block'><b>{}:</b> {}</span>", lines)


def _progress_facts(campaign: Campaign) -> list[Fact]:
    run = campaign.runs.first()
    if run is None:
        return []
    counts = progress_of(run)
    return [Fact(counts.sent, _lazy("sent")), Fact(counts.to_do, _lazy("waiting"))]
