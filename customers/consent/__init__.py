"""Consent: opt-ins by channel and topic, pauses, and the suppression list."""

from customers.consent.decisions import (
    OPTED_IN,
    PENDING,
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
