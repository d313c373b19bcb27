"""Who asked for the links of a message, judged once it is known what else was asked for: a person reads, a scanner takes all there is.

Shortly after its sending a message's hits wait until nobody has asked for a while, since a scanner that looks like a browser gives itself
away by the links that it follows next. Later hits are taken at once for what they look like.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from customers.timeline import types
from marketing.models import CampaignExecution, LinkHit
from marketing.tracking.engagement import Happening, record

TRAP = 0
"""The position of the link that no person sees."""

SCANNED_WITHIN = timedelta(minutes=10)
"""Scanners look at a message when it arrives."""
QUIET = timedelta(seconds=3)
BURST = 3
"""So many links (or all, where there are two) in one burst are no person's doing."""
MOST_AT_ONCE = 500


def take(
    execution: CampaignExecution,
    *,
    position: int,
    link: str,
    machine: str,
    now: datetime | None = None,
) -> None:
    """Note that a link was asked for; `machine` is why it was no person, as far as the request alone tells."""
    now = now or timezone.now()
    hit = LinkHit(execution=execution, position=position, link=link, at=now, machine=machine)
    arrived_at = execution.delivered_at or execution.sent_at or execution.sending_at
    if arrived_at and now - arrived_at > SCANNED_WITHIN:
        record([_happening(hit, bool(machine))] if position != TRAP else [])
    else:
        hit.save()


def judge(now: datetime | None = None) -> int:
    """Decide on the hits of messages at which it is quiet again; returns on how many."""
    now = now or timezone.now()
    quiet = (
        LinkHit.objects.values("execution")
        .annotate(last=Max("at"))
        .filter(last__lte=now - QUIET)
        .order_by("last")
        .values_list("execution", flat=True)[:MOST_AT_ONCE]
    )
    with transaction.atomic():
        by_message: dict[int, list[LinkHit]] = defaultdict(list)
        waiting = LinkHit.objects.select_for_update(skip_locked=True, of=("self",))
        for hit in waiting.filter(execution__in=list(quiet)).order_by("at", "pk"):
            by_message[hit.execution_id].append(hit)
        counts = _link_counts(by_message)
        judged = [
            _happening(hit, bool(hit.machine) or hit in scanned)
            for pk, hits in by_message.items()
            for scanned in [_scanned(hits, counts.get(pk, 0))]
            for hit in hits
            if hit.position != TRAP
        ]
        record(judged)
        LinkHit.objects.filter(
            pk__in=[hit.pk for hits in by_message.values() for hit in hits]
        ).delete()
    return len(judged)


def _scanned(hits: Sequence[LinkHit], links: int) -> list[LinkHit]:
    """The hits of bursts that took the trap, or too many links at once."""
    scanned: list[LinkHit] = []
    for burst in _bursts(hits):
        asked_for = {hit.position for hit in burst}
        all_at_once = len(asked_for) >= (min(links, BURST) if links > 1 else BURST)
        if TRAP in asked_for or all_at_once:
            scanned += burst
    return scanned


def _bursts(hits: Sequence[LinkHit]) -> list[list[LinkHit]]:
    bursts: list[list[LinkHit]] = []
    for hit in hits:
        if bursts and hit.at - bursts[-1][-1].at <= QUIET:
            bursts[-1].append(hit)
        else:
            bursts.append([hit])
    return bursts


def _link_counts(execution_ids: Iterable[int]) -> dict[int, int]:
    """How many tracked links each message has."""
    messages = CampaignExecution.objects.filter(pk__in=list(execution_ids)).select_related(
        "run__version"
    )
    return {each.pk: each.version.links.count() + len(each.links or {}) for each in messages}


def _happening(hit: LinkHit, by_machine: bool) -> Happening:
    kind = types.MESSAGE_CLICKED_BY_MACHINE if by_machine else types.MESSAGE_CLICKED
    return Happening(hit.execution_id, kind, hit.at, link=hit.link)
