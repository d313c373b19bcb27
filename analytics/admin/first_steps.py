"""The checklist of the home page: what a site does before its first campaign has results, ticked by what is true."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from crm.accounts.current_user import user_of
from customers.models import Customer, Order, Segment
from marketing.channels import providers
from marketing.models import Campaign, CampaignRun, Sender, SenderBreaker


@dataclass(frozen=True, slots=True)
class Step:
    """A step, whether it is done, and the page for it; no page for users without the right to it."""

    title: str
    help: str
    is_done: bool
    url: str


def checklist(request: HttpRequest) -> list[Step]:
    """Return the steps; none once all are done, or if the user may do none. Each causes SQL queries that read one row."""
    steps = [
        _step(
            request,
            _("Import your customers"),
            _("From a CSV, Excel or JSON file, or by the API or the tracker of your shop."),
            Customer.objects.exists(),
            "customers_importjob",
        ),
        _step(
            request,
            _("Create a segment"),
            _("Customers by rules, such as a total spend above 500 or no visit for a month."),
            Segment.objects.exists(),
            "customers_segment",
        ),
        _step(
            request,
            _("Set up a sender, and send a test"),
            _("An account at an e-mail provider. The simulator delivers no message."),
            _some_sender_works(),
            "marketing_sender",
            _real_senders().order_by("-is_default", "pk").first(),
        ),
        _step(
            request,
            _("Send a campaign"),
            _("Now, at a time, or each time that something happens."),
            CampaignRun.objects.exists(),
            "marketing_campaign",
            Campaign.objects.filter(state=Campaign.State.DRAFT).order_by("-pk").first(),
        ),
        _step(
            request,
            _("Count conversions"),
            _("Import orders, or choose an event as the goal of a campaign."),
            _some_goal_is_measured(),
            "customers_importjob",
            query="?kind=orders",
        ),
    ]
    is_shown = any(step.url for step in steps if not step.is_done)
    return steps if is_shown else []


def _step(
    request: HttpRequest,
    title: str,
    help_text: str,
    is_done: bool,
    model: str,
    row: Sender | Campaign | None = None,
    query: str = "",
) -> Step:
    """Return a step whose page adds a row of a model, or changes a row that is there already."""
    app, name = model.split("_")
    verb = "change" if row else "add"
    url = reverse(f"admin:{model}_{verb}", args=[row.pk] if row else []) + query
    may_open = user_of(request).has_perm(f"{app}.{verb}_{name}")
    return Step(title, help_text, is_done, url if may_open else "")


def _some_sender_works() -> bool:
    """Return whether a provider has accepted a message or a test since its last failure."""
    working = SenderBreaker.objects.filter(state=SenderBreaker.State.CLOSED, failures=0)
    return working.filter(sender__in=_real_senders()).exists()


def _real_senders() -> QuerySet[Sender]:
    simulators = [name for name, provider in providers().items() if provider.simulated]
    return Sender.objects.exclude(provider__in=simulators)


def _some_goal_is_measured() -> bool:
    return (
        Order.objects.exists()
        or Campaign.objects.filter(goal_kind=Campaign.GoalKind.EVENT).exists()
    )
