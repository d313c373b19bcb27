"""One process sends a campaign, against the bare loop on the same messages and mail server."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import Result, Scale, bare_loop, newsletter, seconds, smtp_sink
from marketing.models import CampaignRun
from marketing.sending import deliver

MESSAGES = {Scale.SMALL: 2_000, Scale.FULL: 20_000}


def run(scale: Scale) -> Iterator[Result]:
    messages = MESSAGES[scale]
    newsletter.make_people(messages)
    with smtp_sink.running() as port:
        theirs = newsletter.launched(newsletter.make_campaign("bare loop", port))
        ours = newsletter.launched(newsletter.make_campaign("ours", port))
        their_seconds = seconds(lambda: bare_loop.send_all(theirs, port))
        our_seconds = seconds(lambda: send_all(ours))
    for each in (theirs, ours):
        assert each.executions.count_by_state() == {"sent": messages}
    yield Result("sending", messages / our_seconds, messages / their_seconds, 1)
    newsletter.empty()


def send_all(run: CampaignRun) -> None:
    """As a worker does: one turn after the other."""
    while deliver.work_on(run.pk):
        pass
