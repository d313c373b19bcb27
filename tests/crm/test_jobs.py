"""A job runs on one worker at a time, in turns, and survives failures, takeovers and cancelling."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm import jobs
from customers.models import BulkJob

pytestmark = pytest.mark.django_db

LABEL = "customers.bulkjob"


class Refusal(Exception):
    """Report a fault that the user who started the job can correct."""


@pytest.fixture
def job() -> BulkJob:
    return BulkJob.objects.create(action="add_tags", options={"tags": ["vip"]}, total=4)


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(jobs, "_kinds", {})
    return lambda work, **options: jobs.register(
        BulkJob, work, **{"refusals": (Refusal,), **options}
    )


def count_to_four(job: BulkJob, turn: jobs.Turn) -> bool:
    for done in range(job.done + 1, 5):
        turn.save(done=done)
        if turn.is_over():
            return done < 4
    return False


def test_a_turn_resumes_after_the_last(job: BulkJob, register: Any) -> None:
    register(count_to_four)

    for done in (1, 2, 3):
        assert jobs.work_on(LABEL, job.pk, turn_seconds=0)
        job.refresh_from_db()
        assert (job.state, job.done, job.lease) == ("running", done, None)
    assert not jobs.work_on(LABEL, job.pk, turn_seconds=0)
    job.refresh_from_db()
    assert (job.state, job.done, job.progress) == ("finished", 4, 1)
    assert job.finished_at


def test_a_second_worker_leaves_a_leased_job_alone(job: BulkJob, register: Any) -> None:
    calls = []

    def work(job: BulkJob, turn: jobs.Turn) -> bool:
        calls.append(job.pk)
        assert not jobs.work_on(LABEL, job.pk)
        assert jobs.unattended(BulkJob) == []
        return False

    register(work)
    jobs.run(job)

    assert calls == [job.pk]


def test_a_worker_whose_lease_expired_writes_no_more(job: BulkJob, register: Any) -> None:
    def work(job: BulkJob, turn: jobs.Turn) -> bool:
        if not job.done:
            BulkJob.objects.update(leased_until=timezone.now() - timedelta(seconds=1), done=1)
            assert jobs.unattended(BulkJob) == [job.pk]
            jobs.run(job)
            turn.save(done=2)
        return False

    register(work)
    jobs.run(job)

    job.refresh_from_db()
    assert (job.state, job.done, job.error) == ("finished", 4, "")


def test_a_refusal_is_shown(job: BulkJob, register: Any) -> None:
    def work(job: BulkJob, turn: jobs.Turn) -> bool:
        raise Refusal("Choose another segment.")

    register(work)
    jobs.run(job)

    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", "Choose another segment.")


def test_a_fault_is_logged_and_not_shown(
    job: BulkJob, register: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def work(job: BulkJob, turn: jobs.Turn) -> bool:
        raise KeyError("secret")

    register(work)
    jobs.run(job)

    job.refresh_from_db()
    assert job.state == "failed"
    assert "secret" not in job.error
    assert "secret" in caplog.text


def test_a_retried_job_waits_and_keeps_its_error(job: BulkJob, register: Any) -> None:
    def work(job: BulkJob, turn: jobs.Turn) -> bool:
        raise KeyError

    register(work, is_retried=True)
    jobs.run(job)

    job.refresh_from_db()
    assert job.state == "running"
    assert job.error
    assert jobs.unattended(BulkJob) == []
    BulkJob.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert jobs.unattended(BulkJob) == [job.pk]


def test_the_sweep_queues_unattended_jobs(
    job: BulkJob, register: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    nudged: list[Any] = []
    monkeypatch.setattr(jobs, "nudge", lambda *args, expires: nudged.append((args, expires)))
    register(count_to_four)
    BulkJob.objects.create(action="export", state="finished")

    jobs.sweep()

    assert nudged == [((jobs.TASK, LABEL, job.pk), jobs.SWEEP_SECONDS)]


def test_cancelling_stops_the_worker(job: BulkJob, register: Any, staff_client: Client) -> None:
    url = reverse("admin:customers_bulkjob_cancel", args=[job.pk])
    page = reverse("admin:customers_bulkjob_change", args=[job.pk])

    def work(job: BulkJob, turn: jobs.Turn) -> bool:
        assert "Cancel" in staff_client.get(page).content.decode()
        staff_client.post(url)
        turn.save(done=4)
        return False

    register(work)
    jobs.run(job)

    job.refresh_from_db()
    assert (job.state, job.done) == ("failed", 0)
    assert "Cancelled by" in staff_client.get(page).content.decode()
    staff_client.post(url)
    assert BulkJob.objects.get().finished_at == job.finished_at
