"""Check a definition before it is published: errors keep it from being published, warnings do not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from heapq import heappop, heappush

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.models import Interaction
from customers.segments import event_types
from customers.timeline.types import OWN
from marketing.content import ContentError, unknown, unknown_in
from marketing.messages import frequency_caps
from marketing.models import Workflow
from marketing.workflows.definition import Definition, published, read
from marketing.workflows.reading import DefinitionError
from marketing.workflows.steps.other_workflow import OtherWorkflow, Start
from marketing.workflows.steps.send import Send
from marketing.workflows.steps.wait_for import WaitFor

Found = Iterator[tuple[str, str]]
"""Paths and messages."""

GIVEN: Mapping[str, Collection[str]] = {"segment": (), "schedule": (), "date": ("date",)}
"""The properties of `entry` by the kind of entry; the others give any."""


def check(document: object, workflow: Workflow | None = None) -> Definition:
    """Return the definition of a draft that could be published. Raises DefinitionError with every error and its path."""
    definition = read(document)
    errors = [
        *_of_steps(definition),
        *((f"entry.{path}", message) for path, message in definition.entry.faults()),
        *_missing_variables(definition),
        *_hopeless_waits(definition),
        *_calls_of_itself(definition, workflow),
    ]
    if errors:
        raise DefinitionError([{"path": path, "message": message} for path, message in errors])
    return definition


def warnings_of(definition: Definition, workflow: Workflow | None = None) -> list[dict[str, str]]:
    """Return the path and the message of each doubt about a definition that could be published."""
    found = [
        *_unseen_properties(definition),
        *_unseen_events(definition),
        *_over_caps(definition),
        *_circles(definition, workflow),
    ]
    return [{"path": path, "message": message} for path, message in found]


def _of_steps(definition: Definition) -> Found:
    for key, step in definition.steps.items():
        for path, message in step.faults():
            yield f"steps.{key}.{path}" if path else f"steps.{key}", message


def _missing_variables(definition: Definition) -> Found:
    """Yield the variables of messages and texts that neither the entry nor a step gives."""
    given = GIVEN.get(definition.entry.on)
    for path, variable in _variables(definition):
        root, name = _parts_of(variable)
        if root == "entry" and given is not None and name not in given:
            yield path, _("Customers enter without “%(name)s”.") % {"name": variable}
        elif root == "steps" and not _answers(definition, name):
            yield path, _("No step gives “%(name)s”.") % {"name": variable}


def _answers(definition: Definition, key: str) -> bool:
    step = definition.steps.get(key)
    return step is not None and step.answers


def _variables(definition: Definition) -> Iterator[tuple[str, str]]:
    """Yield the path of each text and template, with each variable that its message brings with it."""
    for key, step in definition.steps.items():
        try:
            for path, text in step.texts():
                for variable in unknown([text], context=()):
                    yield f"steps.{key}.{path}", variable
            for path, template in step.templates():
                for variable in unknown_in(template, context=()):
                    yield f"steps.{key}.{path}", variable
        except ContentError:  # publishing names it when it freezes the content
            continue
    for place, condition in enumerate(definition.exits.events):
        for name, text in condition.match.items():
            for variable in unknown([text], context=()):
                yield f"exit_when[{place}].match.{name}", variable


def _parts_of(variable: str) -> tuple[str, str]:
    """Return the root of a variable and the name after it: entry and lines of `entry.lines[0].title`."""
    root, _dot, rest = variable.partition(".")
    return root, rest.partition(".")[0].partition("[")[0]


def _hopeless_waits(definition: Definition) -> Found:
    ending = {each.event for each in definition.exits.events if not each.where and not each.match}
    for key, step in definition.steps.items():
        if isinstance(step, WaitFor) and step.condition and step.condition.event in ending:
            yield (
                f"steps.{key}.event",
                _("This event ends the passage: remove it from exit_when, or wait for another."),
            )


def _calls_of_itself(definition: Definition, workflow: Workflow | None) -> Found:
    for key, step in definition.steps.items():
        if workflow and isinstance(step, OtherWorkflow) and step.workflow == workflow.slug:
            yield (
                f"steps.{key}.workflow",
                _("Name another workflow: go_to and reentry repeat this one."),
            )


def _unseen_properties(definition: Definition) -> Found:
    """Yield the properties of the entry event that its newest events do not have."""
    condition = definition.entry.condition
    if condition is None or condition.event in OWN:
        return
    seen = event_types.keys_in_use(condition.event)
    for path, variable in _variables(definition):
        root, name = _parts_of(variable)
        if seen and root == "entry" and name not in seen:
            yield (
                path,
                _("The newest events “%(event)s” have no “%(name)s”.")
                % {"event": condition.event, "name": name},
            )


def _unseen_events(definition: Definition) -> Found:
    for key, step in definition.steps.items():
        event = step.condition.event if isinstance(step, WaitFor) and step.condition else ""
        if event and event not in OWN and not Interaction.objects.filter(type=event).exists():
            yield (
                f"steps.{key}.event",
                _("No customer has had the event “%(event)s” yet.") % {"event": event},
            )


def _circles(definition: Definition, workflow: Workflow | None) -> Found:
    """Yield the start steps whose workflow starts this one, directly or by others."""
    for key, step in definition.steps.items():
        if workflow and isinstance(step, Start) and workflow.slug in _started_by(step.workflow):
            yield (
                f"steps.{key}.workflow",
                _("It starts this workflow, too: check the re-entry of both."),
            )


def _started_by(slug: str) -> set[str]:
    found: set[str] = set()
    ahead = [slug]
    while ahead:
        others = Workflow.objects.filter(slug=ahead.pop(), version__isnull=False)
        for version_id in others.values_list("version", flat=True):
            for step in published(version_id or 0).steps.values():
                if isinstance(step, Start) and step.workflow not in found:
                    found.add(step.workflow)
                    ahead.append(step.workflow)
    return found


def _over_caps(definition: Definition) -> Found:
    """Yield the send steps to which a way has more messages in the days of a frequency cap than it allows."""
    sends = {
        key: step
        for key, step in definition.steps.items()
        if isinstance(step, Send) and not step.ignores_caps
    }
    for channel in sorted({step.channel for step in sends.values()}):
        for cap in frequency_caps(channel):
            counted = [
                key for key, step in sends.items() if not cap.channel or step.channel == cap.channel
            ]
            for key in _reached(definition, counted, cap.messages + 1, timedelta(days=cap.days)):
                if sends[key].channel == channel:
                    yield (
                        f"steps.{key}",
                        ngettext(
                            "It is skipped for customers who take the shortest way: a frequency cap allows %(number)s message within"
                            " %(days)s days.",
                            "It is skipped for customers who take the shortest way: a frequency cap allows %(number)s messages within"
                            " %(days)s days.",
                            cap.messages,
                        )
                        % {"number": cap.messages, "days": cap.days},
                    )


def _reached(
    definition: Definition, counted: Sequence[str], number: int, within: timedelta
) -> list[str]:
    """Return the counted steps that can be the message of a number within a time, on the fastest way from another."""
    found: set[str] = set()
    for first in counted:
        fastest: dict[tuple[str, int], timedelta] = {}
        ahead: list[tuple[timedelta, str, int]] = [(timedelta(), first, 1)]
        while ahead:
            took, key, sent = heappop(ahead)
            if took >= within or fastest.get((key, sent), within) <= took:
                continue
            fastest[key, sent] = took
            if sent == number and key in counted:
                found.add(key)
                continue
            step = definition.steps[key]
            for branch, target in step.next.items():
                if target is not None:
                    arrives = took + step.shortest(branch)
                    heappush(ahead, (arrives, target, sent + (target in counted)))
    return sorted(found)
