"""The types of files that can be imported: their fields, required columns and loaders. Higher apps register more."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers import clean
from customers.clean import dates
from customers.ingest import customer_rows, exchange_rates, fields, known_exports
from customers.ingest.column_formats import UNCLEAR, WHOLE, ColumnFormat
from customers.ingest.column_names import (
    ADDRESS_CELLS,
    BARE_NAMES,
    CONTACT_COLUMNS,
    OTHER_PEOPLE,
    names_of,
)
from customers.ingest.consent_columns import ConsentAnswers, consent_fields, consent_question
from customers.ingest.fields import (
    ATTRIBUTE,
    ATTRIBUTES,
    CONSENT,
    REJECTED_COLUMNS,
    Field,
    Refused,
    UnclearDates,
)
from customers.ingest.files import Reading, Sample, open_table
from customers.ingest.known_exports import folded, recognise
from customers.ingest.load import Loader, Source, by_batches, load_orders
from customers.ingest.products import upsert_products
from customers.ingest.upsert import Result, Row, complete_customer, upsert_customers


@dataclass(frozen=True)
class FileType:
    """One type of file. A file has at least one field of each group in `required`; `changelist` is the admin list of the result.

    With `takes_attributes`, columns that map to no field are stored as free attributes.
    """

    name: str
    label: str | Promise
    fields: Mapping[str, Field]
    required: tuple[tuple[str, ...], ...]
    load: Loader
    changelist: str
    takes_attributes: bool = True

    def guess_mapping(
        self, header: Iterable[str], rows: Sequence[Sequence[Any]] = ()
    ) -> dict[str, str]:
        """Map each column to a field as the recognised export has it, by its name or a synonym, else to `attributes.` and its name.

        Each field is used once, but several columns may state one consent. For them, and for e-mail addresses and phone numbers under
        uncommon names (`Person - Email`, `Subscriber`), the first rows of the file count, too.
        """
        header = list(header)
        mapping = self._mapping_of_export(header)
        unclear: set[str] = set()
        if self.states_consent:
            for column, field in consent_fields(header, rows).items():
                if field not in CONSENT:
                    unclear.add(column)
                elif mapping.get(column, "") not in self.fields:
                    mapping[column] = field
        free = set(self.fields).difference(mapping.values())
        for known in (self._own_names(), self._names_and_synonyms()):
            for column in header:
                field = known.get(folded(column), "")
                if column not in mapping and column not in unclear and field in free:
                    mapping[column] = field
                    free.remove(field)
        _tell_apart_names(mapping)
        if self.states_consent:
            others = [each for each in header if each not in mapping and each not in unclear]
            for field in CONTACT_COLUMNS.keys() & free:
                mapping |= dict.fromkeys(_contact_column(field, others, header, rows), field)
        return {column: mapping.get(column, self._attribute(column)) for column in header}

    def export_name(self, header: Iterable[str]) -> str:
        """Return the name of the product whose export has such a header, or empty text."""
        export = recognise(self.name, header)
        return export.name if export else ""

    def _mapping_of_export(self, header: Sequence[str]) -> dict[str, str]:
        export = recognise(self.name, header)
        mapping: dict[str, str] = {}
        for column in header if export else ():
            field = export.field(column) if export else None
            if field is None or (field and field in mapping.values()):
                continue
            is_stored = field == known_exports.ATTRIBUTE or (field and field not in self.fields)
            mapping[column] = self._attribute(column) if is_stored else field
        return mapping

    def describe_format(self, field: str, how: ColumnFormat) -> str:
        """Return in words how a column mapped to this field is read, empty where that is plain."""
        if not field or field == ATTRIBUTES or field in CONSENT:
            return ""
        known = self.fields.get(field)
        parts = known.format_parts if known else TYPE_PARTS.get(how.type, ())
        values = [getattr(how, part) for part in parts]
        return ", ".join(str(FORMAT_WORDS[value]) for value in values if value in FORMAT_WORDS)

    def check_mapping(self, mapping: Mapping[str, str], header: Iterable[str]) -> None:
        """Raise Refused for an unknown column or field, a field used twice, or a missing required field."""
        columns = set(header)
        given: dict[str, str] = {}
        for column, field in mapping.items():
            if column not in columns:
                raise Refused(_("The file has no column “%s”.") % column)
            if field and not self._is_attribute(field) and field not in self.fields:
                raise Refused(
                    _("There is no field “%(field)s”. Use one of %(known)s.")
                    % {"field": field, "known": ", ".join(self.fields)}
                )
            if field and field in given and field not in CONSENT:
                raise Refused(
                    _("Both “%(one)s” and “%(other)s” are mapped to %(field)s.")
                    % {"one": given[field], "other": column, "field": field}
                )
            given[field] = column
        for group in self.required:
            if not given.keys() & set(group):
                raise Refused(_("No column is mapped to %s.") % _(" or ").join(group))

    def check_dates(
        self,
        header: Sequence[str],
        mapping: Mapping[str, str],
        formats: Sequence[ColumnFormat],
    ) -> None:
        """Raise Refused where no date of a column shows whether its day or month comes first, and no setting states it."""
        unclear = [
            f"“{column}”"
            for column, how in zip(header, formats, strict=False)
            if how.dates == UNCLEAR
            and (field := self.fields.get(mapping.get(column, "")))
            and field.format_parts == ("dates",)
        ]
        if unclear:
            raise UnclearDates(", ".join(unclear))

    @property
    def states_consent(self) -> bool:
        return CONSENT.keys() <= self.fields.keys()

    def check_consent(
        self,
        path: str | Path,
        reading: Reading,
        mapping: Mapping[str, str],
        answers: ConsentAnswers,
    ) -> None:
        """Raise ConsentQuestion where the file may state a consent that is not understood."""
        if not self.states_consent:
            return
        with open_table(path, reading) as table:
            cells = (cells for _line, cells in table)
            question = consent_question(table.header, cells, mapping, answers, every_column=False)
        if question:
            raise question

    def check_beginning(
        self,
        seen: Sample,
        mapping: Mapping[str, str],
        answers: ConsentAnswers,
        *,
        asks_dates: bool = True,
    ) -> None:
        """Check a mapping against the beginning of a file.

        Raises Refused for a wrong mapping or dates of unclear order, and ConsentQuestion for an unclear consent.
        """
        self.check_mapping(mapping, seen.header)
        if seen.is_whole and asks_dates:
            self.check_dates(seen.header, mapping, seen.formats)
        if self.states_consent and (
            question := consent_question(
                seen.header, seen.rows, mapping, answers, every_column=True
            )
        ):
            raise question

    def _own_names(self) -> dict[str, str]:
        return {folded(field): field for field in self.fields}

    def _names_and_synonyms(self) -> dict[str, str]:
        return {
            folded(name): field
            for field, meant in self.fields.items()
            for name in (*names_of(self.name, field), *meant.synonyms, field)
            if name
        }

    def _attribute(self, column: str) -> str:
        if not self.takes_attributes or column in REJECTED_COLUMNS:
            return ""
        return ATTRIBUTES if column == ATTRIBUTES else f"{ATTRIBUTE}{_attribute_name(column)}"

    def _is_attribute(self, field: str) -> bool:
        return self.takes_attributes and (field == ATTRIBUTES or field.startswith(ATTRIBUTE))


def _contact_column(
    field: str, columns: Iterable[str], header: Sequence[str], rows: Sequence[Sequence[Any]]
) -> list[str]:
    """Return the first of the columns whose name may mean the field and whose cells all are addresses of its kind, if there is one."""
    for column in columns:
        if not CONTACT_COLUMNS[field].search(column) or OTHER_PEOPLE.search(column):
            continue
        place = header.index(column)
        cells = [str(row[place]).strip() for row in rows if place < len(row)]
        filled = [cell for cell in cells if not clean.is_null(cell) and cell]
        if filled and all(ADDRESS_CELLS[field].fullmatch(cell) for cell in filled):
            return [column]
    return []


def _tell_apart_names(mapping: dict[str, str]) -> None:
    """Map `Nom` next to `Prénom` to last names, and `Nome` next to `Cognome` to first names."""
    bare = [each for each in mapping if mapping[each] == "name" and folded(each) in BARE_NAMES]
    parts = {"first_name", "last_name"}.difference(mapping.values())
    if bare and len(parts) == 1:
        mapping[bare[0]] = parts.pop()


FORMAT_WORDS = {
    "day_first": gettext_lazy("day first"),
    "month_first": gettext_lazy("month first"),
    "mixed": gettext_lazy("mixed formats, only clear cells are read"),
    UNCLEAR: gettext_lazy("day or month first?"),
    dates.ASSUMED: gettext_lazy("1/2/2025 read as 2 January, 1-2-2025 as 1 February"),
    ",": gettext_lazy("decimal comma"),
    ".": gettext_lazy("decimal point"),
    WHOLE: gettext_lazy("whole numbers, written as 17850.0 or '17850"),
    "boolean": gettext_lazy("true or false"),
    "number": gettext_lazy("number"),
    "date": gettext_lazy("date"),
    "text": gettext_lazy("text"),
}
"""The values of a ColumnFormat, for people."""
TYPE_PARTS = {
    "date": ("dates", "type"),
    "number": ("decimal_sign", "type"),
    "boolean": ("type",),
    "text": ("type",),
}
"""The parts of a ColumnFormat that matter for an attribute of a type."""

_file_types: dict[str, FileType] = {}


def register_file_types(*file_types: FileType) -> None:
    """Offer these types of files wherever files are imported."""
    _file_types.update({each.name: each for each in file_types})


def file_type(name: str) -> FileType:
    """Return the registered type of this name. Raises KeyError."""
    return _file_types[name]


def file_type_names() -> list[str]:
    return list(_file_types)


def file_type_choices() -> list[tuple[str, str | Promise]]:
    return [(each.name, each.label) for each in _file_types.values()]


def _attribute_name(column: str) -> str:
    name = column.strip().removeprefix(ATTRIBUTE)
    return re.sub(r"\W+", "_", name).strip("_").lower()[:100] or "column"


def complete_customer_of_file(row: Row) -> Row:
    """Complete a row of customers. Raises Refused for a spend that its column of currencies says is not in the site's."""
    currency = str(row.get(fields.ATTRIBUTES, {}).get("currency", "")).upper()
    is_foreign = re.fullmatch("[A-Z]{3}", currency) and currency != settings.CURRENCY
    if is_foreign and "total_spend" in row:
        told = _("The amount is in %(currency)s, and this site counts in %(site)s.")
        raise Refused(told % {"currency": currency, "site": settings.CURRENCY}, "total_spend")
    return complete_customer(row)


def write_customers(rows: list[Row], source: Source) -> list[Result]:
    """Write customers of a file; as new consent, opt-ins without a date count as given when the user says so."""
    if source.consent.evidence:
        for row in rows:
            row["consents"] = {
                key: wish._replace(at=source.consent.given_at)
                if wish.wanted and wish.at is None
                else wish
                for key, wish in row.get("consents", {}).items()
            }
    adds_ids = source.export is not None and source.export.adds_ids
    return upsert_customers(rows, evidence=source.evidence, adds_ids=adds_ids)


FILE_TYPES = (
    FileType(
        "customers",
        gettext_lazy("Customers"),
        fields.CUSTOMER,
        (("external_id", "email"),),
        by_batches(complete_customer_of_file, write_customers),
        "admin:customers_customer_changelist",
    ),
    FileType(
        "products",
        gettext_lazy("Products"),
        fields.PRODUCT,
        (("sku",),),
        by_batches(lambda row: row, lambda rows, source: upsert_products(rows)),
        "admin:customers_product_changelist",
    ),
    FileType(
        "orders",
        gettext_lazy("Orders (one row per order line)"),
        fields.ORDER,
        (("order_id",), ("customer_id",), ("placed_at",), ("amount", "unit_price", "order_amount")),
        load_orders,
        "admin:customers_order_changelist",
    ),
    FileType(
        "service_interactions",
        gettext_lazy("Service tickets"),
        fields.SERVICE,
        (("customer_id",), ("occurred_at",)),
        by_batches(
            customer_rows.complete_service, lambda rows, source: customer_rows.record_service(rows)
        ),
        "admin:customers_serviceinteraction_changelist",
    ),
    FileType(
        "visits",
        gettext_lazy("Site visits"),
        fields.VISIT,
        (("customer_id",), ("occurred_at",)),
        by_batches(
            customer_rows.complete_visit, lambda rows, source: customer_rows.record_visits(rows)
        ),
        "admin:customers_visit_changelist",
    ),
    FileType(
        "interests",
        gettext_lazy("Interests"),
        fields.INTEREST,
        (("customer_id",), ("category",)),
        by_batches(
            customer_rows.complete_interest,
            lambda rows, source: customer_rows.record_interests(rows),
        ),
        "admin:customers_customerinterest_changelist",
        takes_attributes=False,
    ),
    FileType(
        "exchange_rates",
        gettext_lazy("Exchange rates"),
        fields.EXCHANGE_RATE,
        (("day",),),
        by_batches(
            exchange_rates.complete_rates, lambda rows, source: exchange_rates.write_rates(rows)
        ),
        "admin:customers_exchangerate_changelist",
    ),
)
