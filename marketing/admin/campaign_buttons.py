"""The buttons of a campaign: each asks first, with numbers, and then calls one function of marketing.campaigns.moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
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
from marketing.admin import badges, campaign_audience, campaign_preflight
from marketing.admin.campaign_preflight import despite_preflight
from marketing.models import Campaign, CampaignExecution, CampaignRun
from marketing.schedule.describe import in_words
from marketing.sending.progress import progress

State = Campaign.State

BUTTONS: dict[str, frozenset[str]] = {
    "send_now": frozenset({State.DRAFT, State.SCHEDULED}),
    "preflight": frozenset({State.DRAFT, State.SCHEDULED}),
    "schedule": frozenset({State.DRAFT}),
    "pause": frozenset({State.RUNNING}),
    "resume": frozenset({State.PAUSED}),
    "complete": frozenset({State.RUNNING, State.PAUSED}),
    "cancel": frozenset({State.SCHEDULED, State.RUNNING, State.PAUSED}),
    "duplicate": frozenset(State),
}
"""In which states each button is offered."""


BESIDES: dict[str, str] = {"pause": State.SCHEDULED, "complete": State.SCHEDULED}
"""In which state more a recurring campaign, resting between two runs, is offered a button."""


ONCE_APPROVED = frozenset({"send_now", "schedule"})
"""These are offered only once nobody's approval is missing."""


class Question(NamedTuple):
    """What is asked before a move, and what is said after it."""

    title: str | Promise
    button: str | Promise
    note: str | Promise
    answer: str | Promise
    danger: bool = False


PAUSE = Question(
    gettext_lazy("Pause this campaign?"),
    gettext_lazy("Pause"),
    gettext_lazy("Nothing more leaves until somebody resumes it. What has left, has left."),
    gettext_lazy("It is paused."),
)
RESUME = Question(
    gettext_lazy("Go on sending?"),
    gettext_lazy("Resume"),
    gettext_lazy("It goes on where it stopped; nobody gets it twice."),
    gettext_lazy("It goes on."),
)
COMPLETE = Question(
    gettext_lazy("Call it done?"),
    gettext_lazy("Complete"),
    gettext_lazy(
        "What has not left yet is skipped for good, and the campaign counts as completed."
    ),
    gettext_lazy("It is done."),
)
CANCEL = Question(
    gettext_lazy("Cancel this campaign?"),
    gettext_lazy("Cancel the campaign"),
    gettext_lazy("What has not left yet is skipped for good."),
    gettext_lazy("It is cancelled."),
    danger=True,
)


class CampaignButtons(ModelAdmin):
    """The part of the campaign's admin that changes states."""

    actions_detail: Sequence[str] = ("approve", "retry_failed", *BUTTONS)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[UnfoldAction]:
        campaign = self.get_object(request, object_id)
        offered = {
            f"marketing_campaign_{name}"
            for name, states in BUTTONS.items()
            if campaign and (campaign.state in states or _besides(campaign, name))
        }
        if campaign and campaigns.needs_approval(campaign):
            offered -= {f"marketing_campaign_{name}" for name in ONCE_APPROVED}
        if campaign and _waits_for(campaign, user_of(request)):
            offered.add("marketing_campaign_approve")
        if campaign and _failed(campaign):
            offered.add("marketing_campaign_retry_failed")
        every = super().get_actions_detail(request, object_id)
        return [button for button in every if button.action_name in offered]

    @action(
        description=gettext_lazy("Send now"),
        icon="send",
        variant=ActionVariant.PRIMARY,
        permissions=["launch"],
    )
    def send_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        campaign = _named(object_id)
        if confirm.given(request):
            launch = partial(campaigns.launch, skip_invalid=despite_preflight(request))
            return self._move(request, campaign, launch, _("It is being sent."))
        return self._ask_to_send(request, campaign, button=_("Send now"))

    @action(description=gettext_lazy("Preflight"), icon="fact_check", permissions=["change"])
    def preflight(self, request: HttpRequest, object_id: str) -> HttpResponse:
        campaign = _named(object_id)
        if request.method != "POST":
            return campaign_preflight.page(self, request, campaign)
        try:
            campaign_preflight.follow(request, campaign)
        except campaigns.NotReady as error:
            return self._refuse(request, campaign, error)
        return HttpResponseRedirect(request.path)

    @action(description=gettext_lazy("Schedule"), icon="schedule", permissions=["launch"])
    def schedule(self, request: HttpRequest, object_id: str) -> HttpResponse:
        campaign = _named(object_id)
        if campaign.scheduled_at is None:
            return self._refuse(request, campaign, _("Give it a time first, and save."))
        if confirm.given(request):
            schedule = partial(_schedule, skip_invalid=despite_preflight(request))
            return self._move(request, campaign, schedule, _("It is scheduled."))
        return self._ask_to_send(request, campaign, button=_("Schedule"), when=in_words(campaign))

    @action(description=gettext_lazy("Pause"), icon="pause", permissions=["launch"])
    def pause(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask_then(campaigns.pause, PAUSE, request, object_id)

    @action(
        description=gettext_lazy("Resume"),
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
        permissions=["launch"],
    )
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask_then(campaigns.resume, RESUME, request, object_id)

    @action(description=gettext_lazy("Complete"), icon="done_all", permissions=["launch"])
    def complete(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask_then(campaigns.complete, COMPLETE, request, object_id)

    @action(
        description=gettext_lazy("Cancel"),
        icon="block",
        variant=ActionVariant.DANGER,
        permissions=["launch"],
    )
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask_then(campaigns.cancel, CANCEL, request, object_id)

    @action(description=gettext_lazy("Retry the failed"), icon="replay", permissions=["launch"])
    def retry_failed(self, request: HttpRequest, object_id: str) -> HttpResponse:
        campaign = _named(object_id)
        if confirm.given(request):
            return self._move(
                request, campaign, campaigns.retry_failed, _("The failed messages are tried again.")
            )
        return confirm.page(
            self,
            request,
            title=_("Try the failed messages again?"),
            button=_("Try them again"),
            facts=[Fact(_failed(campaign), gettext_lazy("failed messages"))],
            note=_("Nobody else gets it again. Addresses that do not exist are left alone."),
            back=_page(campaign),
            about=campaign,
        )

    @action(description=gettext_lazy("Duplicate"), icon="content_copy", permissions=["duplicate"])
    def duplicate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        campaign = _named(object_id)
        if not confirm.given(request):
            return confirm.page(
                self,
                request,
                title=_("Make a copy of this campaign?"),
                button=_("Make a copy"),
                note=_(
                    "The copy is a draft that says the same to the same people. Nothing is sent."
                ),
                back=_page(campaign),
                about=campaign,
            )
        copy = campaigns.duplicate(campaign, by=user_of(request))
        self.message_user(request, _("This is the copy, a draft."), messages.SUCCESS)
        return HttpResponseRedirect(_page(copy))

    @action(
        description=gettext_lazy("Approve"),
        icon="verified",
        variant=ActionVariant.PRIMARY,
        permissions=["approve"],
    )
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        campaign = get_object_or_404(Campaign, pk=object_id)
        if not campaigns.may_approve(campaign, user_of(request)):
            raise PermissionDenied
        if confirm.given(request):
            return self._move(request, campaign, campaigns.approve, _("You approved it."))
        return self._ask_to_send(
            request, campaign, button=_("Approve"), title=gettext_lazy("Approve this campaign?")
        )

    def has_launch_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        return request.user.has_perm("marketing.launch_campaign")

    def has_duplicate_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        return self.has_add_permission(request)

    def has_approve_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        return request.user.has_perm(campaigns.APPROVE_PERMISSION)

    def _ask_then(
        self, move: Callable[..., Any], question: Question, request: HttpRequest, object_id: str
    ) -> HttpResponse:
        campaign = _named(object_id)
        if confirm.given(request):
            return self._move(request, campaign, move, str(question.answer))
        title, button, note, _answer, danger = question
        return confirm.page(
            self,
            request,
            title=title,
            button=button,
            note=note,
            danger=danger,
            facts=_so_far(campaign),
            back=_page(campaign),
            about=campaign,
        )

    def _ask_to_send(
        self,
        request: HttpRequest,
        campaign: Campaign,
        *,
        button: str,
        when: str = "",
        title: str | Promise = "",
    ) -> HttpResponse:
        try:
            campaigns.check_ready(campaign)
        except campaigns.NotReady as error:
            return self._refuse(request, campaign, error)
        found = campaigns.dry_run(campaign)
        title = title or _question(campaign, found)
        return confirm.page(
            self,
            request,
            title=title,
            button=button,
            facts=_who(campaign, found),
            note=_what(campaign, when),
            details=campaign_audience.details(campaign, found),
            form=campaign_preflight.question(campaign),
            back=_page(campaign),
            about=campaign,
        )

    def _move(
        self, request: HttpRequest, campaign: Campaign, move: Callable[..., Any], answer: str
    ) -> HttpResponse:
        try:
            move(campaign, by=request.user)
        except (campaigns.ImpossibleMove, campaigns.NotReady) as error:
            return self._refuse(request, campaign, error)
        self.message_user(request, answer, messages.SUCCESS)
        return HttpResponseRedirect(_page(campaign))

    def _refuse(
        self, request: HttpRequest, campaign: Campaign, reason: str | Exception
    ) -> HttpResponse:
        self.message_user(request, str(reason), messages.ERROR)
        return HttpResponseRedirect(_page(campaign))


def _named(object_id: str) -> Campaign:
    return get_object_or_404(Campaign.objects.select_related("sender", "template"), pk=object_id)


def _waits_for(campaign: Campaign, user: User) -> bool:
    """Whether it is for this person to approve the campaign."""
    waits = campaign.state in BUTTONS["send_now"] and campaigns.needs_approval(campaign)
    return waits and campaigns.may_approve(campaign, user)


def _failed(campaign: Campaign) -> int:
    """How many messages of its newest run can be tried again."""
    run = campaign.runs.select_related("campaign").first()
    if run is None or run.state in {CampaignRun.State.CANCELLED, CampaignRun.State.FAILED}:
        return 0
    return campaigns.worth_retrying(run).count()


def _besides(campaign: Campaign, button: str) -> bool:
    return campaign.recurs and BESIDES.get(button) == campaign.state


def _schedule(campaign: Campaign, *, by: Any, skip_invalid: bool) -> None:
    assert campaign.scheduled_at is not None
    campaigns.schedule_launch(campaign, at=campaign.scheduled_at, by=by, skip_invalid=skip_invalid)


def _page(campaign: Campaign) -> str:
    return reverse("admin:marketing_campaign_change", args=[campaign.pk])


def _question(campaign: Campaign, found: campaigns.DryRun) -> str:
    if campaign.channel == Channel.SOCIAL:
        return _("Post it as “%s”?") % campaign.sender
    return ngettext("Send to %(people)s person?", "Send to %(people)s people?", found.reachable) % {
        "people": display.number(found.reachable)
    }


def _who(campaign: Campaign, found: campaigns.DryRun) -> list[Fact]:
    if campaign.channel == Channel.SOCIAL:
        return [Fact(1, gettext_lazy("post, for everybody to see"))]
    facts = [Fact(found.reachable, gettext_lazy("get it"))]
    for reason, number in sorted(found.skipped.items(), key=lambda pair: -pair[1]):
        label = CampaignExecution.SkipReason(reason).label
        facts.append(Fact(number, _("skipped: %s") % str(label).lower()))
    return facts


def _what(campaign: Campaign, when: str) -> SafeString:
    """What will be sent and by whom, a line each."""
    sender = campaign.sender
    lines = [
        *_subjects(campaign),
        (_("From"), badges.sends_as(sender)),
    ]
    if when:
        lines.append((_("When"), when))
    if sender.simulated:
        lines.append((_("Simulated"), _("nothing is delivered, and all results are invented.")))
    for template, findings in campaigns.findings(campaign).items():
        lines.extend((template.name, each.message) for each in findings)
    return format_html_join("", "<span class='block'><b>{}:</b> {}</span>", lines)


def _subjects(campaign: Campaign) -> Iterator[tuple[str, str]]:
    """The subject of each variant, or of the one template that all get."""
    variants = list(campaign.variants.select_related("template"))
    for variant in variants:
        yield _("Subject of %s") % variant.name, variant.template.subject
    if not variants and campaign.template.subject:
        yield _("Subject"), campaign.template.subject


def _so_far(campaign: Campaign) -> list[Fact]:
    run = campaign.runs.first()
    if run is None:
        return []
    counts = progress(run)
    return [Fact(counts.sent, gettext_lazy("have left")), Fact(counts.to_do, gettext_lazy("wait"))]
