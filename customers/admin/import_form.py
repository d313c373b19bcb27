"""The two forms of an import: which file, and which column is which field."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanSwitchWidget,
)

from customers.ingest.fields import ATTRIBUTE, FIELDS, Refused, check_mapping, guess_mapping
from customers.ingest.files import UnreadableFile, sample
from customers.models import ImportJob


class UploadForm(forms.ModelForm):
    class Meta:
        model = ImportJob
        fields = ("kind", "file", "create_missing")
        widgets = {
            "kind": UnfoldAdminSelectWidget,
            "file": UnfoldAdminFileFieldWidget,
            "create_missing": UnfoldBooleanSwitchWidget,
        }
        help_texts = {
            "file": _("CSV or TSV, plain or .gz, with the names of the columns in the first line.")
        }


class MappingForm(forms.Form):
    """One choice a column of the file, guessed. Raises UnreadableFile where the file cannot be read."""

    def __init__(self, job: ImportJob, data: Any = None) -> None:
        super().__init__(data)
        self.job = job
        self.header, self.samples = sample(job.file.path)
        guessed = guess_mapping(job.kind, self.header) | job.mapping
        for place, column in enumerate(self.header):
            field = guessed[column]
            self.fields[f"column_{place}"] = forms.ChoiceField(
                choices=self._choices(column, field),
                initial=field,
                required=False,
                label=column,
                widget=UnfoldAdminSelectWidget(attrs={"aria-label": column}),
            )

    def columns(self) -> list[dict[str, Any]]:
        """For the page: each column with examples from the file and its field of the form."""
        return [
            {
                "name": column,
                "samples": [
                    cells[place] for cells in self.samples if place < len(cells) and cells[place]
                ],
                "field": self[f"column_{place}"],
            }
            for place, column in enumerate(self.header)
        ]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        self.mapping = {
            column: cleaned.get(f"column_{place}", "") for place, column in enumerate(self.header)
        }
        try:
            check_mapping(self.job.kind, self.mapping, self.header)
        except Refused as error:
            raise forms.ValidationError(str(error)) from error
        return cleaned

    def _choices(self, column: str, chosen: str) -> list[Any]:
        own = chosen if chosen.startswith(ATTRIBUTE) else f"{ATTRIBUTE}{column[:100]}"
        return [
            ("", _("Leave out")),
            (own, _("Keep as attribute “%s”") % own.removeprefix(ATTRIBUTE)),
            (_("Fields"), [(name, field.label) for name, field in FIELDS[self.job.kind].items()]),
        ]


def unreadable(job: ImportJob) -> str:
    """Why the uploaded file cannot be read as a table, or empty text."""
    try:
        sample(job.file.path)
    except UnreadableFile as error:
        return str(error)
    return ""
