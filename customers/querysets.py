"""Sentences over customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models.functions import Lower

if TYPE_CHECKING:
    from customers.models import Customer  # noqa: F401


SEARCHED = ("email", "external_id", "first_name", "last_name")


class CustomerQuerySet(models.QuerySet["Customer"]):
    def search(self, text: str) -> CustomerQuerySet:
        """Those of whom every word begins the e-mail, the external id, the first or the last name."""
        found = self.alias(**{f"{field}_begins": Lower(field) for field in SEARCHED})
        for word in text.lower().replace("\x00", "").split():
            found = found.filter(
                models.Q(
                    *((f"{field}_begins__startswith", word) for field in SEARCHED),
                    _connector=models.Q.OR,
                )
            )
        return found
