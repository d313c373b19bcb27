"""Workflows of the sample data: a welcome series with customers under way, and a draft for abandoned carts."""

from __future__ import annotations

from datetime import datetime, timedelta

from crm.accounts.models import User
from crm.demo.past_sends import Calendar, send_messages
from customers.models import Customer
from marketing import workflows
from marketing.models import CampaignRun, Sender, Workflow

MADE_UP = "M-"
"""The prefix of the external ids of made-up customers."""
DAYS = 9
A_DAY = 9
"""Customers who enter on each of DAYS days."""
ENTERED_AT = "10:20"
EVERY = timedelta(seconds=2)


def load(calendar: Calendar) -> None:
    """Take the newest customers through the welcome series day by day, with messages that are simulated."""
    admin = User.objects.filter(is_superuser=True).earliest("pk")
    _draft("abandoned-cart", admin)
    welcome = _draft("welcome", admin)
    simulator = Sender.objects.filter(channel="email", provider="simulator").earliest("pk")
    for step in welcome.draft["steps"].values():
        if step["type"] == "send":
            step["sender"] = simulator.name
    workflows.save_draft(welcome, welcome.draft, by=admin)
    workflows.publish(welcome, by=None)
    workflows.activate(welcome)
    made = Customer.objects.filter(external_id__startswith=MADE_UP)
    newest = made.order_by("-registered_at", "-pk")
    entering = list(newest.values_list("pk", flat=True)[: DAYS * A_DAY])
    for day in range(DAYS):
        at = calendar.at(day - DAYS, ENTERED_AT)
        chosen = entering[day * A_DAY : (day + 1) * A_DAY]
        workflows.enter(welcome, [workflows.Entrant(each, at) for each in chosen], now=at)
        _advance(welcome, at)
    Workflow.objects.filter(pk=welcome.pk).update(activated_at=calendar.at(-DAYS, "09:00"))


def _draft(key: str, by: User) -> Workflow:
    starter = workflows.find_starter(key)
    assert starter
    return workflows.start_from(starter, by=by)


def _advance(workflow: Workflow, now: datetime) -> None:
    """Move what is due, and send the messages of it, as of a time."""
    while workflows.advance_workflow(workflow, now=now):
        pass
    for run in CampaignRun.objects.filter(campaign__workflow_steps__version=workflow.version_id):
        send_messages(run, now, every=EVERY)
