"""One process sends a campaign: against the bare loop on the same messages and mail server, and end to end against Django's mail queues."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from benchmarks import Result, Scale, bare_loop, newsletter, peers, seconds, smtp_sink
from marketing.models import Campaign, CampaignRun
from marketing.sending import deliver

MESSAGES = {Scale.SMALL: 1_000, Scale.FULL: 10_000}
ROUNDS = 5
CONNECTIONS = 10
"""Of the one worker process; the promise of one message in doubt holds for each."""
OF_A_PEER = {Scale.SMALL: 400, Scale.FULL: 2_000}
"""So many tell their rate; ours are many times as fast."""


def run(scale: Scale) -> Iterator[Result]:
    messages, of_a_peer = MESSAGES[scale], OF_A_PEER[scale]
    newsletter.make_people(messages)
    with smtp_sink.running() as port:
        ours, bare, whole = [], [], []
        for round_ in range(ROUNDS):
            # in turns, so that what else the machine does falls on all
            theirs = newsletter.launched(_campaign(f"bare loop {round_}", port))
            bare.append(seconds(lambda run=theirs: bare_loop.send_all(run, port)))  # type: ignore[misc]
            taken = newsletter.launched(_campaign(f"ours {round_}", port))
            ours.append(seconds(lambda run=taken: send_all(run)))  # type: ignore[misc]
            fresh = _campaign(f"end to end {round_}", port)
            whole.append(seconds(lambda campaign=fresh: launch_and_send(campaign)))  # type: ignore[misc]
        yield Result("sending", messages / median(ours), messages / median(bare), 1)
        for peer, target in (("post_office", 3), ("mailer", 10)):
            rate = of_a_peer / peers.seconds_of(peer, of_a_peer, port)
            name = f"sending, end to end, against {peer}"
            yield Result(name, messages / median(whole), rate, target)
    for each in CampaignRun.objects.all():
        assert each.executions.count_by_state() == {"sent": messages}
    newsletter.empty()


def _campaign(name: str, port: int) -> Campaign:
    return newsletter.make_campaign(name, port, connections=CONNECTIONS)


def launch_and_send(campaign: Campaign) -> None:
    send_all(newsletter.launched(campaign))


def send_all(run: CampaignRun) -> None:
    """As a worker does: one turn after the other."""
    while deliver.work_on(run.pk):
        pass
