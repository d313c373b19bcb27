"""Options that many columns of models share."""

from __future__ import annotations

from typing import Any

OPTIONAL_TEXT: dict[str, Any] = {"blank": True, "default": "", "db_default": ""}
"""Of a text that may be missing: "" stands for that, in Python and in SQL, never NULL."""
