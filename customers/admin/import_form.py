"""The two forms of an import (the file, the mapping of its columns), and the button to it on lists of records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, cast

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from crm.adminkit.base import ModelAdmin
from customers.ingest import (
    AS_DETECTED,
    ATTRIBUTE,
    DELIMITERS,
    ENCODINGS,
    ConsentAnswers,
    Reading,
    Refused,
    Sample,
    SlowFile,
    UnclearDates,
    UnreadableFile,
    beginning,
    consent_question,
    file_type,
    file_type_choices,
    reading_of,
)
from customers.models import ImportJob

PREVIEWED = 10
MEANINGS = [
    ("", _("Not answered")),
    ("opted_in", _("Opted in")),
    ("opted_out", _("Opted out")),
    ("nothing", _("No statement")),
]
EXAMPLES = 3


class ImportButton(ModelAdmin):
    """Mixin for admins (put it first); set `import_kind`."""

    import_kind = ""
    actions_list: Any = ("import_file",)
    change_list_template = "admin/customers/importable_list.html"

    @action(description=_("Import"), icon="upload_file", permissions=["import_file"])
    def import_file(self, request: HttpRequest) -> HttpResponse:
        return redirect(f"{reverse('admin:customers_importjob_add')}?kind={self.import_kind}")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {**(extra_context or {}), "import_kind": self.import_kind}
        return super().changelist_view(request, context)

    def has_import_file_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("customers.add_importjob")


class UploadForm(forms.ModelForm):
    kind = forms.ChoiceField(
        label=_("File type"), choices=file_type_choices, widget=UnfoldAdminSelectWidget
    )

    class Meta:
        model = ImportJob
        fields = ("kind", "file", "create_missing", "store")
        widgets = {
            "file": UnfoldAdminFileFieldWidget,
            "create_missing": UnfoldBooleanSwitchWidget,
        }
        help_texts = {
            "file": _(
                "CSV, TSV or JSON lines, plain or .gz, or a spreadsheet (.xlsx, .xls, .ods). The first line has the names of the columns."
            )
        }


class ReadingForm(forms.Form):
    """The detected encoding and separator, and how all columns write dates and numbers, to correct."""

    encoding = forms.ChoiceField(
        label=_("Encoding"), required=False, widget=UnfoldAdminSelectWidget
    )
    delimiter = forms.ChoiceField(
        label=_("Separator"), required=False, widget=UnfoldAdminSelectWidget
    )
    dates = forms.ChoiceField(
        label=_("1/2/2025 means"),
        choices=[
            ("", _("As detected")),
            ("month_first", _("2 January")),
            ("day_first", _("1 February")),
        ],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    decimal_sign = forms.ChoiceField(
        label=_("1,234 means"),
        choices=[("", _("As detected")), (".", _("1234")), (",", _("1.234"))],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, chosen: Reading, seen: Sample) -> None:
        super().__init__(initial=asdict(seen.reading) | {"encoding": chosen.encoding})
        detected = _("Detected: %s") % ENCODINGS.get(seen.reading.encoding, seen.reading.encoding)
        self._offer("encoding", {"": detected} | ENCODINGS, chosen.encoding)
        self._offer("delimiter", DELIMITERS, seen.reading.delimiter)
        if seen.format != "csv":
            del self.fields["encoding"], self.fields["delimiter"]

    def _offer(self, name: str, known: Mapping[str, Any], chosen: str) -> None:
        field = cast(forms.ChoiceField, self.fields[name])
        field.choices = list((dict(known) | ({} if chosen in known else {chosen: chosen})).items())


class MappingForm(forms.Form):
    """A field for each column of the file, guessed from its name. Raises UnreadableFile, and SlowFile until a worker has read it.

    `look_again` is set after a change of the reading: then staff confirm the columns anew.
    """

    def __init__(self, job: ImportJob, data: Any = None) -> None:
        super().__init__(data)
        self.job = job
        self.look_again = data is not None and "look_again" in data
        chosen = _chosen(data)
        self.kind = file_type(job.kind)
        seen = beginning(job, chosen)
        self.beginning, self.seen = seen, replace(seen, rows=seen.rows[:PREVIEWED])
        self.reading = replace(self.seen.reading, encoding=chosen.encoding)
        self.how = ReadingForm(chosen, self.seen)
        self.header = self.seen.header
        self.export_name = self.kind.export_name(self.header)
        self.guessed = self.kind.guess_mapping(self.header, seen.rows)
        guessed = self.guessed | {
            column: field for column, field in job.mapping.items() if column in self.header
        }
        for place, column in enumerate(self.header):
            field = guessed[column]
            self.fields[f"column_{place}"] = forms.ChoiceField(
                choices=self._choices(column, field),
                initial=field,
                required=False,
                label=column,
                widget=UnfoldAdminSelectWidget(attrs={"aria-label": column}),
            )
        if self.kind.states_consent:
            mapping = guessed if data is None else self._posted(data)
            self._ask_about_consent(seen, mapping)
        if self.look_again:
            self.is_bound = False

    def _posted(self, data: Any) -> dict[str, str]:
        return {column: data.get(f"column_{place}", "") for place, column in enumerate(self.header)}

    def _ask_about_consent(self, seen: Sample, mapping: Mapping[str, str]) -> None:
        """Add fields for unclear cells and columns, and for the evidence of a new consent."""
        question = consent_question(
            self.header, seen.rows, mapping, self._answers(mapping, {}), every_column=True
        )
        asked = self.job.consent.get("asked", {})
        self.unclear = [
            *dict.fromkeys([*(question.columns if question else []), *asked.get("columns", [])])
        ]
        cells = [*(question.cells.values() if question else []), *asked.get("cells", {}).values()]
        self.cells = [*dict.fromkeys(cell for found in cells for cell in found)]
        for place, cell in enumerate(self.cells):
            self.fields[f"cell_{place}"] = forms.ChoiceField(
                label=_("“%s” means") % cell,
                choices=MEANINGS,
                required=False,
                widget=UnfoldAdminSelectWidget,
            )
        if self.unclear:
            self.fields["ignore_consent"] = forms.BooleanField(
                label=_("%s: no statement of consent")
                % ", ".join(f"“{column}”" for column in self.unclear),
                required=False,
                widget=UnfoldBooleanSwitchWidget,
            )
        self.fields["consent_evidence"] = forms.CharField(
            label=_("Evidence of a new consent"),
            max_length=300,
            required=False,
            widget=UnfoldAdminTextInputWidget,
            help_text=_(
                "Only where customers consented again. Opt-ins of this file then undo opt-outs before that time; otherwise opt-outs stay."
            ),
        )
        self.fields["consent_given_at"] = forms.DateTimeField(
            label=_("Time of the new consent"), required=False, widget=UnfoldAdminTextInputWidget
        )

    def consent_fields(self) -> list[forms.BoundField]:
        """Return the questions about consent."""
        names = ("cell_", "ignore_consent", "consent_")
        return [self[name] for name in self.fields if name.startswith(names)]

    def _answers(self, mapping: Mapping[str, str], cleaned: Mapping[str, Any]) -> ConsentAnswers:
        values = {
            cell: cleaned.get(f"cell_{place}")
            for place, cell in enumerate(getattr(self, "cells", []))
        }
        given_at = cleaned.get("consent_given_at")
        return ConsentAnswers.of(
            {
                "values": {cell: answer for cell, answer in values.items() if answer},
                "columns": [
                    column for column in self.header if mapping.get(column) != self.guessed[column]
                ],
                "ignore_columns": cleaned.get("ignore_consent"),
                "evidence": cleaned.get("consent_evidence"),
                "given_at": given_at and given_at.isoformat(),
            }
        )

    def columns(self) -> list[dict[str, Any]]:
        """Return each column with examples from the file and its form field."""
        return [
            {
                "name": column,
                "samples": [
                    cells[place]
                    for cells in self.seen.rows[:EXAMPLES]
                    if place < len(cells) and cells[place] != ""
                ],
                "field": self[f"column_{place}"],
                "format": file_type(self.job.kind).describe_format(
                    self[f"column_{place}"].value(), self.seen.formats[place]
                ),
            }
            for place, column in enumerate(self.header)
        ]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        self.mapping = {
            column: cleaned.get(f"column_{place}", "") for place, column in enumerate(self.header)
        }
        try:
            self.answers = self._answers(self.mapping, cleaned)
            self.kind.check_beginning(self.beginning, self.mapping, self.answers)
        except UnclearDates as error:
            label = str(self.how.fields["dates"].label)
            raise forms.ValidationError(error.asked(label)) from error
        except Refused as error:
            raise forms.ValidationError(ValueError.__str__(error)) from error
        return cleaned

    def _choices(self, column: str, chosen: str) -> list[Any]:
        kind = self.kind
        fields = [(name, field.label) for name, field in kind.fields.items()]
        if not kind.takes_attributes:
            return [("", _("Ignore")), (_("Fields"), fields)]
        own = chosen if chosen and chosen not in kind.fields else f"{ATTRIBUTE}{column[:100]}"
        return [
            ("", _("Ignore")),
            (own, _("Store as attribute “%s”") % own.removeprefix(ATTRIBUTE)),
            (_("Fields"), fields),
        ]


def _chosen(data: Any) -> Reading:
    """Return the chosen reading; an impossible choice is detected instead."""
    try:
        return reading_of(data or {})
    except ValueError:
        return AS_DETECTED


def unreadable(job: ImportJob) -> str:
    """Return why the uploaded file cannot be read as a table; empty text also where a worker has to read it."""
    try:
        beginning(job)
    except SlowFile:
        return ""
    except UnreadableFile as error:
        return str(error)
    return ""
