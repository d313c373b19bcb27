"""Bulk jobs: a selection is frozen, and a worker does it chunk by chunk.

A chunk and how far the job is are one transaction, so a job that is taken up again after its worker died goes on where it stopped;
an export starts again. Every move of the state is a conditional UPDATE, so that two workers never run one job.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import F, Func, IntegerField, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import masking
from crm.accounts.models import User
from crm.nudge import nudge
from customers.bulk import export, tags
from customers.models import BulkJob, Customer, Segment
from customers.segments.membership import members

logger = logging.getLogger(__name__)

Action, State = BulkJob.Action, BulkJob.State
Step = Callable[[Sequence[int]], int]

CHUNK = 5_000
AT_ONCE = 1_000
"""So many are done in the request that asks for it."""
DEAD_AFTER = timedelta(minutes=5)
LOST_AFTER = timedelta(seconds=30)


class TakenOver(Exception):
    """Another worker has the job now; this one stops."""


class NotPossible(Exception):
    """What was asked for cannot be done; the text says why, to whom asked."""


def start(
    customers: QuerySet[Customer], action: str, options: dict[str, Any], *, by: User | None
) -> BulkJob:
    """Do something to all of these customers: few at once, more in a worker."""
    if action == Action.EXPORT:
        options = {**options, "masked": masking.is_on()}
    with transaction.atomic():
        job = BulkJob.objects.create(action=action, options=options, created_by=by)
        mine = BulkJob.objects.filter(pk=job.pk)
        mine.update(customer_ids=ArraySubquery(customers.values("pk")))
        length = Func("customer_ids", function="cardinality", output_field=IntegerField())
        mine.update(total=Coalesce(length, 0))
        job.refresh_from_db(fields=["total"])
        if job.total > AT_ONCE:
            nudge("customers.tasks.run_bulk_job", job.pk)
    if job.total <= AT_ONCE:
        run(job.pk)
    job.refresh_from_db()
    return job


def run(job_id: int) -> None:
    """Do a queued job to its end; does nothing where it is not queued any more."""
    started = timezone.now()
    won = BulkJob.objects.filter(pk=job_id, state=State.QUEUED).update(
        state=State.RUNNING, started_at=started, heartbeat_at=started, error=""
    )
    if not won:
        return
    job = BulkJob.objects.get(pk=job_id)
    mine = BulkJob.objects.filter(pk=job_id, state=State.RUNNING, started_at=started)
    try:
        if job.action == Action.EXPORT:
            with masking.hidden(job.options.get("masked", False)):
                export.write(job, partial(_report_export, mine))
        else:
            _work_through(job, mine, _step(job))
    except TakenOver:
        logger.warning("Bulk job %s was taken over by another worker.", job_id)
    except (NotPossible, members.NotStatic, export.TooLong) as refused:
        _fail(mine, str(refused))
    except Exception:
        logger.exception("Bulk job %s failed.", job_id)
        _fail(mine, _("Something went wrong on our side; it is in the log. Ask for it again."))
    else:
        mine.update(state=State.FINISHED, done=F("total"), finished_at=Now())


def unattended(now: datetime | None = None) -> list[int]:
    """Jobs that somebody must run: queued and not begun, or begun by a worker that gives no sign of life any more."""
    now = now or timezone.now()
    BulkJob.objects.filter(state=State.RUNNING, heartbeat_at__lt=now - DEAD_AFTER).update(
        state=State.QUEUED, heartbeat_at=now - LOST_AFTER
    )
    waiting = BulkJob.objects.filter(state=State.QUEUED, heartbeat_at__lte=now - LOST_AFTER)
    return list(waiting.values_list("pk", flat=True))


def _work_through(job: BulkJob, mine: QuerySet[BulkJob], step: Step) -> None:
    for start in range(job.done, job.total, CHUNK):
        chunk = job.customer_ids[start : start + CHUNK]
        with transaction.atomic():
            changed = step(chunk)
            told = mine.update(
                done=start + len(chunk), changed=F("changed") + changed, heartbeat_at=timezone.now()
            )
            if not told:
                raise TakenOver


def _step(job: BulkJob) -> Step:
    match job.action:
        case Action.ADD_TAGS:
            return partial(tags.add, job.options["tags"])
        case Action.REMOVE_TAGS:
            return partial(tags.remove, job.options["tags"])
        case Action.ADD_TO_SEGMENT:
            return partial(members.add, _segment(job))
        case Action.REMOVE_FROM_SEGMENT:
            return partial(members.remove, _segment(job))
    raise AssertionError(job.action)


def _segment(job: BulkJob) -> Segment:
    segment = Segment.objects.filter(pk=job.options["segment"]).first()
    if segment is None:
        raise NotPossible(_("The segment is not there any more."))
    return segment


def _report_export(mine: QuerySet[BulkJob], done: int) -> None:
    if not mine.update(done=done, heartbeat_at=timezone.now()):
        raise TakenOver


def _fail(mine: QuerySet[BulkJob], error: str) -> None:
    mine.update(state=State.FAILED, error=error, finished_at=Now())
