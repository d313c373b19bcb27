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
    UnfoldBooleanSwitchWidget,
)

from crm.adminkit.base import ModelAdmin
from customers.ingest import (
    AS_DETECTED,
    ATTRIBUTE,
    DELIMITERS,
    ENCODINGS,
    Reading,
    Refused,
    Sample,
    UnreadableFile,
    file_type,
    file_type_choices,
    reading_of,
    sample,
)
from customers.models import ImportJob

PREVIEWED = 10
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
        fields = ("kind", "file", "create_missing")
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
    """A field for each column of the file, guessed from its name. Raises UnreadableFile.

    `look_again` is set after a change of the reading: then staff confirm the columns anew.
    """

    def __init__(self, job: ImportJob, data: Any = None) -> None:
        super().__init__(data)
        self.job = job
        self.look_again = data is not None and "look_again" in data
        chosen = _chosen(data)
        self.seen = sample(job.file.path, PREVIEWED, chosen)
        self.reading = replace(self.seen.reading, encoding=chosen.encoding)
        self.how = ReadingForm(chosen, self.seen)
        self.header = self.seen.header
        self.export_name = file_type(job.kind).export_name(self.header)
        guessed = file_type(job.kind).guess_mapping(self.header) | {
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
        if self.look_again:
            self.is_bound = False

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
            file_type(self.job.kind).check_mapping(self.mapping, self.header)
        except Refused as error:
            raise forms.ValidationError(str(error)) from error
        return cleaned

    def _choices(self, column: str, chosen: str) -> list[Any]:
        kind = file_type(self.job.kind)
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
    """Return why the uploaded file cannot be read as a table, or empty text."""
    try:
        sample(job.file.path)
    except UnreadableFile as error:
        return str(error)
    return ""
