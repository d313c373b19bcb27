"""The steps of workflows: one module each in this folder."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from django.utils.translation import gettext as _

from marketing.workflows.reading import Fields
from marketing.workflows.steps.base import Step


@cache
def step_types() -> dict[str, type[Step]]:
    """Return the class of every step of this folder by its type."""
    found: dict[str, type[Step]] = {}
    for module_info in iter_modules(__path__):
        module = import_module(f"{__name__}.{module_info.name}")
        for value in list(vars(module).values()):
            if isinstance(value, type) and issubclass(value, Step) and hasattr(value, "type"):
                found[value.type] = value
    return found


def read(key: str, fields: Fields) -> Step | None:
    """Return the step that an object says; None after refusing an unknown type."""
    name = fields.raw("type")
    step = step_types().get(name) if isinstance(name, str) else None
    if step is None:
        known = ", ".join(sorted(step_types()))
        fields.refuse("type", _("Choose one of: %(known)s.") % {"known": known})
        for other in fields:
            fields.raw(other)
        return None
    return step.read(key, fields)
