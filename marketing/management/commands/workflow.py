"""Exchange workflows as files in JSON or YAML."""

from __future__ import annotations

import sys
from difflib import unified_diff
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketing import workflows
from marketing.models import Workflow

SETTINGS = ("slug", "name", "description", "timezone", "tags")


class Command(BaseCommand):
    help = gettext_lazy("Export and import workflows as JSON or YAML, or compare them with files.")  # type: ignore[assignment]

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        export = actions.add_parser("export", help=_("write a workflow to the standard output"))
        export.add_argument("slug")
        export.add_argument("--format", choices=("yaml", "json"), default="yaml")
        bring = actions.add_parser("import", help=_("create a draft, or update that of the slug"))
        bring.add_argument("file", type=Path, help=_("- is the standard input"))
        diff = actions.add_parser("diff", help=_("show what an import of a file would change"))
        diff.add_argument("file", type=Path, help=_("- is the standard input"))
        recount = actions.add_parser("recount", help=_("count the figures of a workflow again"))
        recount.add_argument("slug")
        for each in (export, diff):
            each.add_argument(
                "--version", type=int, dest="number", metavar="N",
                help=_("a published version; the draft by default"),
            )  # fmt: skip

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        match action:
            case "export":
                found = _document(_workflow(options["slug"]), options["number"])
                write = workflows.as_yaml if options["format"] == "yaml" else workflows.as_text
                self.stdout.write(write(found), ending="")
            case "recount":
                workflows.rebuild(_workflow(options["slug"]))
            case "import":
                self.stdout.write(_import(_read(options["file"])))
            case _:
                self.stdout.writelines(_diff(_read(options["file"]), options["number"]))


def _workflow(slug: str) -> Workflow:
    workflow = Workflow.objects.filter(slug=slug).first()
    if workflow is None:
        raise CommandError(_("There is no workflow “%(slug)s”.") % {"slug": slug})
    return workflow


def _document(workflow: Workflow, number: int | None = None) -> dict[str, Any]:
    """Return a workflow as it is written to a file, with its draft or a published version. Raises CommandError."""
    definition = workflow.draft
    if number is not None:
        version = workflow.versions.filter(number=number).first()
        if version is None:
            raise CommandError(_("There is no version %(number)s.") % {"number": number})
        definition = version.definition
    return {**{each: getattr(workflow, each) for each in SETTINGS}, "definition": definition}


def _read(file: Path) -> dict[str, Any]:
    """Return the document of a file. Raises CommandError with each error and its path."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text()
        found = workflows.parsed(text)
    except (OSError, UnicodeDecodeError, workflows.Unreadable) as error:
        raise CommandError(str(error)) from error
    known = {*SETTINGS, "definition"}
    if not isinstance(found, dict) or not isinstance(found.get("slug"), str) or {*found} - known:
        raise CommandError(
            _("Give a slug, a definition, and only these keys: %s.") % ", ".join(sorted(known))
        )
    try:
        workflows.read(found.get("definition"))
    except workflows.DefinitionError as error:
        raise CommandError(
            "\n".join(f"{each['path']}: {each['message']}" for each in error.errors)
        ) from error
    return found


def _import(found: dict[str, Any]) -> str:
    """Save the draft; returns what was done. Raises CommandError."""
    workflow = Workflow.objects.filter(slug=found["slug"]).first()
    is_new = workflow is None
    workflow = workflow or Workflow(name=found["slug"])
    for name in SETTINGS:
        setattr(workflow, name, found.get(name, getattr(workflow, name)))
    workflow.draft = found["definition"]
    try:
        workflow.clean_fields()
    except ValidationError as error:
        raise CommandError("\n".join(error.messages)) from error
    if workflow.timezone not in available_timezones():
        raise CommandError(_("There is no time zone “%(zone)s”.") % {"zone": workflow.timezone})
    workflows.save_draft(workflow, found["definition"], by=None)
    done = _("Created the draft “%(slug)s”.") if is_new else _("Updated the draft “%(slug)s”.")
    return done % {"slug": workflow.slug}


def _diff(found: dict[str, Any], number: int | None) -> list[str]:
    """Return the lines of a unified diff from the stored workflow to the file; all settings that it leaves out stay."""
    stored = _document(_workflow(found["slug"]), number)
    after = {name: found.get(name, value) for name, value in stored.items()}
    before, later = (workflows.as_yaml(each).splitlines(keepends=True) for each in (stored, after))
    return list(unified_diff(before, later, _("stored"), _("file")))
