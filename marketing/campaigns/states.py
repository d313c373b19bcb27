"""The states of a campaign, and the one UPDATE that changes them.

When two users (or two beats) make a move at once, one succeeds and the other gets an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from marketing.models import Campaign, CampaignRun

State = Campaign.State

MOVES: dict[str, frozenset[str]] = {
    State.DRAFT: frozenset({State.SCHEDULED, State.RUNNING, State.CANCELLED}),
    State.SCHEDULED: frozenset({State.SCHEDULED, State.RUNNING, State.CANCELLED}),
    State.RUNNING: frozenset({State.PAUSED, State.COMPLETED, State.CANCELLED}),
    State.PAUSED: frozenset({State.RUNNING, State.COMPLETED, State.CANCELLED}),
    State.COMPLETED: frozenset(),
    State.CANCELLED: frozenset(),
}
RECURRING_MOVES: dict[str, frozenset[str]] = {
    State.SCHEDULED: frozenset({State.PAUSED, State.COMPLETED}),
    State.RUNNING: frozenset({State.SCHEDULED}),
    State.PAUSED: frozenset({State.SCHEDULED}),
}
"""The further moves of a recurring campaign, which waits between two runs and can be paused or ended there."""


def may_start(campaign: Campaign) -> bool:
    """Return whether the campaign can start, or start again: it is not sent yet, repeats, or waits for an approval."""
    if campaign.is_editable:
        return True
    repeats = campaign.type != Campaign.Type.ONE_TIME
    if repeats and campaign.state in {State.RUNNING, State.PAUSED}:
        return True
    reason = CampaignRun.PauseReason.APPROVAL
    return campaign.runs.filter(state=CampaignRun.State.PAUSED, pause_reason=reason).exists()


class NotReady(ValueError):
    """The campaign cannot be sent as it is; the message says what is missing."""


class NobodyToSendTo(NotReady):
    """All customers of the audience would be skipped for one reason."""


class NotApproved(NotReady):
    """The campaign waits for approval by a user other than its author."""


class ImpossibleMove(Exception):
    """The campaign cannot go from its state to another; `possible` lists the states that it can go to."""

    def __init__(self, campaign: Campaign, wanted: str) -> None:
        self.possible = sorted(moves(campaign))
        super().__init__(
            _("A campaign that is %(state)s cannot become %(wanted)s; it can become: %(possible)s.")
            % {
                "state": State(campaign.state).label.lower(),
                "wanted": State(wanted).label.lower(),
                "possible": ", ".join(self.possible) or _("nothing else"),
            }
        )


def moves(campaign: Campaign, state: str = "") -> frozenset[str]:
    """Return the states that the campaign can go to from its own, or from the given one. One without a run is never completed."""
    state = state or campaign.state
    possible = MOVES[state]
    if campaign.recurs:
        possible |= RECURRING_MOVES.get(state, frozenset())
    return possible if campaign.launched_at else possible - {State.COMPLETED}


def move(
    campaign: Campaign,
    sources: Iterable[str],
    target: str,
    *,
    still: Mapping[str, Any] | None = None,
    **changes: Any,
) -> None:
    """Change the state of the row and of the object, if the row is in one of `sources` and is as in `still`.

    Raises ImpossibleMove.
    """
    allowed = [source for source in sources if target in moves(campaign, source)]
    moved = Campaign.objects.filter(pk=campaign.pk, state__in=allowed, **(still or {})).update(
        state=target, updated_at=timezone.now(), **changes
    )
    if not moved:
        campaign.refresh_from_db(fields=["state", "launched_at"])
        raise ImpossibleMove(campaign, target)
    campaign.state = target
    for name, value in changes.items():
        setattr(campaign, name, value)
