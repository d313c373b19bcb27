"""A description in English → rules: by the model where one is configured and answers well, else by the grammar."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from crm import llm
from customers.segments.from_text import by_model, grammar
from customers.segments.from_text.understood import Understood

logger = logging.getLogger(__name__)

LONGEST = 2_000


class TooLong(ValueError):
    """More than anybody describes an audience with."""

    def __init__(self) -> None:
        super().__init__(_("The description is longer than %s characters.") % f"{LONGEST:,}")


def understand(description: str, *, now: datetime | None = None) -> Understood:
    """Read a description. `source` says which of the two did; where both might have, the explanation says why. Raises TooLong."""
    if len(description) > LONGEST:
        raise TooLong
    now = now or timezone.now()
    if not llm.is_configured():
        return grammar.understand(description, now)
    try:
        return by_model.understand(description, now)
    except llm.NoAnswer as failure:
        logger.warning("The model did not read a description: %s.", failure)
        read = grammar.understand(description, now)
        told = _("The model gave no usable answer (%s), so the grammar read this.") % failure
        return replace(read, explanation=f"{read.explanation} {told}")
