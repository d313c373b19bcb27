"""Slugs: how rules, campaigns and the API name a segment."""

from __future__ import annotations

from itertools import count

from django.utils.text import slugify

from customers.models import Segment

LONGEST = 200


def free_slug(name: str) -> str:
    """A slug from a segment's name that no segment has yet: `big-spenders`, `big-spenders-2`."""
    stem = slugify(name)[: LONGEST - 10] or "segment"
    taken = set(Segment.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return next(
        slug
        for number in count(1)
        if (slug := stem if number == 1 else f"{stem}-{number}") not in taken
    )
