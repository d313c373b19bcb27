"""The published version with its figures at each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.adminkit import display, panels
from crm.adminkit.charts import spark
from marketing import workflows
from marketing.admin.workflow_editor import WORDS
from marketing.models import Enrollment, Workflow, WorkflowStep
from marketing.statistics import Interval


def context(request: HttpRequest, workflow: Workflow) -> dict[str, Any]:
    """Return the variables of the live page; without a published version there are no steps."""
    figures = workflows.figures_of(workflow)
    found: dict[str, Any] = {
        "tiles": _tiles(figures),
        "arms": _arms(figures),
        "by_version": _versions(figures),
    }
    if workflow.version is None:
        return found
    definition = workflows.shown(workflow.version.definition)
    can_list = request.user.has_perm("marketing.view_enrollment")
    return found | {
        "version": workflow.version,
        "live": {
            "definition": definition,
            "description": workflows.description(),
            "words": WORDS,
            "words_of": workflows.in_words(definition),
            "choices": {},
            "links": {},
            "figures": {
                "entry": [{"label": _("entered"), "value": display.people(figures.entered)}],
                "steps": _steps(request, workflow, figures, can_list=can_list),
            },
        },
    }


def sparkline(numbers: Sequence[int]) -> SafeString:
    """Draw numbers of days as an area."""
    days = ngettext("%(n)s day", "%(n)s days", len(numbers)) % {"n": len(numbers)}
    return format_html(
        '<svg class="wf-spark" viewBox="0 0 100 30" preserveAspectRatio="none" role="img" aria-label="{}"><path d="{}"/></svg>',
        _("Entered in %(days)s") % {"days": days},
        spark(numbers),
    )


def _tiles(figures: workflows.WorkflowFigures) -> list[tuple[str, str, str]]:
    """Return the label, figure and note of each tile."""
    tiles = [
        (_("Entered"), display.people(figures.entered), ""),
        (_("Under way"), display.people(figures.under_way), ""),
        (_("Completed"), display.people(figures.completed), ""),
        (_("Exited"), display.people(sum(figures.exits.values())), exits_in_words(figures.exits)),
        (_("Failed"), display.people(figures.failed), ""),
        (_("Goal rate"), display.rate(figures.goals, figures.entered), _against_holdout(figures)),
    ]
    if figures.seconds_to_goal is not None:
        tiles.append(
            (_("Time to goal"), display.duration(figures.seconds_to_goal), _("on average"))
        )
    if figures.revenue:
        tiles.append((_("Goal value"), display.money(figures.revenue), ""))
    return tiles


def _against_holdout(figures: workflows.WorkflowFigures) -> str:
    held = figures.holdout_goal_rate
    if held is None:
        return ""
    note = _("holdout group: %(rate)s") % {"rate": f"{held:.1%}"}
    return f"{note}, {_difference(figures.lift)}" if figures.lift else note


def _difference(interval: Interval | None) -> str:
    """Return an interval of a difference of rates in percentage points."""
    if interval is None:
        return display.NOTHING
    low, high = (100 * end for end in interval)
    return _("difference %(low)s to %(high)s points") % {
        "low": f"{low:+.1f}",
        "high": f"{high:+.1f}",
    }


def _arms(figures: workflows.WorkflowFigures) -> list[dict[str, Any]]:
    """Return a row for each branch of each experiment."""
    return [
        {
            "step": each.step,
            "name": each.branch,
            "entered": display.people(each.entered),
            "rate": display.rate(each.goals, each.entered),
            "interval": " – ".join(f"{end:.1%}" for end in each.interval),
            "difference": _difference(each.difference),
            "revenue": display.money(each.revenue),
        }
        for each in figures.experiments
    ]


def _versions(figures: workflows.WorkflowFigures) -> list[dict[str, Any]]:
    """Return a row for each version, where there are several."""
    return [
        {
            "number": each.version,
            "entered": display.people(each.entered),
            "completed": display.people(each.completed),
            "exited": display.people(sum(each.exits.values())),
            "rate": display.rate(each.goals, each.entered),
            "revenue": display.money(each.revenue),
        }
        for each in figures.versions
        if len(figures.versions) > 1
    ]


def exits_in_words(exits: Mapping[str, int]) -> str:
    """Return the reasons of exits with their numbers."""
    labels = dict(Enrollment.ExitReason.choices)
    return ", ".join(
        f"{labels.get(reason, reason)}: {display.people(number)}"
        for reason, number in exits.items()
    )


def _steps(
    request: HttpRequest,
    workflow: Workflow,
    figures: workflows.WorkflowFigures,
    *,
    can_list: bool,
) -> dict[str, Any]:
    """Return what each card shows, and how many left the step by each branch."""
    people = reverse("admin:marketing_enrollment_changelist")
    messages = _messages(request, workflow)
    found = {}
    for step in figures.steps:
        query = {"workflow__id__exact": workflow.pk, "step__exact": step.step, "under_way": "yes"}
        link = f"{people}?{urlencode(query)}" if can_list else ""
        shown = [{"label": _("here now"), "value": display.people(step.there_now), "link": link}]
        found[step.step] = {
            "link": link,
            "left": {branch: display.people(number) for branch, number in step.left.items()},
            "shown": shown + messages.get(step.step, []),
        }
    return found


def _messages(request: HttpRequest, workflow: Workflow) -> Mapping[str, list[dict[str, str]]]:
    """Return the figures of the campaigns of send steps."""
    steps = WorkflowStep.objects.filter(version=workflow.version, campaign__isnull=False)
    campaigns = {each.key: each.campaign for each in steps.select_related("campaign")}
    figures = panels.figures("marketing.campaign", request, list(campaigns.values()))
    labels = {"open_rate": _("opened"), "click_rate": _("clicked"), "converted": _("converted")}
    return {
        key: [
            {"label": label, "value": figures[campaign.pk][name]}
            for name, label in labels.items()
            if name in figures.get(campaign.pk, {})
        ]
        for key, campaign in campaigns.items()
        if campaign
    }
