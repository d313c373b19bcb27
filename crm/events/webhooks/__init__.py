"""Webhooks: endpoints outside receive the events that they subscribe to, signed, in order and with retries."""

from crm.events.webhooks.endpoints import (
    MOVED,
    create,
    is_secret,
    note_failure,
    note_success,
    rotate,
    signed,
    switch_on,
)
from crm.events.webhooks.queue import any_subscribes, failed_since, replay, send_test
