"""A row passes few modules from an open file to the database."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from customers import ingest
from customers.ingest import RejectedRows, open_table
from customers.ingest.load import Source

MOST_MODULES = 14

FILES = {
    "customers": b"id,email,phone,tags,subscribed\na,a@example.com,+4930123456,vip,yes\nb,nothing,,,\n",
    "orders": b"order_id,customer_id,date,sku,amount\no1,a,2025-01-31,s1,9.50\n",
    "visits": b"id,customer_id,date,url\nv1,a,2025-01-31 10:00,/shoes\n",
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", FILES)
def test_a_row_passes_few_modules(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(FILES[kind])
    with open_table(path) as table, RejectedRows(tmp_path / "rejected.csv") as rejected:
        file_type = ingest.file_type(kind)
        mapping = file_type.guess_mapping(table.header)
        source = Source(file_type, table, mapping, rejected, "test", True, lambda *_: None)
        modules = modules_entered_by(lambda: file_type.load(source))

    assert len(modules) <= MOST_MODULES, "\n".join(sorted(modules))


def modules_entered_by(work: Any) -> set[str]:
    """Return the modules of the project in which a function is called, in any thread."""
    root = str(settings.BASE_DIR) + "/"
    found: set[str] = set()

    def look(frame: Any, event: str, _argument: Any) -> None:
        name = frame.f_code.co_filename
        if event == "call" and name.startswith(root) and "/.venv/" not in name:
            found.add(name.removeprefix(root))

    threading.setprofile(look)
    sys.setprofile(look)
    try:
        work()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return {name for name in found if name.split("/")[0] in {"crm", "customers", "marketing"}}
