"""Decisions that rows bring: read from what sources write, and noted where they are news."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from django.conf import settings
from django.utils.translation import gettext as _

from customers import clean, consent
from customers.models.consent import Channel

Wishes = Mapping[tuple[str, str], bool]
"""(channel, topic) → wanted; an empty topic means all of the channel."""

LONGEST_TOPIC = 100


def wishes(value: object) -> dict[tuple[str, str], bool]:
    """`email, sms:offers, -push` or `{"email": true, "sms:offers": false}`. Raises ValueError for what is neither."""
    if isinstance(value, Mapping):
        return {_pair(str(key)): clean.boolean(wanted) for key, wanted in value.items()}
    found = {}
    for word in clean.text(value, longest=2_000).replace(";", ",").split(","):
        key = word.strip()
        if key:
            found[_pair(key.removeprefix("-"))] = not key.startswith("-")
    return found


def note(people: Iterable[tuple[int, Wishes]], evidence: str) -> set[int]:
    """Append the decisions of customers that are news; returns whose they are.

    With DOUBLE_OPT_IN, who is to get e-mail is asked to confirm, once.
    """
    by_decision: dict[tuple[str, str, bool], list[int]] = defaultdict(list)
    for pk, wanted in people:
        for (channel, topic), yes in wanted.items():
            by_decision[channel, topic, yes].append(pk)
    news: set[int] = set()
    for (channel, topic, yes), ids in by_decision.items():
        news.update(_note(ids, channel, topic, evidence, wanted=yes))
    return news


def _note(
    ids: Sequence[int], channel: str, topic: str, evidence: str, *, wanted: bool
) -> Sequence[int]:
    decision = consent.OPTED_IN if wanted else consent.OPTED_OUT
    changed = consent.undecided(ids, channel, decision, topic=topic)
    if wanted and settings.DOUBLE_OPT_IN and channel == Channel.EMAIL and not topic:
        changed = consent.undecided(changed, channel, consent.PENDING)
        consent.ask_many(changed, channel, evidence)
    elif changed:
        decide: Callable[..., None] = consent.opt_in_many if wanted else consent.opt_out_many
        decide(changed, channel, evidence, topic=topic)
    return changed


def _pair(key: str) -> tuple[str, str]:
    channel, _colon, topic = (part.strip().lower() for part in key.partition(":"))
    if channel not in Channel.values:
        known = ", ".join(Channel.values)
        raise ValueError(
            _("“%(given)s” is no channel; known are %(known)s.")
            % {"given": channel[:50], "known": known}
        )
    return channel, topic[:LONGEST_TOPIC]
