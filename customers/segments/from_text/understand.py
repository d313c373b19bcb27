"""Read a description in English as rules: by a language model if one is configured, else by the grammar."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from crm import llm
from crm.api import places
from customers.segments.from_text import by_model, grammar
from customers.segments.from_text.understood import Understood

logger = logging.getLogger(__name__)

LONGEST_DESCRIPTION = 2_000


class DescriptionTooLong(ValueError):
    """The description has more than LONGEST_DESCRIPTION characters."""

    def __init__(self) -> None:
        super().__init__(
            _("The description is longer than %s characters.") % f"{LONGEST_DESCRIPTION:,}"
        )


def understand(description: str, *, now: datetime | None = None) -> Understood:
    """Read a description as rules, as of `now`. Raises DescriptionTooLong, and NoPlace in a request.

    If the model fails, the grammar reads it and the explanation says so.
    """
    if len(description) > LONGEST_DESCRIPTION:
        raise DescriptionTooLong
    places.count()
    now = now or timezone.now()
    if not llm.is_configured():
        return grammar.understand(description, now)
    try:
        return by_model.understand(description, now)
    except llm.NoAnswer as failure:
        logger.warning("The model did not read a description: %s.", failure)
        read = grammar.understand(description, now)
        reason = _("The model gave no usable answer (%s), so the grammar read this.") % failure
        return replace(read, explanation=f"{read.explanation} {reason}")
