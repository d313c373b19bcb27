"""A social campaign posts once for the whole run, by an account that takes an idempotency key: asked twice, it posts once."""

from __future__ import annotations

import re
from datetime import timedelta

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from crm.api import ids
from customers.models import Customer
from customers.models.consent import Channel
from marketing.channels import registry
from marketing.channels.base import Message, SendError, TransientError
from marketing.content import links, utm
from marketing.content.context import customer_context
from marketing.content.render import Renderer, Tracking
from marketing.messages import batches
from marketing.models import CampaignRun, RunPost
from marketing.sending.backoff import retry_delay

NO_RECIPIENT = Tracking(links={}, unsubscribe="")


def is_post(run: CampaignRun) -> bool:
    return run.campaign.channel == Channel.SOCIAL


def is_due(run: CampaignRun) -> bool:
    """Whether the run's post is to be made, or tried again, now."""
    post = RunPost.objects.filter(run=run).first()
    return post is None or (post.posted_at is None and post.next_attempt_at <= timezone.now())


def make(run: CampaignRun) -> None:
    """Post what the run says, unless that was done or somebody is at it, and end the run; a post that is refused pauses it.

    Safe to call any number of times, from any number of workers.
    """
    State = CampaignRun.State
    CampaignRun.objects.filter(pk=run.pk, state__in=[State.QUEUED, State.MATERIALISING]).update(
        state=State.SENDING, started_at=timezone.now()
    )
    post, _created = RunPost.objects.get_or_create(run=run)
    if post.posted_at is None and _take(run):
        _attempt(run, post.attempts + 1)
    if RunPost.objects.filter(run=run, posted_at__isnull=False).exists():
        batches.finish(run)


def _take(run: CampaignRun) -> bool:
    """Be the one worker that tries; one that dies meanwhile is followed by another once its lease is over."""
    now = timezone.now()
    lease = timedelta(seconds=settings.SENDING_LEASE_SECONDS)
    due = RunPost.objects.filter(
        run=run,
        run__state=CampaignRun.State.SENDING,
        posted_at=None,
        next_attempt_at__lte=now,
    )
    return bool(due.update(next_attempt_at=now + lease, attempts=F("attempts") + 1))


def _attempt(run: CampaignRun, attempts: int) -> None:
    row = RunPost.objects.filter(run=run)
    now = timezone.now()
    try:
        with registry.connect(run.sender) as connection:
            receipt = connection.send(_message(run))
    except TransientError as error:
        if attempts < settings.SENDING_MAX_ATTEMPTS:
            wait = timedelta(seconds=error.retry_after or 0) + retry_delay(attempts)
            row.update(next_attempt_at=now + wait, error=str(error))
            return
        _give_up(run, str(error))
    except SendError as error:
        _give_up(run, str(error))
    else:
        row.update(
            posted_at=now, provider_id=receipt.provider_id[:255], url=receipt.url[:2000], error=""
        )


def _give_up(run: CampaignRun, error: str) -> None:
    """Pause, so that somebody can mend it and let it go on, which tries anew."""
    RunPost.objects.filter(run=run).update(error=error, attempts=0, next_attempt_at=timezone.now())
    batches.hold(run, reason=CampaignRun.PauseReason.PROVIDER, detail=error)


def _message(run: CampaignRun) -> Message:
    """The post, for no person: what names one is empty. Its links are not led through us, since nobody in particular follows them."""
    renderer = Renderer(run.version, campaign_name=run.campaign.name)
    content = renderer.render(customer_context(Customer()), NO_RECIPIENT)
    return Message(
        key=ids.encode("post", run.pk),
        to_address="",
        to_name="",
        from_address=run.sender.from_address,
        from_name=run.sender.from_name,
        reply_to="",
        subject=content.subject,
        html="",
        text=links.IN_TEXT.sub(lambda found: _tagged(found, run), content.text),
    )


def _tagged(found: re.Match[str], run: CampaignRun) -> str:
    return utm.tagged(found[0], run.campaign)
