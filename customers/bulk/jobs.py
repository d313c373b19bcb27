"""Bulk jobs: a frozen selection of customers, changed chunk by chunk or exported.

A chunk and the job's progress are one transaction, so the next worker resumes after the last chunk. An export starts again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import F, Func, IntegerField, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from crm import jobs, masking
from crm.accounts.models import User
from customers.bulk import export, tags
from customers.models import BulkJob, Customer, Segment
from customers.segments import members

Action = BulkJob.Action
Change = Callable[[Sequence[int]], int]

CHUNK = 5_000
AT_ONCE = 1_000
"""Up to this many customers are changed within the request."""


class NotPossible(Exception):
    """The job cannot be done; the message says why, to the person who started it."""


def start(
    customers: QuerySet[Customer], action: str, options: dict[str, Any], *, by: User | None
) -> BulkJob:
    """Apply an action to all of these customers: at once to a few, otherwise in a worker."""
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
            jobs.start(job)
    if job.total <= AT_ONCE:
        jobs.run(job)
    job.refresh_from_db()
    return job


def work(job: BulkJob, turn: jobs.Turn) -> bool:
    """Do one turn; returns whether customers are left."""
    if job.action == Action.EXPORT:
        with masking.hidden(job.options.get("masked", False)):
            export.write(job, lambda done: turn.show(done=done))
        return False
    change = _change(job)
    for start in range(job.done, job.total, CHUNK):
        if turn.is_over():
            return True
        chunk = job.customer_ids[start : start + CHUNK]
        with transaction.atomic():
            changed = change(chunk)
            turn.save(done=start + len(chunk), changed=F("changed") + changed)
    return False


def _change(job: BulkJob) -> Change:
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
        raise NotPossible(_("The segment no longer exists. Choose another one."))
    return segment
