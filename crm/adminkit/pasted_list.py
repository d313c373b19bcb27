"""The form of a list that is pasted or uploaded."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

LARGEST_FILE = 20 * 2**20


class PastedListForm(forms.Form):
    """A list that is pasted or in a file; a subclass names its items and splits the text."""

    pasted = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8, "spellcheck": "false"}),
    )
    file = forms.FileField(
        label=gettext_lazy("Or a file"),
        required=False,
        widget=UnfoldAdminFileFieldWidget(),
        help_text=gettext_lazy("Text or CSV with one item per line, up to 20 MB."),
    )
    items_label: str | Promise
    items_help: str | Promise

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["pasted"].label = str(self.items_label)
        self.fields["pasted"].help_text = str(self.items_help)

    def split(self, text: str) -> list[str]:
        """Return the items of a text."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        """Add `items` to the cleaned data."""
        cleaned = super().clean() or {}
        file = cleaned.get("file")
        if file and file.size > LARGEST_FILE:
            self.add_error("file", _("The file is larger than 20 MB. Split it."))
            return cleaned
        text = cleaned.get("pasted", "")
        if file:
            text += "\n" + file.read().decode("utf-8-sig", errors="replace")
        cleaned["items"] = self.split(text)
        if not cleaned["items"]:
            message = _("The list is empty. Paste %(items)s or choose a file.")
            raise forms.ValidationError(message % {"items": str(self.items_label).lower()})
        return cleaned
