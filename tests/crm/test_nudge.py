"""A task is nudged by a name that no import checks, and not before its work is committed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
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


def nudges() -> Iterator[tuple[str, ast.expr]]:
    """Every call of nudge() in the project: where it is, and the task that it names."""
    for path in (path for app in APPS for path in (ROOT / app).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "nudge":
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node.args[0]


def test_every_nudged_name_is_a_registered_task() -> None:
    current_app.loader.import_default_modules()
    found = dict(nudges())

    unknown = {
        place: ast.unparse(name)
        for place, name in found.items()
        if not (isinstance(name, ast.Constant) and name.value in current_app.tasks)
    }

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
