"""nudge() names a registered task and sends it on commit."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.db import transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

import crm
from crm.nudge import nudge

ROOT = Path(crm.__file__).parent.parent
APPS = ("crm", "customers", "marketing", "analytics")


def nudges() -> Iterator[tuple[str, str]]:
    """Yield every call of nudge() in the project: its place and the name of its task."""
    for path in (path for app in APPS for path in (ROOT / app).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "nudge":
                place = path.relative_to(ROOT)
                module = import_module(".".join(place.with_suffix("").parts))
                yield f"{place}:{node.lineno}", eval(ast.unparse(node.args[0]), vars(module))


def test_every_nudged_name_is_a_registered_task() -> None:
    current_app.loader.import_default_modules()
    found = dict(nudges())

    unknown = {place: name for place, name in found.items() if name not in current_app.tasks}

    assert found
    assert unknown == {}


@pytest.mark.django_db
def test_a_task_is_sent_on_commit(
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(
        current_app, "send_task", lambda name, args, expires: sent.append((name, args, expires))
    )

    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        nudge("crm.tasks.heartbeat", 1, "two", expires=10)
        assert sent == []

    assert sent == [("crm.tasks.heartbeat", (1, "two"), 10)]
