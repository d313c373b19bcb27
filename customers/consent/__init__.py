"""Consent: opt-ins by channel and topic, pauses, and the suppression list."""

from customers.consent.by_address import (
    erased_among,
    forget_all_erased,
    forget_erased,
    remember_erased,
)
from customers.consent.decisions import (
    ask_many,
    opt_in,
    opt_in_addresses,
    opt_in_many,
    opt_out,
    opt_out_addresses,
    opt_out_many,
    opt_out_of,
    opt_out_with_address,
)
from customers.consent.preferences import (
    opt_out_of_everything,
    pause,
    paused_until,
    preferences_of,
    resume,
    set_preferences,
)
from customers.consent.reach import has_no_address, is_suppressed, is_unwanted
from customers.consent.records import (
    OPTED_IN,
    PENDING,
    Wish,
    Wishes,
    combine,
    contradicted_opt_ins,
    hold_opt_outs,
    record_wishes,
    undecided,
    update_customers,
)
from customers.consent.suppressions import (
    Suppressed,
    addresses_in,
    blocks,
    normalised,
    suppress,
    suppress_many,
)
