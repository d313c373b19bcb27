"""Layers include every module and every foreign key, which import-linter does not check."""

from __future__ import annotations

import pkgutil
import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import Field, Model

import crm

ROOT = Path(crm.__file__).parent.parent


def layers() -> list[list[str]]:
    """Return the layers of the project, top first, each as its modules."""
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    project = next(each for each in configuration["contracts"] if each.get("id") == "project")
    return [layer.replace("|", ":").replace(":", " ").split() for layer in project["layers"]]


def height(module: str) -> int:
    """Return the index of the layer of a module. Raises StopIteration without one."""
    return next(
        -depth
        for depth, names in enumerate(layers())
        for name in names
        if f"{module}.".startswith(f"{name}.")
    )


def foreign_keys() -> list[Field]:
    ours = [model for model in apps.get_models() if model.__module__.split(".")[0] in APPS]
    return [field for model in ours for field in model._meta.get_fields() if is_foreign_key(field)]


def is_foreign_key(field: object) -> bool:
    return bool(getattr(field, "remote_field", None)) and bool(getattr(field, "concrete", False))


APPS = ("crm", "customers", "marketing", "analytics")


def test_every_module_of_crm_belongs_to_a_layer() -> None:
    named = {name for layer in layers() for name in layer}

    there = {f"crm.{module.name}" for module in pkgutil.iter_modules(crm.__path__)}

    assert there == {name for name in named if name.startswith("crm.")}


@pytest.mark.parametrize("field", foreign_keys(), ids=str)
def test_a_foreign_key_never_points_up(field: Field) -> None:
    target: type[Model] = field.related_model
    if target.__module__.split(".")[0] in APPS:
        assert height(target.__module__) <= height(field.model.__module__)
