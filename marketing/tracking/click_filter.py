"""Distinguish clicks of recipients from scanners: a recipient follows one link, a scanner follows all.

Shortly after a message was sent, its link hits wait until there has been none for a while, since a scanner that looks like a browser is
recognized by the links that it follows next. Later hits are judged at once, by the request alone.
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
from marketing.tracking.engagement import MessageEvent, record

TRAP = 0
"""The position of the hidden link."""

SCANNED_WITHIN = timedelta(minutes=10)
"""Scanners follow the links of a message when it is delivered."""
QUIET = timedelta(seconds=3)
BURST = 3
"""So many links in one burst (or both, where there are two) are a scanner's."""
MOST_AT_ONCE = 500


def record_hit(
    execution: CampaignExecution,
    *,
    position: int,
    link: str,
    bot: str,
    now: datetime | None = None,
) -> None:
    """Record a request for a link; `bot` says why the request itself looks like a bot's, "" where it does not."""
    now = now or timezone.now()
    hit = LinkHit(execution=execution, position=position, link=link, at=now, machine=bot)
    delivered_at = execution.delivered_at or execution.sent_at or execution.sending_at
    if delivered_at and now - delivered_at > SCANNED_WITHIN:
        record([_click(hit, bool(bot))] if position != TRAP else [])
    else:
        hit.save()


def process_hits(now: datetime | None = None) -> int:
    """Turn the hits of messages without recent ones into clicks of recipients or bots; returns how many."""
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
            _click(hit, bool(hit.machine) or hit in scanned)
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
    """Return the hits of bursts with the hidden link, or with too many links at once."""
    scanned: list[LinkHit] = []
    for burst in _bursts(hits):
        positions = {hit.position for hit in burst}
        all_at_once = len(positions) >= (min(links, BURST) if links > 1 else BURST)
        if TRAP in positions or all_at_once:
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
    """Return the number of tracked links of each message."""
    messages = CampaignExecution.objects.filter(pk__in=list(execution_ids)).select_related(
        "run__version"
    )
    return {each.pk: each.version.links.count() + len(each.links or {}) for each in messages}


def _click(hit: LinkHit, by_bot: bool) -> MessageEvent:
    kind = types.MESSAGE_CLICKED_BY_MACHINE if by_bot else types.MESSAGE_CLICKED
    return MessageEvent(hit.execution_id, kind, hit.at, link=hit.link)
