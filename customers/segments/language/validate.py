"""Validate rules against the data: personal fields, unknown segments and cycles of segments."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from crm import masking
from customers.models import Segment
from customers.segments.language import personal
from customers.segments.language.ast import Attribute, Group, dump
from customers.segments.language.rules import RuleError, parse
from customers.segments.language.values import shown

FIELD = "segment"
MOST_NAMED = 10

_registered_users: list[Callable[[str], Sequence[Model]]] = []


class SegmentInUse(ValueError):
    """Other objects use the segment; `users` lists them."""

    def __init__(self, users: Sequence[Model]) -> None:
        names = ", ".join(f"{user._meta.verbose_name} “{user}”" for user in users)
        super().__init__(_("It is used by: %(names)s.") % {"names": names})
        self.users = users


def validate_rules(rules: object, *, of: Segment | None = None) -> dict[str, Any]:
    """Return the canonical form of rules; `of` is the segment that they belong to.

    Raises RuleError for rules that do not fit the language, use a segment that does not exist or a cycle of segments, or
    compare personal data that the current user may not see.
    """
    tree = parse(rules)
    if masking.is_on():
        personal.check(tree)
    named = list(_named(tree))
    if named:
        errors = [*_unknown(named), *_circular(named, of)]
        if errors:
            raise RuleError(errors)
    return dump(tree)


def in_order(segments: Iterable[Segment]) -> list[Segment]:
    """Return the segments sorted so that each follows the segments its rules use."""
    by_slug = {segment.slug: segment for segment in segments}
    graph = {slug: slugs_in(segment.rules) & by_slug.keys() for slug, segment in by_slug.items()}
    try:
        return [by_slug[slug] for slug in TopologicalSorter(graph).static_order()]
    except CycleError:
        # Two were saved at the same moment. Each still follows the members that the others have now.
        return list(by_slug.values())


def register_users(users_of_slug: Callable[[str], Sequence[Model]]) -> None:
    """Add a function that returns the objects of an app above whose rules use a segment's slug."""
    _registered_users.append(users_of_slug)


def check_can_rename(segment: Segment) -> None:
    """Raise SegmentInUse if any rules use the segment: they do so by its slug."""
    if users := _users_of_slug(segment.slug):
        raise SegmentInUse(users)


def check_can_delete(segment: Segment) -> None:
    """Raise SegmentInUse if rules or other objects use the segment: their audience would change without it."""
    if users := users_of(segment):
        raise SegmentInUse(users)


def users_of(segment: Segment) -> list[Model]:
    """Return objects whose rules use the segment, and at most MOST_NAMED of each model that has segments, such as campaigns."""
    users = _users_of_slug(segment.slug)
    for relation in Segment._meta.related_objects:
        if relation.many_to_many:
            users += relation.related_model._default_manager.filter(
                **{relation.field.name: segment}
            )[:MOST_NAMED]
    return list(dict.fromkeys(users))


def slugs_in(rules: object) -> set[str]:
    """Return the slugs of the segments in rules; none for invalid rules, which are reported elsewhere."""
    try:
        return {slug for _path, slug in _named(parse(rules))}
    except RuleError:
        return set()


def _users_of_slug(slug: str) -> list[Model]:
    others = Segment.objects.exclude(slug=slug)
    users: list[Model] = [each for each in others if slug in slugs_in(each.rules)]
    for users_of_slug in _registered_users:
        users += users_of_slug(slug)
    return users


def _unknown(named: list[tuple[str, str]]) -> Iterator[dict[str, str]]:
    known = set(Segment.objects.values_list("slug", flat=True))
    for path, slug in named:
        if slug not in known:
            near = difflib.get_close_matches(slug, known, n=3, cutoff=0.5) or sorted(known)[:10]
            message = _("there is no segment %(slug)s.") % {"slug": shown(slug)}
            hint = _(" Known are %(known)s.") % {"known": ", ".join(near)} if near else ""
            yield {"path": path, "message": message + hint}


def _circular(named: list[tuple[str, str]], of: Segment | None) -> Iterator[dict[str, str]]:
    if of is None or of.pk is None:
        return
    stored = (
        Segment.objects.filter(kind=Segment.Kind.DYNAMIC)
        .exclude(pk=of.pk)
        .values_list("slug", "rules")
    )
    graph = {slug: slugs_in(rules) for slug, rules in stored}
    for path, slug in named:
        if of.slug in _reached_from(slug, graph):
            yield {
                "path": path,
                "message": _("the segment %(slug)s leads back to this one.")
                % {"slug": shown(slug)},
            }


def _reached_from(slug: str, graph: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    ahead = [slug]
    while ahead:
        slug = ahead.pop()
        if slug not in seen:
            seen.add(slug)
            ahead += graph.get(slug, ())
    return seen


def _named(group: Group, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (path, slug) of every segment in a rule."""
    for index, rule in enumerate(group.conditions):
        here = f"{path}.conditions[{index}]" if path else f"conditions[{index}]"
        if isinstance(rule, Group):
            yield from _named(rule, here)
        elif isinstance(rule, Attribute) and rule.field.name == FIELD and rule.value:
            if isinstance(rule.value, tuple):
                yield from (
                    (f"{here}.value[{at}]", str(slug)) for at, slug in enumerate(rule.value)
                )
            else:
                yield f"{here}.value", str(rule.value)
