"""Sending: workers send the messages of batches within the limits of the plan and the provider."""

from marketing.sending.breaker import close_breaker, reconnect
from marketing.sending.explain import WHY_SKIPPED, Moment, history, why
from marketing.sending.progress import Progress, done_and_sent, progress_of
from marketing.sending.quota import more_at
from marketing.sending.resolve_manually import NotUnconfirmed, resolve, resolve_all
from marketing.sending.turn import unattended_batches, work_on
