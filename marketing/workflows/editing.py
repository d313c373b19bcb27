"""Definitions in an editor: the forms of entries and steps, a draft in words, and its problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.utils.translation import gettext_lazy

from marketing.models import Workflow
from marketing.workflows import entry_kinds, steps
from marketing.workflows.checks import check
from marketing.workflows.entry_kinds import Entry
from marketing.workflows.forms import Form, Setting
from marketing.workflows.reading import DefinitionError, Fields
from marketing.workflows.steps import Step

WORKFLOW_FORM: Form = (
    Setting(
        "reentry",
        "reentry",
        gettext_lazy("Re-entry"),
        gettext_lazy("Without it, a customer enters once; on a schedule, each time."),
        optional=True,
    ),
    Setting(
        "exit_when",
        "exits",
        gettext_lazy("Exit at any moment"),
        gettext_lazy("Messages that have not left are skipped."),
        optional=True,
    ),
    Setting("goal", "goal", gettext_lazy("Goal"), optional=True),
    Setting(
        "holdout_percent",
        "number",
        gettext_lazy("Holdout in percent"),
        gettext_lazy("These customers leave at once; their goals are counted for comparison."),
        optional=True,
    ),
)


ORDER = ("send", "wait", "wait_for", "split", "experiment", "update", "list", "emit")
"""The types of steps that an editor offers first."""


def description() -> dict[str, Any]:
    """Return the forms of entries, steps and the workflow itself, as JSON."""
    return {
        "steps": [
            {
                "type": name,
                "label": str(step.label),
                "icon": step.icon,
                "form": [each.as_data() for each in step.form],
                "initial": step.initial,
                "branches": {branch: str(label) for branch, label in step.branches.items()},
                "joins": step.joins,
            }
            for name, step in sorted(steps.step_types().items(), key=_place)
        ],
        "entries": [
            {
                "on": kind,
                "label": str(label),
                "form": [each.as_data() for each in (*form, entry_kinds.AUDIENCE)],
                "initial": entry_kinds.INITIAL.get(kind, {}),
            }
            for kind, (label, form) in entry_kinds.FORMS.items()
        ],
        "workflow": [each.as_data() for each in WORKFLOW_FORM],
    }


def in_words(document: object) -> dict[str, Any]:
    """Return what the entry and each step of a draft do, in words; "" for what cannot be read."""
    given = document if isinstance(document, Mapping) else {}
    of_steps = given.get("steps")
    return {
        "entry": entry_in_words(given),
        "steps": {
            key: _words(partial(steps.read, key), value)
            for key, value in (of_steps if isinstance(of_steps, Mapping) else {}).items()
        },
    }


def entry_in_words(document: Mapping[str, Any]) -> str:
    """Return what lets customers enter, in words; "" for an entry that cannot be read."""
    return _words(entry_kinds.read_entry, document.get("entry"))


def problems(document: object, workflow: Workflow) -> list[dict[str, str]]:
    """Return what keeps a draft of a workflow from being published, each with its path and message."""
    try:
        check(document, workflow)
    except DefinitionError as error:
        return error.errors
    return []


def _place(named: tuple[str, type[Step]]) -> tuple[int, str]:
    name, _step = named
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)


def _words(read: Callable[[Fields], Entry | Step | None], value: object) -> str:
    errors: list[dict[str, str]] = []
    found = read(Fields(value, "", errors))
    return "" if errors or found is None else found.in_words()
