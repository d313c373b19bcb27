"""Expand snippets into the content that renders them, so that a version needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _

from marketing.content import liquid, merge_tags
from marketing.content.liquid import ContentError
from marketing.models import CampaignTemplate, Snippet

TAG = re.compile(r"\{%-?\s*(?:render|include)\b(.*?)-?%\}", re.DOTALL)
CALL = re.compile(r"""\s*(["'])(?P<name>[\w-]+)\1\s*(?:,(?P<values>.*))?""", re.DOTALL)
VALUE = re.compile(r"""\s*(\w+)\s*:\s*("[^"]*"|'[^']*'|[\w.\[\]-]+)\s*(?:,|$)""")
MAX_DEPTH = 10


class SnippetInUse(ValueError):
    """Templates render the snippet."""


def expand(source: str) -> str:
    """Return the source with each `{% render 'name', title: 'Hello' %}` replaced by the snippet, its values assigned before it.

    `include` is the same. Raises ContentError for a snippet that does not exist, that contains itself, or a tag that is not of this form.
    """
    if not TAG.search(source):
        return source
    return _expand(source, dict(Snippet.objects.values_list("name", "body")), ())


def check_snippet(name: str, body: str) -> None:
    """Raises ContentError when a snippet of that name could not say this."""
    own = without(body)
    liquid.compile_template(own, html=True)
    merge_tags.refuse(own, takes_values=True)
    bodies = dict(Snippet.objects.values_list("name", "body")) | {name: body}
    _expand(body, bodies, (name,))


def users_of(name: str) -> list[str]:
    """Return the names of the templates and snippets that render a snippet directly."""
    tagged = [*_tagged(CampaignTemplate, "body"), *_tagged(CampaignTemplate, "plain_text")]
    tagged += _tagged(Snippet, "body")
    return sorted({user for user, source in tagged if name in names_in(source)})


def discard_snippet(snippet: Snippet) -> None:
    """Delete a snippet. Raises SnippetInUse when a template or snippet uses it."""
    if users := users_of(snippet.name):
        raise SnippetInUse(_("It is in use by %s.") % ", ".join(users[:10]))
    snippet.delete()


def without(source: str) -> str:
    """Return the source without the tags of its snippets, on the same lines."""
    return TAG.sub(lambda tag: "\n" * tag[0].count("\n"), source)


def names_in(source: str) -> set[str]:
    """Return the snippets that the source renders directly."""
    return {call["name"] for tag in TAG.findall(source) if (call := CALL.fullmatch(tag))}


def snippets_in(sources: Iterable[str]) -> list[Snippet]:
    """Return the snippets that the sources render, directly or within another, in the order of their names."""
    found: dict[str, Snippet] = {}
    wanted = set().union(*map(names_in, sources))
    while wanted:
        added = Snippet.objects.in_bulk(wanted, field_name="name")
        found |= added
        wanted = set().union(*(names_in(each.body) for each in added.values())) - found.keys()
    return [found[name] for name in sorted(found)]


def _tagged(model: type[CampaignTemplate] | type[Snippet], field: str) -> list[tuple[str, str]]:
    rows = model._default_manager.filter(**{f"{field}__contains": "{%"})
    return list(rows.values_list("name", field))


def _expand(source: str, bodies: dict[str, str], inside: tuple[str, ...]) -> str:
    def put_in(tag: re.Match[str]) -> str:
        line = source.count("\n", 0, tag.start()) + 1
        call = CALL.fullmatch(tag[1])
        if call is None:
            example = "{% render 'name', title: 'Hello' %}"
            raise ContentError(_("A snippet is put in by %s") % example, line=line)
        name = call["name"]
        if name not in bodies:
            raise ContentError(_("There is no snippet “%s”") % name, line=line)
        if name in inside or len(inside) == MAX_DEPTH:
            path = " → ".join([*inside, name])
            raise ContentError(_("Snippets contain one another: %s") % path)
        assigned = "".join(_assignments(call["values"] or "", line))
        return assigned + _expand(bodies[name], bodies, (*inside, name))

    expanded = TAG.sub(put_in, source)
    if len(expanded) > liquid.MAX_SOURCE:
        raise ContentError(_("With its snippets it is longer than a million characters."))
    return expanded


def _assignments(values: str, line: int) -> Iterator[str]:
    place = 0
    while place < len(values.rstrip()):
        value = VALUE.match(values, place)
        if value is None:
            raise ContentError(_("A snippet takes values as title: 'Hello'"), line=line)
        yield f"{{% assign {value[1]} = {value[2]} %}}"
        place = value.end()
