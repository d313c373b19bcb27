"""Cleaning by column gives the same rows and the same errors as cleaning by row."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from customers.ingest import CUSTOMER, RejectedRows, clean_fields, file_type, load_file, orders
from customers.ingest.fields import ORDER, clean_columns
from customers.models import Order

CELLS = st.one_of(
    st.sampled_from(
        ["", " ", "\t", "x", " padded ", "5", "1,234.50", "€ 1.234,50", "2025-01-31", "31.1.2025", "yes"]
    ),
    st.text(max_size=8),
)  # fmt: skip


def row_by_row(columns: dict[str, list[str]], fields: dict) -> list[dict] | None:
    rows = zip(*columns.values(), strict=True)
    try:
        return [clean_fields(dict(zip(columns, row, strict=True)), fields) for row in rows]
    except ValueError:
        return None


def by_column(columns: dict[str, list[str]], fields: dict) -> list[dict] | None:
    try:
        return clean_columns(columns, fields)
    except ValueError:
        return None


@given(st.data(), st.integers(1, 4))
def test_customers_are_the_same_either_way(data: st.DataObject, height: int) -> None:
    names = data.draw(
        st.lists(
            st.sampled_from([*CUSTOMER, "attributes.plan", "attributes.x"]), min_size=1, unique=True
        )
    )
    cells = st.lists(CELLS, min_size=height, max_size=height)
    columns = {name: data.draw(cells) for name in ["external_id", *names]}
    one, other = row_by_row(columns, CUSTOMER), by_column(columns, CUSTOMER)
    if one is None or other is None:
        assert one is None
        assert other is None
        return
    assert [{name: value for name, value in row.items() if value != ""} for row in one] == other


@given(st.data(), st.integers(1, 4))
def test_lines_of_orders_are_the_same_either_way(data: st.DataObject, height: int) -> None:
    fixed = {"order_id": ["o1"], "customer_id": ["c1"], "placed_at": ["2025-01-31T10:00:00Z"]}
    columns = {name: cells * height for name, cells in fixed.items()}
    for name in data.draw(st.lists(st.sampled_from([*ORDER, "attributes.gift"]), unique=True)):
        columns[name] = data.draw(st.lists(CELLS, min_size=height, max_size=height))
    numbers = list(range(height))
    try:
        one = [
            line
            for number, row in zip(numbers, zip(*columns.values(), strict=True), strict=True)
            for line in orders.clean_lines(number, dict(zip(columns, row, strict=True)))
        ]
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011 any
            orders.write_lines(numbers, columns)
        return
    try:
        written = orders.write_lines(numbers, columns)
    except ValueError:
        # a refund and an amount in another currency are read row by row
        is_foreign = any(line.currency not in ("", settings.CURRENCY) for line in one)
        by_row = {*orders.ABOUT_REFUNDS, "order_amount"}
        assert is_foreign or columns.keys() & by_row
        return
    assert [as_text(line) for line in written] == [as_text(line) for line in one]


def as_text(line: tuple[object, ...]) -> list[str]:
    return ["" if cell is None else str(cell) for cell in line]


@pytest.mark.django_db(transaction=True)
def test_one_invalid_line_is_rejected_alone(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    lines = [f"o{number},c1,2025-01-31,{number}.5" for number in range(50)]
    lines[20] = "o20,c1,2025-01-31,plenty"
    path.write_text("\n".join(["order_id,customer_id,placed_at,amount", *lines]))
    mapping = {name: name for name in ("order_id", "customer_id", "placed_at", "amount")}
    with RejectedRows(tmp_path / "rejected.csv") as rejected:
        loaded = load_file(
            file_type("orders"),
            path,
            mapping,
            rejected=rejected,
            evidence="test",
            create_missing=True,
        )
    assert (loaded.rows, loaded.created, loaded.rejected) == (50, 49, 1)
    assert not Order.objects.filter(external_id="o20").exists()
    assert "o20" in (tmp_path / "rejected.csv").read_text()
