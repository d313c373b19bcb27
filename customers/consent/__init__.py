"""Consent: opt-ins by channel and topic, pauses, and the suppression list."""

from customers.consent.decisions import (
    OPTED_IN,
    OPTED_OUT,
    PENDING,
    Wishes,
    ask_many,
    opt_in,
    opt_in_many,
    opt_out,
    opt_out_many,
    record_wishes,
    undecided,
    update_customers,
)
from customers.consent.fingerprints import erased_among, forget_erased, remember_erased
from customers.consent.preferences import (
    opt_out_of_everything,
    pause,
    paused_until,
    preferences_of,
    resume,
    set_preferences,
)
from customers.consent.reach import has_no_address, is_suppressed, is_unwanted
from customers.consent.suppressions import (
    Suppressed,
    addresses_in,
    blocks,
    normalised,
    suppress,
    suppress_many,
)

__all__ = [
    "OPTED_IN",
    "OPTED_OUT",
    "PENDING",
    "Suppressed",
    "Wishes",
    "addresses_in",
    "ask_many",
    "blocks",
    "erased_among",
    "forget_erased",
    "has_no_address",
    "is_suppressed",
    "is_unwanted",
    "normalised",
    "opt_in",
    "opt_in_many",
    "opt_out",
    "opt_out_many",
    "opt_out_of_everything",
    "pause",
    "paused_until",
    "preferences_of",
    "record_wishes",
    "remember_erased",
    "resume",
    "set_preferences",
    "suppress",
    "suppress_many",
    "undecided",
    "update_customers",
]
