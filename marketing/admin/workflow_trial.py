"""Try a draft out: walk one customer through it, and back-test it on the past."""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from crm.accounts.current_user import user_of
from crm.adminkit import display
from customers.identity import find
from customers.models import Customer
from customers.models.consent import Channel
from marketing import workflows
from marketing.admin.passage import path_of
from marketing.admin.workflow_live import exits_in_words, sparkline
from marketing.models import Backtest, Workflow

USUAL_PERIOD = timedelta(days=90)


class WalkForm(forms.Form):
    """Choice of a customer, and of the event that lets the customer enter."""

    customer = forms.CharField(
        label=gettext_lazy("Customer"),
        max_length=320,
        help_text=gettext_lazy("An e-mail address or an id"),
        widget=UnfoldAdminTextInputWidget(),
    )
    entry = forms.CharField(
        label=gettext_lazy("Entry event"),
        required=False,
        help_text=gettext_lazy('Its properties, such as {"cart_id": "c1"}; empty for none.'),
        widget=UnfoldAdminTextInputWidget(),
    )

    def clean_customer(self) -> Customer:
        found = find([self.cleaned_data["customer"].strip()])
        customer = Customer.objects.filter(pk=next(iter(found.values()), 0)).first()
        if customer is None:
            raise forms.ValidationError(_("There is no such customer."))
        return customer

    def clean_entry(self) -> dict[str, Any]:
        try:
            entry = json.loads(self.cleaned_data["entry"] or "{}")
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            raise forms.ValidationError(_('Enter an object, such as {"cart_id": "c1"}.'))
        return entry


class BacktestForm(forms.Form):
    """Choice of a period of days, and of a version to compare the draft with."""

    since = forms.DateField(label=gettext_lazy("From"), widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label=gettext_lazy("Until"), widget=forms.DateInput({"type": "date"}))
    against = forms.TypedChoiceField(
        label=gettext_lazy("Compared with"),
        required=False,
        coerce=int,
        empty_value=None,
        widget=UnfoldAdminSelectWidget(),
    )

    def __init__(self, workflow: Workflow, data: Any = None) -> None:
        today = timezone.localdate()
        super().__init__(data, initial={"since": today - USUAL_PERIOD, "until": today})
        against: Any = self.fields["against"]
        against.choices = [
            ("", _("no version")),
            *((each.number, _("Version %(number)s") % {"number": each.number}) for each in workflow.versions.all()),
        ]  # fmt: skip

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        since, until = given.get("since"), given.get("until")
        if since and until and not timedelta() < until - since <= workflows.LONGEST_PERIOD:
            self.add_error("until", _("Choose a day after the first one, at most 366 days later."))
        return given


def context(request: HttpRequest, workflow: Workflow) -> dict[str, Any]:
    """Return the variables of the page, after starting a posted back-test; `is_started` says whether there was one."""
    walking = WalkForm(request.GET if "customer" in request.GET else None)
    testing = BacktestForm(workflow, request.POST if request.method == "POST" else None)
    found: dict[str, Any] = {"walk_form": walking, "backtest_form": testing, "is_started": False}
    try:
        if testing.is_valid():
            _start(request, workflow, testing.cleaned_data)
            found["is_started"] = True
        if walking.is_valid():
            found["walk"] = _walk(workflow, walking.cleaned_data)
    except workflows.DefinitionError as error:
        found["problems"] = error.errors
    newest = workflow.backtests.first()
    return found | {"backtest": render_backtest(newest) if newest else ""}


def render_backtest(job: Backtest) -> SafeString:
    """Render the progress or the result of a back-test; while it runs, the part fetches itself again."""
    return render_to_string(
        "admin/marketing/workflow/backtest.html",
        {
            "job": job,
            "percent": round(100 * job.progress),
            "url": reverse("admin:marketing_workflow_backtest", args=[job.workflow_id]),
            "results": [_column(each) for each in job.result],
        },
    )


def _start(request: HttpRequest, workflow: Workflow, given: dict[str, Any]) -> None:
    until = min(_midnight(given["until"] + timedelta(days=1)), timezone.now())
    workflows.start_backtest(
        workflow,
        since=_midnight(given["since"]),
        until=until,
        sample=workflows.USUAL_SAMPLE,
        against=given["against"],
        by=user_of(request),
    )


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def _walk(workflow: Workflow, given: dict[str, Any]) -> dict[str, Any]:
    found = workflows.walk(workflow, given["customer"], context=given["entry"])
    return {
        "why_not": found.why_not,
        "way": path_of(found.path),
        "messages": found.messages,
        "customer": given["customer"],
    }


def _column(result: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of one definition as texts."""
    version = result["version"]
    days = list(result["entered_by_day"].values())
    goals = result["goals_anyway"]
    return {
        "title": _("Version %(number)s") % {"number": version} if version else _("Draft"),
        "sample": result["sample"],
        "unknown": result["unknown"],
        "spark": sparkline(days) if len(days) > 1 else "",
        "rows": [
            (_("Entered"), display.number(result["entered"])),
            (_("Completed"), display.number(result["completed"])),
            (_("Exited"), exits_in_words(result["exits"]) or display.number(0)),
            (_("Under way at the end"), display.number(result["under_way"])),
            *(
                (
                    _("Messages by %(channel)s") % {"channel": Channel(channel).label},
                    _messages(by_day, result["over_caps"].get(channel, 0)),
                )
                for channel, by_day in result["messages"].items()
            ),
            *([(_("Would have met the goal anyway"), display.number(goals))] if goals is not None else []),
            *(
                (f"{step['step']} → {branch}" if branch else step["step"], display.number(number))
                for step in result["steps"]
                for branch, number in step["left"].items()
            ),
        ],
    }  # fmt: skip


def _messages(by_day: dict[str, int], over: int) -> str:
    total = display.number(sum(by_day.values()))
    most = display.number(max(by_day.values(), default=0))
    words = _("%(total)s, at most %(most)s a day") % {"total": total, "most": most}
    if not over:
        return words
    return _("%(messages)s; %(over)s over the frequency caps") % {
        "messages": words,
        "over": display.number(over),
    }
