"""One process sends a campaign: against the bare loop on the same messages and mail server, and end to end against Django's mail queues."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import Result, Scale, bare_loop, newsletter, peers, seconds, smtp_sink
from marketing.models import Campaign, CampaignRun
from marketing.sending import deliver

MESSAGES = {Scale.SMALL: 2_000, Scale.FULL: 20_000}
CONNECTIONS = 10
"""Of the one worker process; the promise of one message in doubt holds for each."""
OF_A_PEER = {Scale.SMALL: 400, Scale.FULL: 2_000}
"""So many tell their rate; ours are many times as fast."""


def run(scale: Scale) -> Iterator[Result]:
    messages, of_a_peer = MESSAGES[scale], OF_A_PEER[scale]
    newsletter.make_people(messages)
    with smtp_sink.running() as port:
        theirs = newsletter.launched(newsletter.make_campaign("bare loop", port))
        ours = newsletter.launched(newsletter.make_campaign("ours", port, connections=CONNECTIONS))
        bare = messages / seconds(lambda: bare_loop.send_all(theirs, port))
        yield Result("sending", messages / seconds(lambda: send_all(ours)), bare, 1)
        whole = newsletter.make_campaign("end to end", port, connections=CONNECTIONS)
        end_to_end = messages / seconds(lambda: launch_and_send(whole))
        for peer, target in (("post_office", 3), ("mailer", 10)):
            rate = of_a_peer / peers.seconds_of(peer, of_a_peer, port)
            yield Result(f"sending, end to end, against {peer}", end_to_end, rate, target)
    for each in CampaignRun.objects.all():
        assert each.executions.count_by_state() == {"sent": messages}
    newsletter.empty()


def launch_and_send(campaign: Campaign) -> None:
    send_all(newsletter.launched(campaign))


def send_all(run: CampaignRun) -> None:
    """As a worker does: one turn after the other."""
    while deliver.work_on(run.pk):
        pass
