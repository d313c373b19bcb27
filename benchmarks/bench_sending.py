"""One process sends a campaign, against a bare loop on the same messages and against Django's mail queues."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

from benchmarks import Result, Scale, bare_loop, newsletter, seconds, smtp_sink
from benchmarks.peers import Peer
from marketing.models import Campaign, CampaignRun
from marketing.sending import turn

MESSAGES = {Scale.SMALL: 2_000, Scale.FULL: 10_000}
ROUNDS = 5
CONNECTIONS = bare_loop.A_BATCH
"""Connections of the worker: if it dies, as many messages are unconfirmed as the bare loop claims at a time."""
OF_A_PEER = {
    "post_office": {Scale.SMALL: 600, Scale.FULL: 3_000},
    "mailer": {Scale.SMALL: 200, Scale.FULL: 1_000},
}
"""Enough messages for the rate of the peers, which are several times slower."""
TARGETS = {"post_office": 3, "mailer": 10}


def run(scale: Scale) -> Iterator[Result]:
    messages = MESSAGES[scale]
    newsletter.make_people(messages)
    ours, bare, whole = [], [], []
    with ExitStack() as stack:
        port = stack.enter_context(smtp_sink.running())
        peers = [
            stack.enter_context(Peer(name, number[scale], port))
            for name, number in OF_A_PEER.items()
        ]
        for peer in peers:
            peer.seconds()  # the first one waits for the process to come up
        of_peers: dict[str, list[float]] = {peer.name: [] for peer in peers}
        for round_ in range(ROUNDS):
            # in turns, so that what else the machine does falls on all
            theirs = newsletter.launched(_campaign(f"bare loop {round_}", port))
            bare.append(seconds(lambda run=theirs: bare_loop.send_all(run, port)))  # type: ignore[misc]
            taken = newsletter.launched(_campaign(f"ours {round_}", port))
            ours.append(seconds(lambda run=taken: send_all(run)))  # type: ignore[misc]
            fresh = _campaign(f"end to end {round_}", port)
            whole.append(seconds(lambda campaign=fresh: launch_and_send(campaign)))  # type: ignore[misc]
            for peer in peers:
                of_peers[peer.name].append(peer.seconds())
    yield Result("sending", messages / median(ours), messages / median(bare), 1)
    for peer in peers:
        rate = peer.messages / median(of_peers[peer.name])
        name = f"sending, end to end, against {peer.name}"
        yield Result(name, messages / median(whole), rate, TARGETS[peer.name])
    for each in CampaignRun.objects.all():
        assert each.executions.count_by_state() == {"sent": messages}
    newsletter.empty()


def _campaign(name: str, port: int) -> Campaign:
    return newsletter.make_campaign(name, port, connections=CONNECTIONS)


def launch_and_send(campaign: Campaign) -> None:
    send_all(newsletter.launched(campaign))


def send_all(run: CampaignRun) -> None:
    """Send turn by turn, as a worker does."""
    while turn.work_on(run.pk):
        pass
