"""Workflows are exchanged as files, and a file is read as it is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from marketing import workflows
from marketing.models import Workflow
from tests.factories.workflows import define, make_workflow

WAIT = {"type": "wait", "for": "1h"}
FILE = """
slug: welcome
name: Welcome
definition:
  entry: {on: date, date: date_of_birth, at: 10:30, every_year: true}
  start: pause
  steps:
    pause:
      type: wait
      until: 2027-01-01T09:00+01:00
"""


def run(*arguments: Any) -> str:
    from io import StringIO

    out = StringIO()
    call_command("workflow", *map(str, arguments), stdout=out)
    return out.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("format", ["yaml", "json"])
def test_an_exported_workflow_can_be_imported(tmp_path: Path, format: str) -> None:
    entry = {"on": "date", "date": "date_of_birth", "at": "09:30"}
    made = make_workflow(
        define({"pause": WAIT}, entry=entry), name="Grüße", slug="hello", tags=["a"]
    )
    file = tmp_path / "workflow"
    file.write_text(run("export", "hello", "--format", format))
    assert run("diff", file) == ""
    Workflow.objects.filter(pk=made.pk).update(slug="other")
    assert "Created" in run("import", file)
    copy = Workflow.objects.get(slug="hello")
    assert (copy.name, copy.draft, copy.tags) == (made.name, made.draft, ["a"])
    assert (copy.state, copy.version) == ("draft", None)


@pytest.mark.django_db
def test_an_import_updates_the_draft_alone(tmp_path: Path) -> None:
    made = make_workflow(define({"pause": WAIT}), slug="welcome")
    file = tmp_path / "workflow.yaml"
    file.write_text(FILE)
    changed = [line for line in run("diff", file).splitlines() if line[0] in "+-"]
    assert changed[-2:] == ["-      for: 1h", "+      until: 2027-01-01T09:00+01:00"]
    assert "Updated" in run("import", file)
    made.refresh_from_db()
    assert made.draft["entry"] == {
        "on": "date", "date": "date_of_birth", "at": "10:30", "every_year": True,
    }  # fmt: skip
    assert made.name == "Welcome"
    assert made.version
    assert made.version.definition["steps"] == {"pause": WAIT}
    assert "for: 1h" in run("export", "welcome", "--version", 1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("slug: [", "neither JSON nor YAML"),
        ("{", "neither JSON nor YAML"),
        ("- a list", "Give a slug"),
        ("slug: x\nslug: y", "stands twice"),
        ("slug: x\ncolour: red", "only these keys"),
        ("slug: not a slug\ndefinition: {entry: {on: api}, steps: {}}", "valid"),
        ("slug: x\ntimezone: Moon\ndefinition: {entry: {on: api}, steps: {}}", "Moon"),
        (FILE.replace("on: date", "on: moon"), "entry.on"),
        (FILE.replace("type: wait", "type: dance"), "steps.pause.type"),
        ("!!python/object/apply:os.system [ls]", "neither JSON nor YAML"),
    ],
)
def test_a_faulty_file_is_refused(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "workflow.yaml"
    file.write_text(content)
    with pytest.raises(CommandError, match=message):
        run("import", file)
    assert not Workflow.objects.exists()


@pytest.mark.django_db
def test_an_unknown_workflow_is_refused() -> None:
    with pytest.raises(CommandError, match="no workflow"):
        run("export", "nowhere")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_a_document_is_read_as_it_was_written(document: Any) -> None:
    assert workflows.parsed(workflows.as_yaml(document)) == document
    assert workflows.parsed(json.dumps(document)) == document


@pytest.mark.parametrize(
    "word", ["on", "off", "yes", "no", "10:30", "010", "0x1F", "1_000", "2027-01-01", ".5", "="]
)
def test_a_word_of_older_yaml_stays_a_text(word: str) -> None:
    assert workflows.parsed(f"key: {word}") == {"key": word}
