"""Events of the site's own, by their names: logged_in is "logged in"."""

from __future__ import annotations

from customers.segments.from_text.amounts import times
from customers.segments.from_text.conditions import happened
from customers.segments.from_text.periods import period
from customers.segments.from_text.phrase import Phrase, Rule


def happened_here(phrase: Phrase) -> Rule | None:
    """Webinar attended twice this month; logged in at least three times."""
    count = times(phrase)
    event = phrase.take_name("event")
    if event is None:
        return None
    count = count or times(phrase)
    when = period(phrase)
    return happened(event.value, count or times(phrase), when)


CLAUSES = (happened_here,)
