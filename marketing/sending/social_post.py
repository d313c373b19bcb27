"""Publish a social campaign: one post for each batch, by accounts that take an idempotency key, so that a post sent twice appears once."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from crm.api import ids
from customers.models import Customer
from marketing.channels import Message, SendError, TransientError, connect
from marketing.content import Renderer, Tracking, customer_context, replace_in_text
from marketing.messages import batches
from marketing.messages.due import retry_delay
from marketing.messages.plan import SendPlan
from marketing.models import CampaignRun, RunPost

NO_RECIPIENT = Tracking(unsubscribe="")

State = CampaignRun.State


def is_due(batch: CampaignRun) -> bool:
    """Return whether the batch's post is to be published, or retried, now."""
    post = RunPost.objects.filter(run=batch).first()
    return post is None or (post.posted_at is None and post.next_attempt_at <= timezone.now())


def publish(batch: CampaignRun, plan: SendPlan) -> None:
    """Publish the post, unless that is done or another worker does it, and finish the batch; a refused post holds the batch.

    Safe to call any number of times, from any number of workers.
    """
    CampaignRun.objects.filter(pk=batch.pk, state__in=[State.QUEUED, State.MATERIALISING]).update(
        state=State.SENDING, started_at=timezone.now()
    )
    post, _created = RunPost.objects.get_or_create(run=batch)
    if post.posted_at is None and _claim(batch):
        _attempt(batch, plan, post.attempts + 1)
    if RunPost.objects.filter(run=batch, posted_at__isnull=False).exists():
        batches.finish(batch)


def _claim(batch: CampaignRun) -> bool:
    """Claim the attempt for this worker; another one may claim it when the lease has ended."""
    now = timezone.now()
    lease = timedelta(seconds=settings.SENDING_LEASE_SECONDS)
    due = RunPost.objects.filter(
        run=batch, run__state=State.SENDING, posted_at=None, next_attempt_at__lte=now
    )
    return bool(due.update(next_attempt_at=now + lease, attempts=F("attempts") + 1))


def _attempt(batch: CampaignRun, plan: SendPlan, attempts: int) -> None:
    row = RunPost.objects.filter(run=batch)
    now = timezone.now()
    try:
        with connect(plan.sender) as connection:
            receipt = connection.send(_message(batch, plan))
    except TransientError as error:
        if attempts < settings.SENDING_MAX_ATTEMPTS:
            wait = timedelta(seconds=error.retry_after or 0) + retry_delay(attempts)
            row.update(next_attempt_at=now + wait, error=str(error))
            return
        _give_up(batch, str(error))
    except SendError as error:
        _give_up(batch, str(error))
    else:
        row.update(
            posted_at=now, provider_id=receipt.provider_id[:255], url=receipt.url[:2000], error=""
        )


def _give_up(batch: CampaignRun, error: str) -> None:
    """Pause the batch with the provider's error; it starts again when a user resumes it."""
    RunPost.objects.filter(run=batch).update(
        error=error, attempts=0, next_attempt_at=timezone.now()
    )
    batches.hold(batch, reason=CampaignRun.PauseReason.PROVIDER, detail=error)


def _message(batch: CampaignRun, plan: SendPlan) -> Message:
    """Return the post. It has no recipient: variables of the customer are empty, and its links are tagged but not tracked."""
    renderer = Renderer(plan.version, campaign_name=plan.name)
    content = renderer.render(customer_context(Customer()), NO_RECIPIENT)
    return Message(
        key=ids.encode("post", batch.pk),
        to_address="",
        to_name="",
        from_address=plan.sender.from_address,
        from_name=plan.sender.from_name,
        reply_to="",
        subject=content.subject,
        html="",
        text=replace_in_text(content.text, plan.utm.tag),
    )
