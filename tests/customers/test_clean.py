"""Dates, numbers, countries and time zones are read as products write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pycountry
import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from customers import clean
from customers.clean import dates, numbers
from customers.ingest.column_formats import ColumnFormat, Evidence, formats


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2024-03-01 10:22:33.123456 +0000 UTC", datetime(2024, 3, 1, 10, 22, 33, 123456, UTC)),
        ("2024-05-01 10:00:00 +0200", datetime(2024, 5, 1, 8, tzinfo=UTC)),
        ("2023-01-05 10:22:33 UTC", datetime(2023, 1, 5, 10, 22, 33, tzinfo=UTC)),
        ("Thu, 05 Jan 2023 10:22:33 +0000", datetime(2023, 1, 5, 10, 22, 33, tzinfo=UTC)),
        ("Thu Jan 05 2023 10:22:33 GMT+0100 (CET)", datetime(2023, 1, 5, 9, 22, 33, tzinfo=UTC)),
        ("2023-01-05 10:22:33 EST", datetime(2023, 1, 5, 15, 22, 33, tzinfo=UTC)),
        ("January 5th, 2023 at 12:05 AM", datetime(2023, 1, 5, 0, 5, tzinfo=UTC)),
        ("05-Jan-23", datetime(2023, 1, 5, tzinfo=UTC)),
        ("31. 12. 2024", datetime(2024, 12, 31, tzinfo=UTC)),
        ("12.05.2024, 14:33", datetime(2024, 5, 12, 14, 33, tzinfo=UTC)),
        ("5. März 2023", datetime(2023, 3, 5, tzinfo=UTC)),
        ("5 de enero de 2023", datetime(2023, 1, 5, tzinfo=UTC)),
        ("2024年5月1日", datetime(2024, 5, 1, tzinfo=UTC)),
        ("1672914153", datetime(2023, 1, 5, 10, 22, 33, tzinfo=UTC)),
        ("1672914153123", datetime(2023, 1, 5, 10, 22, 33, tzinfo=UTC)),
        ("1/13/2024", datetime(2024, 1, 13, tzinfo=UTC)),
        ("13/1/2024", datetime(2024, 1, 13, tzinfo=UTC)),
    ],
)
def test_a_time_is_read(written: str, meant: datetime) -> None:
    assert clean.moment(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        "03/22",
        "44931",
        "5",
        "12:30",
        "2023-02-30",
        "1/2/2024 25:00",
        "32/13/2024",
        "May 2023",
        "soon",
    ],
)
def test_a_date_of_doubt_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="not a date"):
        clean.moment(written)


def test_the_order_of_a_column_holds() -> None:
    assert clean.day("01-05-2023", order="month_first") == date(2023, 1, 5)
    assert clean.day("01.05.2023", order="month_first") == date(2023, 1, 5)
    assert clean.day("01/05/2023", order="day_first") == date(2023, 5, 1)
    assert clean.day("13/05/2023", order="mixed") == date(2023, 5, 13)
    assert clean.moment("11/1/16 3pm", order="assumed") == datetime(2016, 11, 1, 15, tzinfo=UTC)
    for written, order in (("13/05/2023", "month_first"), ("01/05/2023", "mixed")):
        with pytest.raises(ValueError, match="not a date"):
            clean.day(written, order=order)


def test_an_ambiguous_date_alone_is_refused(settings) -> None:
    for written in ("03/04/2024", "3-4-24 10:00", "Mon, 3/4/2024"):
        with pytest.raises(ValueError, match="may have its day or its month first"):
            clean.moment(written)
    assert clean.day("03.04.2024") == date(2024, 4, 3)
    assert clean.day("04/04/2024") == date(2024, 4, 4)
    settings.DATE_ORDER = "day_first"
    assert clean.day("03/04/2024") == date(2024, 4, 3)
    with dates.stated_order("month_first"):
        assert clean.day("03/04/2024") == date(2024, 3, 4)


def test_a_birthday_of_two_digits_is_in_the_past() -> None:
    in_two_years = f"{date.today().year % 100 + 2:02}"  # noqa: DTZ011 any zone does
    assert clean.day(f"01.02.{in_two_years}").year < date.today().year - 90  # noqa: DTZ011
    assert clean.day("29/02/00").year == 2000


def test_a_phone_that_a_spreadsheet_made_a_float_is_read() -> None:
    assert clean.phone("491701234567.0", "DE") == clean.phone("+491701234567.0")
    assert clean.phone("+491701234567.0") == "+491701234567"
    assert clean.phone("0491 701234", "DE") == "+49491701234"
    assert clean.phone("49", "DE") == "+4949"


@pytest.mark.parametrize(
    ("written", "sign", "meant"),
    [
        ("1.234,50 €", "", "1234.50"),
        ("R$ 1.234,56", "", "1234.56"),
        ("1'500 CHF", "", "1500"),
        ("₹1,00,000", "", "100000"),
        ("12,50-", "", "-12.50"),
        ("(5.00)", "", "-5.00"),
        ("−5", "", "-5"),
        ("-$5", "", "-5"),
        ("kr 100", "", "100"),
        ("1,234", "", "1234"),
        ("1,234", ",", "1.234"),
        ("1.234", "", "1.234"),
        ("1.234", ",", "1234"),
        ("1.234.567", "", "1234567"),
        ("0,125", "", "0.125"),
    ],
)  # fmt: skip
def test_a_number_is_read(written: str, sign: str, meant: str) -> None:
    assert numbers.read(written, sign) == Decimal(meant)


@pytest.mark.parametrize(
    ("written", "sign"),
    [("12,5", "."), ("12.5", ","), ("1,234", "mixed"), ("1,23,4", ""), ("1 2", ""), ("5 %", ""), ("", ""), ("--5", "")],
)  # fmt: skip
def test_a_number_of_doubt_is_refused(written: str, sign: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 any
        numbers.read(written, sign)


@given(
    st.decimals(-(10**9), 10**9, places=2),
    st.sampled_from([(",", "."), (".", ","), (" ", ","), ("'", ".")]),
)
def test_numbers_of_all_countries_are_read(number: Decimal, style: tuple[str, str]) -> None:
    thousands, sign = style
    written = f"{number:,.2f}".translate({ord(","): thousands, ord("."): sign})
    assert numbers.read(written, sign) == number


@given(
    st.datetimes().filter(lambda when: 1900 < when.year < 2200),
    st.sampled_from("/.-"),
    st.booleans(),
)
def test_dates_of_both_orders_are_read(when: datetime, between: str, day_first: bool) -> None:
    order = f"%d{between}%m" if day_first else f"%m{between}%d"
    written = when.strftime(f"{order}{between}%Y %H:%M:%S")
    name = "day_first" if day_first else "month_first"
    assert dates.read(written, name) == when.replace(microsecond=0)


def test_a_country_has_many_names() -> None:
    for each in pycountry.countries:
        for name in (
            each.alpha_2, each.alpha_3, each.name, getattr(each, "official_name", each.name),
            getattr(each, "common_name", each.name), *(Locale(language).territories[each.alpha_2] for language in ("en", "de", "fr")),
        ):  # fmt: skip
            assert clean.country(name) == each.alpha_2, name


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("deutschland", "DE"), ("ESPAÑA", "ES"), ("Österreich", "AT"), ("日本", "JP"), ("Россия", "RU"), ("Ελλάδα", "GR"), ("한국", "KR"),
        ("Côte d’Ivoire", "CI"), ("Cote d'Ivoire", "CI"), ("Turkiye", "TR"), ("Viet Nam", "VN"), ("Korea, South", "KR"), ("NA", "NA"),
        ("Bosnia & Herzegovina", "BA"), ("St. Lucia", "LC"), ("Hong Kong SAR", "HK"), ("UK", "GB"), ("The Netherlands", "NL"),
        ("Congo, Democratic Republic of the", "CD"), ("Plurinational State of Bolivia", "BO"), ("Deutschland (DE)", "DE"), ("Kosovo", "XK"),
    ],
)  # fmt: skip
def test_a_country_has_common_names(name: str, code: str) -> None:
    assert clean.country(name) == code


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("America/New_york", "America/New_York"), ("EUROPE/BERLIN", "Europe/Berlin"), ("america_slash_new_york", "America/New_York"),
        ("Eastern Time (US & Canada)", "America/New_York"), ("(GMT-08:00) Pacific Time (US & Canada)", "America/Los_Angeles"),
        ("W. Europe Standard Time", "Europe/Berlin"), ("(UTC+01:00) Amsterdam, Berlin, Bern", "Europe/Amsterdam"), ("Tokyo", "Asia/Tokyo"),
        ("utc", "UTC"), ("St. Petersburg", "Europe/Moscow"), ("", ""),
    ],
)  # fmt: skip
def test_a_time_zone_has_many_names(name: str, zone: str) -> None:
    assert clean.timezone(name) == zone


@pytest.mark.parametrize("name", ["nowhere", "Berlin/Europe", "+01:00"])
def test_an_unknown_time_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a time zone"):
        clean.timezone(name)


@pytest.mark.parametrize(
    ("written", "tags"),
    [
        ('"VIP","Newsletter 2023"', ["VIP", "Newsletter 2023"]),
        ('["a, b", "c"]', ["a, b", "c"]),
        ("a; b|c", ["a", "b", "c"]),
        ('12" pizza, x', ['12" pizza', "x"]),
    ],
)
def test_tags_are_read(written: str, tags: list[str]) -> None:
    assert clean.tags(written) == tags


@pytest.mark.parametrize(
    ("value", "stored"),
    [("TRUE", True), (True, True), ("false", False), ("5", 5), (5, 5), ("12.5", 12.5), ("yes", "yes"), ("007", "007")],
)  # fmt: skip
def test_an_attribute_has_one_type_from_any_source(value: object, stored: Any) -> None:
    found = clean.attribute(value)
    assert (found, type(found)) == (stored, type(stored))


def format_of(
    *cells: str, others: tuple[str, ...] = (), stated: ColumnFormat | None = None
) -> ColumnFormat:
    columns = [Evidence(), Evidence()]
    columns[0].add(cells)
    columns[1].add(others)
    return formats(columns, stated or ColumnFormat())[0]


def test_a_column_tells_its_format() -> None:
    assert format_of("02/01/2024", "13/01/2024").dates == "day_first"
    assert format_of("02/01/2024", "01/13/2024").dates == "month_first"
    assert format_of("13/01/2024", "01/13/2024").dates == "mixed"
    assert format_of("02/01/2024").dates == "unclear"
    assert format_of("02/01/2024", "2024-05-06").dates == "assumed"
    assert format_of("02/02/2024", "2024-05-06").dates == ""
    assert format_of("02/01/2024", others=("13/01/2024",)).dates == "day_first"
    assert format_of("2024-01-13", "192.168.13.1", "13.1", "1.13.5").dates == ""
    assert format_of("1.000", "2,5").decimal_sign == ","
    assert format_of("1.000").decimal_sign == ""
    assert format_of("1.000", others=("2,5",)).decimal_sign == ","
    assert format_of("1,000", "2.5").decimal_sign == "."
    assert format_of("1,5", "2.5").decimal_sign == "mixed"
    assert format_of("1,5", stated=ColumnFormat(decimal_sign=".")).decimal_sign == "."


def test_one_error_in_a_hundred_does_not_change_a_column() -> None:
    assert format_of(*["13/01/2024"] * 100, "01/13/2024").dates == "day_first"


@pytest.mark.parametrize(
    ("cells", "type_"),
    [
        (("true", "False", ""), "boolean"),
        (("1", "2.5", "NULL"), "number"),
        (("1,5", "2"), "number"),
        (("1,234", "2"), "text"),
        (("62701", "01234"), "text"),
        (("12345678901234567",), "text"),
        (("13/01/2024", "1/2/2024 10:00"), "date"),
        (("1/2/2024",), "text"),
        (("2024-01-13",), "text"),
        (("true", "maybe"), "text"),
        (("", "n/a"), ""),
    ],
)
def test_a_column_of_attributes_tells_its_type(cells: tuple[str, ...], type_: str) -> None:
    assert format_of(*cells).type == type_
