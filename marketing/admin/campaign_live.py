"""The live part of a campaign's page: its progress and its results."""

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
from customers.models.consent import Channel
from marketing import campaigns
from marketing.admin import badges, schedule_form
from marketing.messages import batches
from marketing.models import Campaign, CampaignExecution, CampaignRun, RunPost
from marketing.sending import WHY_SKIPPED, Progress, done_and_sent, more_at, progress_of

TEMPLATE = "admin/marketing/campaign/live.html"
FIGURES = "admin/marketing/campaign/figures.html"
EARLIER = 5
"""The number of earlier runs that are listed."""
POSTS = 10
FAST_SECONDS = 2
SLOW_SECONDS = 10
SETTLING = timedelta(seconds=30)
"""The figures of a finished run still change for this long, by receipts and results."""

LATE = timedelta(minutes=2)
BUTTONS: dict[str, tuple[str, str | Promise, str]] = {
    Campaign.State.RUNNING: ("pause", _lazy("Pause"), "pause"),
    Campaign.State.PAUSED: ("resume", _lazy("Resume"), "play_arrow"),
}
"""The button of a run under way: the move, its label and its icon."""

State = CampaignExecution.State
SkipReason = CampaignExecution.SkipReason


@dataclass(frozen=True, slots=True)
class Tally:
    """The number of messages of one kind, the link to their list, and what the kind means."""

    number: int
    label: SafeString | str
    link: str
    hint: str = ""


def render(request: HttpRequest, campaign: Campaign) -> SafeString:
    """Render the live part, which reloads itself while figures can change."""
    run = campaign.runs.first()
    context: dict[str, Any] = {
        "campaign": campaign,
        "reload_in": _reload_in(campaign, run),
        "url": reverse("admin:marketing_campaign_live", args=[campaign.pk]),
        "stream_url": _stream(campaign) if run and run.under_way else "",
        "figures": figures(request, campaign),
        "approval": _approval(campaign),
        "earlier": list(_earlier_runs(campaign)),
    }
    context["posts"] = _posts(campaign)
    place = "marketing.campaign" if run else "marketing.campaign.before"
    context["panels"] = panels.render(place, request, campaign)
    return render_to_string(TEMPLATE, context, request)


def figures(request: HttpRequest, campaign: Campaign) -> SafeString:
    """Render the figures of the newest run, the button to pause or resume it, and the next runs."""
    run = campaign.runs.first()
    context: dict[str, Any] = {"campaign": campaign, "run": run}
    if campaign.next_run_at:
        context["next_runs"] = schedule_form.render_next_runs(campaign)
    if run:
        context |= _figures(campaign, run)
    return render_to_string(FIGURES, context, request)


def stream(request: HttpRequest, campaign: Campaign) -> StreamingHttpResponse:
    """Stream the event `figures` each second, and `moved` once the state has changed."""
    was = campaign.state

    def look() -> tuple[str, bool]:
        campaign.refresh_from_db(fields=["state", "next_run_at"])
        if campaign.state != was:
            return event_stream.event("moved", campaign.state), True
        return event_stream.event("figures", figures(request, campaign)), False

    return event_stream.response(look, request.user.pk)


def _figures(campaign: Campaign, run: CampaignRun) -> dict[str, Any]:
    counts = progress_of(run)
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
    """Return who approved the campaign and when, or that it needs an approval; else an empty string."""
    if campaigns.may_start(campaign) and (reason := campaigns.why_unapproved(campaign)):
        return _("Waiting for approval. %s") % reason
    if campaign.approved_at is None:
        return ""
    return _("Approved by %(who)s on %(when)s.") % {
        "who": campaign.approved_by or _("a deleted user"),
        "when": display.date_and_time(campaign.approved_at),
    }


def _earlier_runs(campaign: Campaign) -> Iterator[dict[str, Any]]:
    """Yield the runs before the newest, with the number of sent messages."""
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


def _posts(campaign: Campaign) -> SafeString | str:
    """Render the newest posts of a social campaign, or the errors that prevented them."""
    newest = RunPost.objects.filter(run__campaign=campaign).select_related("run").order_by("-run")
    posts = newest[:POSTS] if campaign.channel == Channel.SOCIAL else []
    return (
        render_to_string("admin/marketing/campaign/posts.html", {"posts": posts}) if posts else ""
    )


def _button(campaign: Campaign) -> dict[str, Any] | None:
    if campaign.state not in BUTTONS:
        return None
    name, label, icon = BUTTONS[campaign.state]
    url = reverse(f"admin:marketing_campaign_{name}", args=[campaign.pk])
    return {"name": name, "label": label, "icon": icon, "url": url}


def _notes(run: CampaignRun, counts: Progress) -> Iterator[str]:
    """Yield a sentence for each thing that is unusual about the run."""
    if run.missed:
        yield ngettext(
            "%(times)s earlier run was missed while no scheduler was running; this run makes up for it.",
            "%(times)s earlier runs were missed while no scheduler was running; this run makes up for them.",
            run.missed,
        ) % {"times": display.number(run.missed)}
    if run.due_at and run.created_at - run.due_at > LATE:
        yield _("The run was due on %(when)s and started late.") % {
            "when": display.date_and_time(run.due_at)
        }
    if run.under_way and run.decides_at:
        yield _(
            "Customers outside the test audience wait for the winner, until %(when)s at most."
        ) % {"when": date_format(timezone.localtime(run.decides_at), "j M, H:i")}
    if run.campaign.winner:
        yield _("Winner: %(name)s. %(why)s") % {
            "name": run.campaign.winner,
            "why": run.campaign.winner_why,
        }
    limits = batches.plan_of(run).limits
    if run.state == CampaignRun.State.SENDING and (next_at := more_at(run, limits)):
        yield _(
            "Rate limit of %(limit)s messages per hour reached; sending continues at %(when)s."
        ) % {
            "limit": display.number(limits.per_hour),
            "when": time_format(timezone.localtime(next_at), "H:i"),
        }
    if counts.next_due_at and counts.next_due_at != run.decides_at:
        yield _("The remaining messages wait; the next message is due at %(when)s.") % {
            "when": date_format(timezone.localtime(counts.next_due_at), "j M, H:i")
        }


def _phase(run: CampaignRun) -> SafeString | str:
    """Return what the run is doing, or when it ended."""
    if run.finished_at:
        return format_html(
            _("{state} {when}"), state=run.get_state_display(), when=display.when(run.finished_at)
        )
    return str(run.get_state_display())


def _pace(counts: Progress) -> str:
    if counts.eta is None:
        return ""
    today = counts.eta - timezone.now() < timedelta(hours=12)
    return _("%(rate)s per minute, done at about %(time)s") % {
        "rate": display.number(round(counts.rate_per_second * 60)),
        "time": time_format(timezone.localtime(counts.eta), "H:i:s")
        if today
        else display.date_and_time(counts.eta),
    }


def _reload_in(campaign: Campaign, run: CampaignRun | None) -> int | None:
    """Return the seconds until the figures may have changed; None when they are final."""
    if campaign.state == Campaign.State.SCHEDULED:
        return SLOW_SECONDS
    if run is None:
        return None
    if run.under_way:
        return SLOW_SECONDS if run.state == CampaignRun.State.PAUSED else FAST_SECONDS
    if run.simulated and run.reactions_done_at is None:
        return FAST_SECONDS
    last = max(filter(None, (run.finished_at, run.reactions_done_at)), default=None)
    return FAST_SECONDS if last and timezone.now() - last < SETTLING else None


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
