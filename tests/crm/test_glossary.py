"""Labels, docstrings and task names speak the words of docs/glossary.md."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import crm

ROOT = Path(crm.__file__).parent.parent
APPS = ("crm", "customers", "marketing", "analytics")
GETTEXT = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}
TASKS = {"recurring", "task", "shared_task"}
BANNED = re.compile(
    r"\b(told|tells?|said|kept|put by|tak(?:e|es|en|ing) in|held|lets? go|tak(?:e|es|en) back|owed|c[ao]me of|bec[ao]me of|beside"
    r"|machines?|lots?|happenings?|misfits?|the outside|whoever|whom|those who|nobody|somebody|everybody|anybody|work(?:s|ed)? out"
    r"|so many|so long|g(?:o|oes|oing) on|comes? to rest|be written to|what there is|anew|ask(?:s|ed)? for|of (?:ours|theirs))\b",
    re.IGNORECASE,
)
NO_SUBJECT = re.compile(r"(Who|Whose|Whom|Whoever|What|Those)\b")
NO_VERB = re.compile(
    r"(Whether|Where|Which|How|When|Why|Nothing|None|True|False|Of|As|By|For|From|In|On|To|With|Without|An?|The|Every|All|Each|Its?)\b"
)
"""A function's docstring starts with a verb, not with these words."""


def labels(tree: ast.AST) -> Iterator[str]:
    """Yield the texts of gettext and the names of tasks."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in GETTEXT or name in TASKS:
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value


def docstrings(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Yield every documented module, class and function with the first line of its docstring."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield node, text.split("\n\n")[0].replace("\n", " ")


def template_labels(text: str) -> Iterator[str]:
    """Yield the translatable texts of a template."""
    yield from re.findall(r"{%\s*trans(?:late)?\s+[\"'](.*?)[\"']\s*%}", text)
    for body in re.findall(
        r"{%\s*blocktrans(?:late)?.*?%}(.*?){%\s*endblocktrans", text, re.DOTALL
    ):
        yield re.sub(r"{[{%].*?[}%]}", "…", body)


def offences(path: Path) -> Iterator[str]:
    """Yield each label and docstring of a file that breaks the rules."""
    text = path.read_text()
    if path.suffix != ".py":
        yield from (label for label in template_labels(text) if BANNED.search(label))
        return
    tree = ast.parse(text)
    yield from (label for label in labels(tree) if BANNED.search(label))
    for node, first in docstrings(tree):
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (
            BANNED.search(first)
            or NO_SUBJECT.match(first)
            or (is_function and NO_VERB.match(first))
        ):
            yield first


def sources() -> list[Path]:
    python = [path for app in APPS for path in sorted((ROOT / app).rglob("*.py"))]
    templates = sorted((ROOT / "templates").rglob("*.*"))
    return [path for path in python + templates if "migrations" not in path.parts]


def test_labels_docstrings_and_tasks_speak_the_glossary() -> None:
    offending = {str(path): texts for path in sources() if (texts := list(offences(path)))}

    assert not offending, f"use the words of docs/glossary.md: {json.dumps(offending, indent=1)}"


@pytest.mark.parametrize(
    ("source", "number"),
    [
        ('def who():\n    """Who got it."""', 1),
        ('def who():\n    """Return ids of customers who received it."""', 0),
        ('label = _("Nobody is owed the orders")', 1),
        ('@recurring("tell the outside", every=1)\ndef task(): ...', 1),
        ('"""Attribution: what came of orders."""', 1),
    ],
)
def test_the_rules_find_banned_words(source: str, number: int, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(source)
    assert len(list(offences(path))) == number
