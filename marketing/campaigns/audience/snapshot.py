"""The audience of a run, frozen: one INSERT … SELECT a chunk of customers, resumable and safe to repeat."""

from __future__ import annotations

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from marketing.campaigns import variants
from marketing.campaigns.audience import customers
from marketing.campaigns.audience.recipients import recipients
from marketing.models import CampaignRun
from marketing.sending import local_times

CHUNK = 20_000
ANALYZED_FROM = 1_000

State = CampaignRun.State


def begin(run: CampaignRun) -> None:
    """Bring the segments up to date and open the run for its audience; nothing happens when it is open already."""
    if run.state != State.QUEUED:
        return
    customers.refresh_segments_of(run.campaign)
    now = timezone.now()
    decides_at = variants.decides_at(run.campaign, variants.variants_of(run), now)
    CampaignRun.objects.filter(pk=run.pk, state=State.QUEUED).update(
        state=State.MATERIALISING, started_at=now, decides_at=decides_at
    )


def take_chunk(run_id: int) -> bool:
    """Write the next chunk of messages; True while there may be more.

    The run's row is locked meanwhile, so that two workers do not do the same chunk; the one that comes second is told False.
    """
    with transaction.atomic():
        run = (
            CampaignRun.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("campaign__topic", "campaign__sender")
            .filter(pk=run_id, state=State.MATERIALISING)
            .first()
        )
        if run is None:
            return False
        before, people = run.last_customer_id, _insert_next(run)
        if people and run.due_at and run.campaign.local_time:
            local_times.set_due(run, after=before, until=run.last_customer_id)
        if people < CHUNK:
            run.state = State.SENDING
            run.audience = run.executions.count()
            _tell_planner(run)
        run.save(update_fields=["state", "audience", "last_customer_id"])
        return people == CHUNK


def _tell_planner(run: CampaignRun) -> None:
    """Have PostgreSQL look at a table that has grown at once: else it guesses, and reads a whole run to mark one message."""
    if run.audience >= ANALYZED_FROM:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE marketing_campaignexecution (run_id, customer_id, state)")


def _insert_next(run: CampaignRun) -> int:
    """Insert the people after the last one done, and note how far that is; returns how many they were."""
    try:
        with transaction.atomic():
            last_id, people = _insert(run)
    except IntegrityError:  # somebody who was done has been merged into somebody who was not
        last_id, people = _insert(run, "ON CONFLICT (run_id, customer_id) DO NOTHING")
    run.last_customer_id = last_id or run.last_customer_id
    return people


def _insert(run: CampaignRun, on_conflict: str = "") -> tuple[int | None, int]:
    """The id of the last person of the chunk, and how many there are. Raises IntegrityError where one has a message already."""
    chunk = recipients(run.campaign, run, after=run.last_customer_id, limit=CHUNK)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH planned AS MATERIALIZED ({chunk.sql}), written AS (
                INSERT INTO marketing_campaignexecution
                    (run_id, customer_id, address, state, skip_reason, variant, next_attempt_at)
                SELECT %s, customer_id, address, CASE reason WHEN '' THEN 'pending' ELSE 'skipped' END, reason,
                       variant, not_before
                FROM planned ORDER BY customer_id {on_conflict}
            )
            SELECT max(customer_id), count(*) FROM planned
            """,
            [*chunk.parameters, run.pk],
        )
        last_id, people = cursor.fetchone()
    return last_id, people
