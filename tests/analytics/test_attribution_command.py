"""`manage.py attribution` reads a file of paths and prints credits as a table."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

HEADER = "path;total_conversions;total_conversion_value;total_null\n"


def test_it_prints_a_row_per_touchpoint_a_column_per_model(tmp_path: Path) -> None:
    table = _run(tmp_path, HEADER + "mail > sms;3;30;5\nsms;1;10;2\n")

    assert table[0].split() == [
        "first",
        "last",
        "linear",
        "time_decay",
        "position",
        "markov",
        "shapley",
    ]
    assert table[1].split()[:4] == ["mail", "3.00", "0.00", "1.50"]
    assert table[-1].split() == ["total", *["4.00"] * 7]


def test_it_attributes_value_on_request(tmp_path: Path) -> None:
    table = _run(tmp_path, HEADER + "mail > sms;3;30;5\nsms;1;10;2\n", "--model", "last", "--value")

    assert table[2].split() == ["sms", "40.00"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("a,b\n1,2\n", "The first line must name the columns"),
        (HEADER + "mail;three;1;1\n", "Line 2: total_conversions is “three”"),
        (HEADER + "mail;-3;1;1\n", "Line 2"),
        ("", "The first line"),
    ],
)
def test_a_file_without_paths_is_refused_with_its_line(
    tmp_path: Path, content: str, complaint: str
) -> None:
    with pytest.raises(CommandError, match=complaint):
        _run(tmp_path, content)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        call_command("attribution", "--paths", str(tmp_path / "none.csv"))


def _run(folder: Path, content: str, *options: str) -> list[str]:
    file = folder / "paths.csv"
    file.write_text(content)
    out = StringIO()
    call_command("attribution", "--paths", str(file), *options, stdout=out)
    return out.getvalue().splitlines()
