"""The part of a campaign's page that moves: how far it has come, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, StreamingHttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from crm.adminkit import display, panels
from crm.api import event_stream
from marketing import campaigns
from marketing.admin import badges, next_runs
from marketing.messages import batches
from marketing.models import Campaign, CampaignExecution, CampaignRun
from marketing.sending import quota
from marketing.sending.explain import WHY_SKIPPED
from marketing.sending.progress import Progress, done_and_sent, progress

TEMPLATE = "admin/marketing/campaign/live.html"
FIGURES = "admin/marketing/campaign/figures.html"
EARLIER = 5
"""So many runs before the newest are listed."""
WRITTEN = frozenset({Campaign.State.DRAFT, Campaign.State.SCHEDULED})
QUICK = 2
SLOW = 10
SETTLING = timedelta(seconds=30)
"""After its last message a run's figures still move for this long: receipts come in, results are counted."""

LATE = timedelta(minutes=2)
BUTTONS: dict[str, tuple[str, str | Promise, str]] = {
    Campaign.State.RUNNING: ("pause", _lazy("Pause"), "pause"),
    Campaign.State.PAUSED: ("resume", _lazy("Resume"), "play_arrow"),
}
"""The move that is one click away while it sends, its name and its icon."""

State = CampaignExecution.State
SkipReason = CampaignExecution.SkipReason


@dataclass(frozen=True, slots=True)
class Tally:
    """So many messages of one kind, where they are listed, and what that kind means."""

    number: int
    label: SafeString | str
    link: str
    hint: str = ""


def render(request: HttpRequest, campaign: Campaign) -> SafeString:
    """The live part as HTML, which asks for itself again while something can still move."""
    run = campaign.runs.first()
    context: dict[str, Any] = {
        "campaign": campaign,
        "ask_again_in": _ask_again_in(campaign, run),
        "url": reverse("admin:marketing_campaign_live", args=[campaign.pk]),
        "stream_url": _stream(campaign) if run and run.under_way else "",
        "figures": figures(request, campaign),
        "approval": _approval(campaign),
        "earlier": list(_earlier_runs(campaign)),
    }
    place = "marketing.campaign" if run else "marketing.campaign.before"
    context["panels"] = panels.render(place, request, campaign)
    return render_to_string(TEMPLATE, context, request)


def figures(request: HttpRequest, campaign: Campaign) -> SafeString:
    """The figures of the newest run, with the button that holds it or lets it go on; and the times that come."""
    run = campaign.runs.first()
    context: dict[str, Any] = {"campaign": campaign, "run": run}
    if campaign.next_run_at:
        context["next_runs"] = next_runs.render(campaign)
    if run:
        context |= _figures(campaign, run)
    return render_to_string(FIGURES, context, request)


def stream(request: HttpRequest, campaign: Campaign) -> StreamingHttpResponse:
    """`figures` each second; `moved` once the state is another than it was, as buttons and form follow it."""
    was = campaign.state

    def look() -> tuple[str, bool]:
        campaign.refresh_from_db(fields=["state", "next_run_at"])
        if campaign.state != was:
            return event_stream.event("moved", campaign.state), True
        return event_stream.event("figures", figures(request, campaign)), False

    return event_stream.response(look)


def _figures(campaign: Campaign, run: CampaignRun) -> dict[str, Any]:
    counts = progress(run)
    total = max(counts.total, 1)
    return {
        "progress": counts,
        "state": badges.campaign_state(campaign),
        "simulated": badges.simulated() if run.simulated else "",
        "phase": _phase(run),
        "pace": _pace(counts),
        "notes": list(_notes(run, counts)),
        "button": _button(campaign) if run.under_way else None,
        "percent": display.rate(counts.done, total),
        "width": 100 * counts.done // total,
        "tallies": list(_by_state(campaign, counts)),
        "skips": list(_by_reason(campaign, counts)),
        "errors": list(_by_error(campaign, counts)),
        "messages_url": _messages(campaign),
    }


def _approval(campaign: Campaign) -> str:
    """Who approved it and when, or that somebody has to; nothing where nobody needs to and nobody did."""
    if campaign.state in WRITTEN and campaigns.needs_approval(campaign):
        return _("It waits for the approval of somebody who did not write it.")
    if campaign.approved_at is None:
        return ""
    return _("Approved by %(who)s on %(when)s.") % {
        "who": campaign.approved_by or _("somebody who is gone"),
        "when": display.date_and_time(campaign.approved_at),
    }


def _earlier_runs(campaign: Campaign) -> Iterator[dict[str, Any]]:
    """The runs before the newest, with how many messages of each left."""
    runs = list(campaign.runs.order_by("-number")[1 : 1 + EARLIER])
    counts = done_and_sent(run.pk for run in runs)
    for run in runs:
        _done, sent = counts.get(run.pk, (0, 0))
        yield {
            "number": run.number,
            "when": display.when(run.due_at or run.created_at),
            "state": run.get_state_display(),
            "sent": display.number(sent),
            "link": _messages(campaign, run__id__exact=run.pk),
        }


def _button(campaign: Campaign) -> dict[str, Any] | None:
    if campaign.state not in BUTTONS:
        return None
    name, label, icon = BUTTONS[campaign.state]
    url = reverse(f"admin:marketing_campaign_{name}", args=[campaign.pk])
    return {"name": name, "label": label, "icon": icon, "url": url}


def _notes(run: CampaignRun, counts: Progress) -> Iterator[str]:
    """What is out of the ordinary about the run, in sentences."""
    if run.missed:
        yield ngettext(
            "%(times)s earlier time passed while no clock was running; this run makes up for it.",
            "%(times)s earlier times passed while no clock was running; this run makes up for them.",
            run.missed,
        ) % {"times": display.number(run.missed)}
    if run.due_at and run.created_at - run.due_at > LATE:
        yield _("It was due on %(when)s and started late.") % {
            "when": display.date_and_time(run.due_at)
        }
    if run.under_way and run.decides_at:
        yield _("Those beyond the test share wait for the winner, until %(when)s at most.") % {
            "when": date_format(timezone.localtime(run.decides_at), "j M, H:i")
        }
    if run.campaign.winner:
        yield _("Winner: %(name)s. %(why)s") % {
            "name": run.campaign.winner,
            "why": run.campaign.winner_why,
        }
    limits = batches.plan_of(run).limits
    if run.state == CampaignRun.State.SENDING and (more_at := quota.more_at(run, limits)):
        yield _("At most %(limit)s messages are sent in an hour; the next one at %(when)s.") % {
            "limit": display.number(limits.per_hour),
            "when": time_format(timezone.localtime(more_at), "H:i"),
        }
    if counts.next_due_at and counts.next_due_at != run.decides_at:
        yield _("What is left waits for its time; the next message is due at %(when)s.") % {
            "when": date_format(timezone.localtime(counts.next_due_at), "j M, H:i")
        }


def _phase(run: CampaignRun) -> SafeString | str:
    """What the run is doing, or when it ended."""
    if run.finished_at:
        return format_html(
            _("{state} {when}"), state=run.get_state_display(), when=display.when(run.finished_at)
        )
    return str(run.get_state_display())


def _pace(counts: Progress) -> str:
    if counts.eta is None:
        return ""
    return _("%(rate)s a minute, done at about %(time)s") % {
        "rate": display.number(round(counts.rate_per_second * 60)),
        "time": time_format(timezone.localtime(counts.eta), "H:i:s"),
    }


def _ask_again_in(campaign: Campaign, run: CampaignRun | None) -> int | None:
    """Seconds until the figures may have moved; None when they have come to rest."""
    if campaign.state == Campaign.State.SCHEDULED:
        return SLOW
    if run is None:
        return None
    if run.under_way:
        return SLOW if run.state == CampaignRun.State.PAUSED else QUICK
    if run.simulated and run.reactions_done_at is None:
        return QUICK
    last = max(filter(None, (run.finished_at, run.reactions_done_at)), default=None)
    return QUICK if last and timezone.now() - last < SETTLING else None


def _by_state(campaign: Campaign, counts: Progress) -> Iterator[Tally]:
    for state in State:
        if number := counts.by_state.get(state):
            link = _messages(campaign, state__exact=state)
            yield Tally(number, display.badge(state.label, badges.MESSAGE_TONES[state]), link)


def _by_error(campaign: Campaign, counts: Progress) -> Iterator[Tally]:
    for kind in CampaignExecution.ErrorKind:
        if number := counts.by_error_kind.get(kind):
            yield Tally(number, str(kind.label), _messages(campaign, error_kind__exact=kind))


def _by_reason(campaign: Campaign, counts: Progress) -> Iterator[Tally]:
    for reason in SkipReason:
        if number := counts.by_skip_reason.get(reason):
            link = _messages(campaign, skip_reason__exact=reason)
            yield Tally(number, str(reason.label), link, str(WHY_SKIPPED[reason]))


def _stream(campaign: Campaign) -> str:
    return reverse("admin:marketing_campaign_stream", args=[campaign.pk])


def _messages(campaign: Campaign, **filters: str | int) -> str:
    query = urlencode({"run__campaign__id__exact": campaign.pk, **filters})
    return f"{reverse('admin:marketing_campaignexecution_changelist')}?{query}"
