"""Form fields that every admin of this project uses."""

from __future__ import annotations

from typing import Any

from django import forms


class MultilineField(forms.CharField):
    """A multi-line text with the line ends as typed; browsers send CRLF for each (HTML, 4.10.21.4)."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"strip": False, **options})

    def to_python(self, value: Any) -> str:
        """Return the text with LF for every line end; a blank text is empty."""
        text = (super().to_python(value) or "").replace("\r\n", "\n").replace("\r", "\n")
        return text if text.strip() else ""
