"""The audience of a run, frozen: one INSERT … SELECT a chunk of customers, resumable and safe to repeat."""

from __future__ import annotations

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from marketing.campaigns import audience
from marketing.models import CampaignRun
from marketing.sending import local_times

CHUNK = 20_000

State = CampaignRun.State


def begin(run: CampaignRun) -> None:
    """Bring the segments up to date and open the run for its audience; nothing happens when it is open already."""
    if run.state != State.QUEUED:
        return
    audience.refresh_segments_of(run.campaign)
    CampaignRun.objects.filter(pk=run.pk, state=State.QUEUED).update(
        state=State.MATERIALISING, started_at=timezone.now()
    )


def take_chunk(run_id: int) -> bool:
    """Write the next chunk of messages; True while there may be more.

    The run's row is locked meanwhile, so that two workers do not do the same chunk; the one that comes second is told False.
    """
    with transaction.atomic():
        run = (
            CampaignRun.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("campaign__topic")
            .filter(pk=run_id, state=State.MATERIALISING)
            .first()
        )
        if run is None:
            return False
        before, last_id = run.last_customer_id, _insert_next(run)
        if last_id and run.due_at and run.campaign.local_time:
            local_times.set_due(run, after=before, until=last_id)
        if last_id is None:
            run.state = State.SENDING
            run.audience = run.executions.count()
            run.save(update_fields=["state", "audience"])
            return False
        run.last_customer_id = last_id
        run.save(update_fields=["last_customer_id"])
        return True


def _insert_next(run: CampaignRun) -> int | None:
    """Insert the people after the last one done; the id of the last now, None when nobody is left."""
    people = audience.customers_of(run.campaign).filter(pk__gt=run.last_customer_id)
    chunk = people.order_by("pk").values("pk")[:CHUNK]
    last_id: int | None = chunk.aggregate(last=Max("pk"))["last"]
    if last_id is None:
        return None
    channel = run.campaign.channel
    rows = audience.with_skip_reason(
        people.filter(pk__lte=last_id), channel, run.campaign.topic_slug
    ).values_list("pk", audience.ADDRESS_FIELDS[channel], "skip_reason")
    select, parameters = rows.order_by().query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO marketing_campaignexecution (run_id, customer_id, address, state, skip_reason)
            SELECT %s, person.id, coalesce(person.address, ''),
                   CASE person.reason WHEN '' THEN 'pending' ELSE 'skipped' END, person.reason
            FROM ({select}) AS person (id, address, reason)
            ORDER BY person.id
            ON CONFLICT (run_id, customer_id) DO NOTHING
            """,
            [run.pk, *parameters],
        )
    return last_id
