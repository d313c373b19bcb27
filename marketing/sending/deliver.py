"""One worker's turn at a run: collect its audience, then send what it can hold."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable

from django.db import transaction

from crm.api import ids
from marketing.campaigns import lifecycle
from marketing.channels import registry
from marketing.channels.base import Connection, Message, TransientError
from marketing.content.liquid import ContentError
from marketing.models import CampaignExecution, CampaignRun
from marketing.sending import claim, last_look, snapshot
from marketing.sending.contents import Contents
from marketing.sending.outcome import Outcome, hand_over, skip_as_invalid, write_down

logger = logging.getLogger(__name__)

TURN_SECONDS = 2.0
"""A turn ends after this time, so that other work of the worker gets its own."""

Clock = Callable[[], float]


def work_on(
    run_id: int, *, turn_seconds: float = TURN_SECONDS, clock: Clock = time.monotonic
) -> bool:
    """Do one turn of a run; True when there is more to do at once.

    Safe to call any number of times, from any number of workers, for a run in any state.
    """
    ends_at = clock() + turn_seconds
    run = _load(run_id)
    if run is None:
        return False
    snapshot.begin(run)
    while snapshot.take_chunk(run_id):
        if clock() >= ends_at:
            return True
    run = _load(run_id)
    if run is None or run.state != CampaignRun.State.SENDING:
        return False
    try:
        more = _send_until(run, lambda: clock() >= ends_at)
    except TransientError as error:
        _note_error(run, str(error))
        return False
    if not more:
        lifecycle.finish_run(run)
    return more


def _load(run_id: int) -> CampaignRun | None:
    return (
        CampaignRun.objects.select_related("campaign__topic", "sender", "version")
        .filter(pk=run_id, state__in=["queued", "materialising", "sending"])
        .first()
    )


def _send_until(run: CampaignRun, time_is_up: Callable[[], bool]) -> bool:
    """Send batches until there is nothing due or the time is up; True in the latter case.

    Raises TransientError when the provider cannot be reached at all: then no message is counted as tried.
    """
    if not claim.has_due(run):
        return False
    lease = uuid.uuid4()
    contents = Contents(run)
    try:
        with registry.get(run.sender.provider).connect(run.sender) as provider:
            _note_error(run, "")
            while batch := claim.hold_batch(run, lease):
                Dispatcher(run, contents, provider, lease).send(batch, time_is_up)
                if time_is_up():
                    return True
    finally:
        claim.let_go(lease, run)
    return False


class Dispatcher:
    """Sends held messages one after the other, with one commit between each two: the outcome of the last and the mark of the next."""

    def __init__(
        self,
        run: CampaignRun,
        contents: Contents,
        provider: Connection,
        lease: uuid.UUID,
    ) -> None:
        self.run = run
        self.contents = contents
        self.provider = provider
        self.lease = lease

    def send(self, batch: list[CampaignExecution], time_is_up: Callable[[], bool]) -> None:
        last: tuple[CampaignExecution, Outcome] | None = None
        for execution in last_look.pass_over(self.run, self.lease, batch):
            if time_is_up():
                break
            message = self._render(execution)
            if message is None:
                continue
            with transaction.atomic():
                if last:
                    write_down(self.run, last[0], self.lease, last[1])
                mine = claim.mark_sending(self.run, execution, self.lease)
            last = None
            if mine:
                outcome = hand_over(self.provider, message, attempts=execution.attempts)
                last = (execution, outcome)
        if last:
            with transaction.atomic():
                write_down(self.run, last[0], self.lease, last[1])

    def _render(self, execution: CampaignExecution) -> Message | None:
        """The message, or None after noting that it cannot be rendered for this person."""
        try:
            content, tracking = self.contents.render(execution)
        except ContentError as error:
            skip_as_invalid(execution, self.lease, str(error))
            return None
        sender = self.run.sender
        return Message(
            key=message_key(execution.pk),
            to_address=execution.address,
            to_name=execution.customer.name,
            from_address=sender.from_address,
            from_name=sender.from_name,
            reply_to=sender.reply_to,
            subject=content.subject,
            html=content.html,
            text=content.text,
            headers=unsubscribe_headers(tracking.unsubscribe),
        )


def message_key(execution_id: int) -> str:
    """What names a message to providers on every attempt."""
    return ids.encode("msg", execution_id)


def unsubscribe_headers(url: str) -> dict[str, str]:
    """One-click unsubscription (RFC 8058), which takes List-Unsubscribe (RFC 2369) with it."""
    return {
        "List-Unsubscribe": f"<{url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def _note_error(run: CampaignRun, error: str) -> None:
    if run.error != error:
        logger.warning("%s: %s", run, error or "the provider answers again")
        CampaignRun.objects.filter(pk=run.pk).update(error=error)
        run.error = error
