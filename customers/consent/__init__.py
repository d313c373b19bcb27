"""What customers allow: by channel and topic, for a time, and which addresses are never written to."""

from customers.consent.decisions import (
    OPTED_IN,
    OPTED_OUT,
    PENDING,
    ask_many,
    opt_in,
    opt_in_many,
    opt_out,
    opt_out_many,
    undecided,
)
from customers.consent.suppressions import suppress, suppress_many

__all__ = [
    "OPTED_IN",
    "OPTED_OUT",
    "PENDING",
    "ask_many",
    "opt_in",
    "opt_in_many",
    "opt_out",
    "opt_out_many",
    "suppress",
    "suppress_many",
    "undecided",
]
