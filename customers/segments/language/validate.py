"""Segments that speak of segments: which, in which order to refresh them, and that they never go in a circle."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from customers.models import Segment
from customers.segments import personal
from customers.segments.language.ast import Attribute, Group, dump
from customers.segments.language.rules import RuleError, parse
from customers.segments.language.values import shown

FIELD = "segment"
MOST_NAMED = 10

_speakers: list[Callable[[str], Sequence[Model]]] = []


class InUse(ValueError):
    """Something else counts on the segment; `users` says what."""

    def __init__(self, users: Sequence[Model]) -> None:
        names = ", ".join(f"{user._meta.verbose_name} “{user}”" for user in users)
        super().__init__(_("It is used by: %(names)s.") % {"names": names})
        self.users = users


def check(rules: object, *, of: Segment | None = None) -> dict[str, Any]:
    """The canonical form of rules in which every segment that they name is known, and none leads back to the one that they are of;
    and that ask for nothing that is hidden from whoever wrote them.

    Raises RuleError.
    """
    tree = parse(rules)
    personal.check(tree)
    named = list(_named(tree))
    if named:
        errors = [*_unknown(named), *_circular(named, of)]
        if errors:
            raise RuleError(errors)
    return dump(tree)


def in_order(segments: Iterable[Segment]) -> list[Segment]:
    """The segments, each after those that its rules speak of."""
    by_slug = {segment.slug: segment for segment in segments}
    graph = {slug: slugs_in(segment.rules) & by_slug.keys() for slug, segment in by_slug.items()}
    try:
        return [by_slug[slug] for slug in TopologicalSorter(graph).static_order()]
    except (
        CycleError
    ):  # two were saved at the same moment; each still follows the members that the others have now
        return list(by_slug.values())


def register(speaking_of: Callable[[str], Sequence[Model]]) -> None:
    """For apps above: what of theirs has rules that speak of the segment with a slug."""
    _speakers.append(speaking_of)


def check_may_be_renamed(segment: Segment) -> None:
    """Raise InUse where any rules speak of it, because they do so by its slug."""
    if users := _speaking_of(segment.slug):
        raise InUse(users)


def check_may_go(segment: Segment) -> None:
    """Raise InUse where any rules speak of it, or anything else has it: without it, that would be for other people."""
    if users := users_of(segment):
        raise InUse(users)


def users_of(segment: Segment) -> list[Model]:
    """What has rules that speak of it, and at most MOST_NAMED of each model that has segments, such as campaigns; each once."""
    users = _speaking_of(segment.slug)
    for relation in Segment._meta.related_objects:
        if relation.many_to_many:
            users += relation.related_model._default_manager.filter(
                **{relation.field.name: segment}
            )[:MOST_NAMED]
    return list(dict.fromkeys(users))


def slugs_in(rules: object) -> set[str]:
    """The segments that rules speak of; none for rules that do not fit (any more), which are told of elsewhere."""
    try:
        return {slug for _path, slug in _named(parse(rules))}
    except RuleError:
        return set()


def _speaking_of(slug: str) -> list[Model]:
    others = Segment.objects.exclude(slug=slug)
    users: list[Model] = [each for each in others if slug in slugs_in(each.rules)]
    for speaking_of in _speakers:
        users += speaking_of(slug)
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
    """(path, slug) of every segment that a rule names."""
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
