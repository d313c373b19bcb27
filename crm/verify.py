"""Try a running site with a throw-away customer and campaigns, which are deleted again."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from crm.events import feeds, lag
from crm.events.models import MarketingEvent, WebhookDelivery
from customers.models import Customer, Interaction, Segment
from customers.timeline import NewInteraction, record_interactions
from marketing import campaigns, schedule
from marketing.models import (
    Campaign,
    CampaignExecution,
    CampaignRun,
    CampaignTemplate,
    FormerMessage,
    Sender,
    TemplateVersion,
)

EVENT = "site_verified"
WEEK = timedelta(days=7)


class Failed(Exception):
    """A check failed, and why."""


@dataclass(frozen=True, slots=True)
class Result:
    """The name of a check, whether it passed, and what it saw."""

    name: str
    passed: bool
    detail: str


@dataclass
class Trial:
    """The throw-away objects of one verification; `seconds` limits each wait."""

    url: str
    seconds: float
    token: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    first_event: int = 0

    @property
    def address(self) -> str:
        """Return an address that no server accepts (RFC 2606, section 2)."""
        return f"verify-{self.token}@kindling.invalid"

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Raises Failed with `what` when the condition does not hold in time."""
        deadline = time.monotonic() + self.seconds
        while not condition():
            if time.monotonic() > deadline:
                raise Failed(what)
            time.sleep(0.1)


def verify(url: str, *, seconds: float = 60) -> Iterator[Result]:
    """Yield the result of each check of the site at `url`; the checks share one throw-away customer."""
    trial = Trial(url.rstrip("/"), seconds)
    with _customer(trial) as customer:
        for name, check in (
            (_("Parts"), lambda: _ready(trial)),
            (_("Data"), _data),
            (_("One-time delivery"), lambda: _delivery(trial, customer)),
            (_("Weekly recurrence"), lambda: _recurrence(trial)),
            (_("Events"), lambda: _events(trial, customer)),
        ):
            try:
                yield Result(name, passed=True, detail=check())
            except Failed as failure:
                yield Result(name, passed=False, detail=str(failure))


def _ready(trial: Trial) -> str:
    try:
        with urlopen(f"{trial.url}/readyz", timeout=10) as answer:  # noqa: S310  the operator's own address
            parts = json.load(answer)
    except HTTPError as refused:
        parts = json.load(refused)
    except (URLError, ValueError, OSError) as error:
        raise Failed(
            _("%(url)s does not answer: %(error)s") % {"url": trial.url, "error": error}
        ) from error
    said = ", ".join(f"{part} {state}" for part, state in parts.items() if part != "ready")
    if any(state != "ok" for part, state in parts.items() if part != "ready"):
        raise Failed(said)
    return said


def _data() -> str:
    counts = {
        "customers": Customer.objects.exclude(email__endswith="@kindling.invalid").count(),
        "segments": Segment.objects.count(),
        "campaigns": Campaign.objects.count(),
    }
    if not counts["customers"]:
        raise Failed(_("There are no customers yet: import a file, or run make demo."))
    return _("%(customers)s customers, %(segments)s segments, %(campaigns)s campaigns") % counts


def _delivery(trial: Trial, customer: Customer) -> str:
    campaign = _campaign(trial, type=Campaign.Type.ONE_TIME)
    started = time.monotonic()
    try:
        run = campaigns.launch(campaign)
    except (campaigns.NotReady, campaigns.NotApproved) as refused:
        raise Failed(str(refused)) from refused
    sent = CampaignExecution.objects.filter(
        run=run, customer=customer, state=CampaignExecution.State.SENT
    )
    trial.wait_for(sent.exists, _("No worker sent the message within %d s.") % trial.seconds)
    done = CampaignRun.objects.filter(pk=run.pk, state=CampaignRun.State.FINISHED)
    trial.wait_for(done.exists, _("The batch did not finish within %d s.") % trial.seconds)
    return _("one message sent by the simulator in %.1f s") % (time.monotonic() - started)


def _recurrence(trial: Trial) -> str:
    start = timezone.now() + timedelta(days=3)
    campaign = _campaign(
        trial,
        type=Campaign.Type.RECURRING,
        frequency=Campaign.Frequency.WEEKLY,
        scheduled_at=start,
        timezone=settings.TIME_ZONE,
    )
    try:
        campaigns.schedule_launch(campaign, at=start, by=None)
    except (campaigns.NotReady, campaigns.NotApproved) as refused:
        raise Failed(str(refused)) from refused
    runs = [timezone.localtime(each).replace(tzinfo=None) for each in schedule.next_runs(campaign)]
    if len(runs) < 2 or any(later - earlier != WEEK for earlier, later in pairwise(runs)):
        raise Failed(_("The times of a weekly campaign are %s.") % ", ".join(map(str, runs)))
    if not PeriodicTask.objects.filter(pk=campaign.schedule_id, enabled=True).exists():
        raise Failed(_("The schedule of the weekly campaign has no entry in celery-beat."))
    return _("next on %s, a week apart") % ", ".join(date_format(each) for each in runs[:3])


def _events(trial: Trial, customer: Customer) -> str:
    record_interactions([NewInteraction(customer.pk, EVENT, timezone.now())])
    waiting = {each.name: each.source.head() for each in feeds.subscribers()}

    def late() -> list[str]:
        return [
            f"{each.subscriber.name} {each.cursor.error}".strip()
            for each in lag.all_subscribers()
            if feeds.position(each.cursor) < waiting[each.subscriber.name]
        ]

    try:
        trial.wait_for(lambda: not late(), "")
    except Failed:
        raise Failed(_("These event feeds are behind: %s.") % ", ".join(late())) from None
    return _("%d event feeds read everything") % len(waiting)


# Throw-away objects


@contextmanager
def _customer(trial: Trial) -> Iterator[Customer]:
    customer = Customer.objects.create(email=trial.address, first_name="Verify", source="verify")
    trial.first_event = (
        MarketingEvent.objects.order_by("-position").values_list("position", flat=True).first() or 0
    )
    try:
        yield customer
    finally:
        _clean_up(trial, customer)


def _campaign(trial: Trial, **given: object) -> Campaign:
    """Create a campaign by the simulator for the throw-away customer alone."""
    name = f"verify {trial.token}"
    sender, _created = Sender.objects.get_or_create(
        name=name,
        defaults={
            "provider": "simulator",
            "from_name": settings.SITE_NAME,
            "from_address": trial.address,
        },
    )
    template = CampaignTemplate.objects.create(
        name=f"{name} {uuid.uuid4().hex[:6]}",
        subject="Verification",
        body="<p>Hello {{ customer.first_name }}</p>",
    )
    rules = {
        "operator": "AND",
        "conditions": [{"field": "email", "operator": "=", "value": trial.address}],
    }
    campaign = Campaign(
        name=name,
        template=template,
        sender=sender,
        rules=rules,
        exempt_from_caps=True,
        exempt_from_quiet_hours=True,
        **given,
    )
    return campaigns.create(campaign, by=None)


@transaction.atomic
def _clean_up(trial: Trial, customer: Customer) -> None:
    """Delete everything that the verification created, events included."""
    made = Campaign.objects.filter(name=f"verify {trial.token}")
    for campaign in made:
        schedule.delete_entry(campaign)
    keys = list(made.values_list("pk", flat=True))
    Interaction.objects.filter(customer_id=customer.pk).delete()
    of_campaigns = Q(subject__in=[f"campaign/{key}" for key in keys])
    events = MarketingEvent.objects.filter(
        Q(customer_id=customer.pk) | Q(data__customers=[customer.pk]) | of_campaigns,
        position__gt=trial.first_event,
    )
    WebhookDelivery.objects.filter(event_id__in=events.values("event_id")).delete()
    events.delete()
    CampaignExecution.objects.filter(run__campaign__in=keys).delete()
    FormerMessage.objects.filter(customer_id=customer.pk).delete()
    CampaignRun.objects.filter(campaign__in=keys).delete()
    made.delete()
    TemplateVersion.objects.filter(template__name__startswith=f"verify {trial.token} ").delete()
    CampaignTemplate.objects.filter(name__startswith=f"verify {trial.token} ").delete()
    Sender.objects.filter(name=f"verify {trial.token}").delete()
    customer.delete()
