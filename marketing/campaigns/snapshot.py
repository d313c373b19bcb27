"""The audience of a run, frozen: one INSERT for each chunk of customers, resumable and safe to repeat."""

from __future__ import annotations

from django.db import connection, transaction
from django.utils import timezone

from marketing.campaigns import assignment
from marketing.campaigns.audience import recipients, refresh_segments_of
from marketing.messages import enqueue
from marketing.models import CampaignRun

CHUNK = 20_000
ANALYZED_FROM = 1_000

State = CampaignRun.State


def begin(run: CampaignRun) -> None:
    """Refresh the segments of a queued run, and open it for its audience; any other run stays as it is."""
    if run.state != State.QUEUED:
        return
    refresh_segments_of(run.campaign)
    now = timezone.now()
    decides_at = assignment.decides_at(run.campaign, assignment.variants_of(run), now)
    CampaignRun.objects.filter(pk=run.pk, state=State.QUEUED).update(
        state=State.MATERIALISING, started_at=now, decides_at=decides_at
    )
    run.refresh_from_db(fields=["state", "started_at", "decides_at"])


def take_chunk(run_id: int) -> bool:
    """Enqueue the next chunk of the audience; returns whether there may be more.

    The run's row is locked meanwhile: a second worker skips the chunk, and gets False.
    """
    with transaction.atomic():
        run = (
            CampaignRun.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("campaign__topic", "campaign__sender", "sender", "version")
            .filter(pk=run_id, state=State.MATERIALISING)
            .first()
        )
        if run is None:
            return False
        chunk = recipients(run.campaign, run, after=run.last_customer_id, limit=CHUNK)
        enqueued = enqueue(run, chunk)
        run.last_customer_id = enqueued.last_customer_id or run.last_customer_id
        if enqueued.customers < CHUNK:
            run.state = State.SENDING
            run.audience = run.executions.count()
            _analyze(run)
        run.save(update_fields=["state", "audience", "last_customer_id"])
        return enqueued.customers == CHUNK


def _analyze(run: CampaignRun) -> None:
    """Have PostgreSQL analyze a table that has grown at once: else it reads a whole run to mark one message."""
    if run.audience >= ANALYZED_FROM:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE marketing_campaignexecution (run_id, customer_id, state)")
