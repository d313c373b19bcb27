"""Big batches for the fault tests, and what must hold of them in the end."""

from __future__ import annotations

from collections import Counter

from customers.models import Customer
from marketing.campaigns import moves
from marketing.models import CampaignRun
from tests.factories.marketing import make_campaign, make_sender, make_template
from tests.smtp_sink import Sink

EVERYONE = {"operator": "AND", "conditions": []}


def launched(messages: int, *, body: str = "<p>Hi {{ name }}</p>", **sender: object) -> CampaignRun:
    """Launch a campaign to that many new customers; return its batch."""
    Customer.objects.bulk_create(
        Customer(external_id=f"c{number}", email=f"p{number}@example.com")
        for number in range(messages)
    )
    account = make_sender(**sender)
    template = make_template(channel=account.channel, body=body)
    return moves.launch(
        make_campaign(rules=EVERYONE, sender=account, template=template, channel=account.channel)
    )


def is_finished(run: CampaignRun) -> bool:
    return CampaignRun.objects.get(pk=run.pk).state == CampaignRun.State.FINISHED


def addresses(run: CampaignRun, *states: str) -> set[str]:
    return set(run.executions.filter(state__in=states).values_list("address", flat=True))


def assert_everyone_once(run: CampaignRun, sink: Sink, *, in_doubt: int = 0) -> None:
    """Assert that every message is in the log of the server once or is `unconfirmed`, at most `in_doubt` of them."""
    arrived: Counter[str] = sink.recipients()
    sent, unconfirmed = addresses(run, "sent"), addresses(run, "unconfirmed")
    assert max(arrived.values()) == 1
    assert sent <= set(arrived) <= sent | unconfirmed
    assert sent | unconfirmed == addresses(run, *run.executions.count_by_state())
    assert len(unconfirmed) <= in_doubt
