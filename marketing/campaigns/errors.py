"""What keeps a campaign from being sent."""

from __future__ import annotations


class NotReady(ValueError):
    """The campaign cannot be sent as it is; the message says what is missing."""


class NotApproved(NotReady):
    """The campaign waits for somebody who did not write it to approve it."""
