"""Imports detect file formats, show a preview, and let staff correct the parsing."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from crm import jobs
from customers.ingest import file_type, queue_import, sample
from customers.ingest.column_formats import ColumnFormat
from customers.ingest.files import SAMPLED_ROWS
from customers.models import Customer, ImportJob, Order
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db


def run_import(path: Path, kind: str = "customers", *options: str) -> str:
    said = StringIO()
    call_command("import_file", kind, str(path), *options, stdout=said)
    return said.getvalue()


def test_a_workbook_is_read_with_its_dates_and_whole_numbers(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["id", "email", "registered_at", "income", "vip"])
    sheet.append([7, "a@example.com", datetime(2024, 5, 6, 7, 8), 1200.5, True])  # noqa: DTZ001
    sheet.append([None, None, None, None, None])
    sheet.append([8.0, "b@example.com", datetime(2024, 5, 7), None, False])  # noqa: DTZ001
    book.save(tmp_path / "people.xlsx")

    assert "2 customers created" in run_import(tmp_path / "people.xlsx")
    first, second = Customer.objects.order_by("external_id")
    assert (first.external_id, second.external_id) == ("7", "8")
    assert first.registered_at == datetime(2024, 5, 6, 7, 8, tzinfo=UTC)
    assert first.attributes == {"income": 1200.5, "vip": True}


@pytest.mark.parametrize("zipped", [False, True])
def test_json_lines_keep_their_structure(tmp_path: Path, zipped: bool) -> None:
    rows = [
        {"id": "a", "tags": ["x, y", "z"], "attributes": {"size": 4, "deep": {"er": [1]}}},
        {"id": "b", "totalSpends": 12.5, "email": "b@example.com"},
    ]
    text = "\n".join(json.dumps(row) for row in rows).encode()
    path = tmp_path / "people.jsonl"
    path.write_bytes(gzip.compress(text) if zipped else text)

    assert "2 customers created" in run_import(path)
    first, second = Customer.objects.order_by("external_id")
    assert first.tags == ["x, y", "z"]
    assert first.attributes == {"size": 4, "deep": {"er": [1]}}
    assert second.total_spend == Decimal("12.50")


def test_orders_may_be_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    line = {"order_id": "o", "customer_id": "a", "placed_at": "2024-01-01", "amount": 1.25}
    path.write_text(f"{json.dumps(line)}\n{json.dumps(line)}\n")

    run_import(path, "orders", "--create-missing")
    assert Order.objects.get().amount == Decimal("2.50")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'{"id": "a"}\nnothing\n', "Line 2 is not a JSON object"),
        (b'{"id": "a"}\n[1]\n', "Line 2 is not a JSON object"),
        (b"PK\x03\x04 but no workbook", "not a workbook"),
        (b"\x1f\x8b cut off", "damaged"),
    ],
)
def test_a_damaged_file_gets_one_clear_error(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "people"
    path.write_bytes(content)

    with pytest.raises(CommandError, match=sentence):
        run_import(path)


@pytest.mark.parametrize(
    ("dates", "options", "month"),
    [
        (("02/03/2024", "25/03/2024"), (), 3),
        (("02/03/2024", "03/25/2024"), (), 2),
        (("02/03/2024", "2024-02-04"), (), 2),
        (("02.03.2024", "02.04.2024"), (), 3),
        (("02/03/2024", "02/04/2024"), ("--dates", "month_first"), 2),
        (("02/03/2024", "02/04/2024"), ("--dates", "day_first"), 3),
    ],
)
def test_a_file_has_one_date_order(
    tmp_path: Path, dates: tuple[str, str], options: tuple[str, ...], month: int
) -> None:
    path = tmp_path / "people.csv"
    path.write_text(f"id,registered_at\na,{dates[0]}\nb,{dates[1]}\n")

    run_import(path, "customers", *options)
    assert Customer.objects.get(external_id="a").registered_at.month == month


@pytest.mark.parametrize("cells", [("02/03/2024", "02/04/2024 10:00"), ("1-2-24", ""), ("01/02/2024", "3/3/2024")])  # fmt: skip
def test_dates_without_an_order_are_asked_about(
    tmp_path: Path, settings: Any, api: Any, staff_client: Client, cells: tuple[str, ...]
) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    path = tmp_path / "people.csv"
    rows = "".join(f"{n},{cell},{cell}\n" for n, cell in enumerate(cells, 1))
    path.write_text(f"id,signed,born\n{rows}")
    mapped = ("--map", "signed=registered_at", "--map", "born=date_of_birth")
    with pytest.raises(CommandError, match=r"“signed”, “born” shows .* Use --dates"):
        run_import(path, "customers", *mapped)
    assert "registered_at (day or month first?)" in run_import(path, "customers", *mapped, "--preview")  # fmt: skip

    def post(**more: str) -> Any:
        mapping = json.dumps({"signed": "registered_at", "born": "date_of_birth"})
        with path.open("rb") as file:
            sent = {"kind": "customers", "file": file, "mapping": mapping, **more}
            return api.post("/api/imports", sent, format="multipart")

    refused = post().json()
    assert [error["path"] for error in refused["errors"]] == ["dates"]
    assert not ImportJob.objects.exists()
    assert post(dates="day_first").status_code == 202

    with path.open("rb") as file:
        page = staff_client.post("/admin/customers/importjob/add/", {"kind": "customers", "file": file})  # fmt: skip
    columns = {"column_0": "external_id", "column_1": "registered_at", "column_2": "date_of_birth"}
    asked = staff_client.post(page["Location"], columns).content.decode()
    assert "No date of “signed”, “born” shows" in asked
    assert "day or month first?" in asked
    assert staff_client.post(page["Location"], {**columns, "dates": "month_first"}).status_code == 302  # fmt: skip

    settings.DATE_ORDER = "day_first"
    assert "(day first)" in run_import(path, "customers", *mapped, "--preview")
    run_import(path, "customers", *mapped)
    assert Customer.objects.get(external_id="1").registered_at.day in {1, 2}


def test_the_worker_asks_about_dates_of_a_long_file(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    job = ImportJob(kind="customers", name="long.csv")
    rows = "".join(f"{number},02/03/2024\n" for number in range(SAMPLED_ROWS + 1))
    job.file.save("long.csv", ContentFile(f"id,registered_at\n{rows}".encode()))
    queue_import(job, {"id": "external_id", "registered_at": "registered_at"})
    jobs.run(job)
    job.refresh_from_db()
    assert job.state == "failed"
    assert "Choose day_first or month_first" in job.error
    assert not Customer.objects.exists()


def test_encoding_and_separator_can_be_given(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes("id^city\na^Łódź\n".encode("iso-8859-2"))

    run_import(path, "customers", "--encoding", "iso-8859-2", "--delimiter", "^")
    assert Customer.objects.get().city == "Łódź"


def test_a_preview_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("id;Ort\na;Rom\n")

    said = run_import(path, "customers", "--preview")
    assert "delimiter=';'" in said
    assert "id → external_id: a" in said
    assert not Customer.objects.exists()


def test_staff_review_and_correct_the_parsing_of_a_file(
    staff_client: Client, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    path = tmp_path / "people.csv"
    path.write_bytes("id;city;registered_at\na;Plzeň;02/03/2024\n".encode("iso-8859-2"))
    with path.open("rb") as file:
        answer = staff_client.post(
            "/admin/customers/importjob/add/", {"kind": "customers", "file": file}
        )
    page = staff_client.get(answer["Location"]).content.decode()
    assert "Plzeň" not in page

    how = {"encoding": "iso-8859-2", "delimiter": ";", "dates": "day_first"}
    page = staff_client.post(answer["Location"], {**how, "look_again": "1"}).content.decode()
    assert "Plzeň" in page
    assert ImportJob.objects.get().state == "uploaded"

    columns = {"column_0": "external_id", "column_1": "city", "column_2": "registered_at"}
    staff_client.post(answer["Location"], {**how, **columns})
    job = ImportJob.objects.get()
    assert (job.state, job.reading) == ("queued", {**how, "decimal_sign": ""})


@pytest.mark.parametrize(
    ("encoding", "cities"),
    [
        ("cp1252", "Köln, Besançon, Malmö, Älmhult"),
        ("cp1250", "Łukasz Świątek, Łódź|Małgorzata Wójcik, Kraków|Jiří Dvořák, Plzeň"),
        ("cp1251", "Москва, Санкт-Петербург, Новосибирск"),
        ("koi8_r", "Москва, Санкт-Петербург, Новосибирск"),
        ("cp1253", "Γιώργος Παπαδόπουλος, Αθήνα|Μαρία Νικολάου, Θεσσαλονίκη"),
        ("cp1254", "Ayşe Yılmaz, İstanbul|Çağlar Öztürk, Eskişehir|Oğuz Kılıç, Muğla|Fatma Şahin"),
        ("cp1255", "דוד כהן, ירושלים|שרה לוי, תל אביב|משה פרץ, חיפה|רבקה מזרחי, באר שבע"),
        ("cp1256", "القاهرة, الإسكندرية, بغداد"),
        ("cp932", "東京都, 大阪市, 名古屋市, さいたま市"),
        ("euc_jp", "東京都, 大阪市, 名古屋市, さいたま市"),
        (
            "gb18030",
            "王小明, 北京市|李丽, 上海市|张伟, 广州市|刘洋, 深圳市|陈静, 成都市|杨帆, 杭州市|赵磊, 武汉市",
        ),
        ("big5", "台北市, 高雄市, 臺中市, 新北市"),
        ("cp949", "서울특별시, 부산광역시, 인천광역시"),
        ("cp874", "กรุงเทพมหานคร, เชียงใหม่, นครราชสีมา"),
        ("utf-16", "Łódź, Αθήνα, 東京都"),
        ("cp1252", "Köln"),
        ("cp1252", "Île-de-France"),
        ("cp1252", "STRAßE"),
        ("cp1252", "20€"),
        ("big5", "陳|林"),
        ("gb18030", "王|北京市"),
        ("cp949", "서울특별시"),
    ],
)
def test_it_detects_encodings_of_europe_and_asia(
    tmp_path: Path, encoding: str, cities: str
) -> None:
    path = tmp_path / "people.csv"
    rows = "".join(f"{number};{city}\n" for number, city in enumerate(cities.split("|"), 1))
    path.write_bytes(f"id;city\n{rows}".encode(encoding))

    run_import(path)
    assert "|".join(Customer.objects.order_by("pk").values_list("city", flat=True)) == cities


def test_the_request_reads_one_mebibyte_and_the_worker_all(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(b"id,city\n" + b"a,Rome\n" * 160_000 + "b,Köln\n".encode("cp1252"))

    assert sample(path).reading.encoding == "utf-8-sig"
    run_import(path)
    assert Customer.objects.get(external_id="b").city == "Köln"


def test_staff_keep_a_detected_encoding(
    staff_client: Client, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    file = SimpleUploadedFile("people.csv", "id,city\na,Köln\n".encode("cp1252"))
    url = staff_client.post("/admin/customers/importjob/add/", {"kind": "customers", "file": file})
    page = staff_client.get(url["Location"]).content.decode()
    assert "Detected: Western European (Windows-1252)" in page
    assert "Japanese (Shift JIS)" in page

    columns = {"column_0": "external_id", "column_1": "city", "encoding": "", "delimiter": ","}
    staff_client.post(url["Location"], columns)
    assert ImportJob.objects.get().reading["encoding"] == ""


@pytest.mark.parametrize("name", ["people.xls", "people.ods"])
def test_it_imports_old_and_open_spreadsheets(name: str) -> None:
    assert "2 customers created" in run_import(Path(__file__).parent / "files" / name)
    first, second = Customer.objects.order_by("external_id")
    assert (first.external_id, first.city) == ("7", "Łódź")
    assert first.registered_at == datetime(2024, 5, 6, 7, 8, tzinfo=UTC)
    assert (second.external_id, second.attributes) == ("8", {"income": 1200.5})


@pytest.mark.parametrize(
    ("content", "mapped"),
    [
        ("sep=;\r\nEmail;First Name\r\na@example.com;Jo\r\n", {"first_name": "Jo"}),
        ('"sep=|"\nEmail|City\na@example.com|Bonn\n', {"city": "Bonn"}),
        ('Email;"Name (last, first)";City\na@example.com;"Doe, J.";Bonn\n', {"city": "Bonn"}),
        ('"email", "city"\n"a@example.com", "Bonn, Germany"\n', {"city": "Bonn, Germany"}),
        ("email,city,city,\na@example.com,Bonn,Rome,x\n", {"city": "Bonn"}),
        ("Customers of May 2024\n\nid,email,city\n1,a@example.com,Bonn\n", {"city": "Bonn"}),
        ("\n\nemail;city\na@example.com;Bonn\n", {"city": "Bonn"}),
        ('email\tcity\na@example.com\t"Bonn; on the Rhine"\n', {"city": "Bonn; on the Rhine"}),
    ],
    ids=["hint", "quoted hint", "commas in header", "space before quote", "doubled", "title", "empty lines", "tabs"],
)  # fmt: skip
def test_a_dialect_is_understood(tmp_path: Path, content: str, mapped: dict[str, str]) -> None:
    path = tmp_path / "people.csv"
    path.write_text(content, newline="")

    run_import(path)
    customer = Customer.objects.get()
    assert customer.email == "a@example.com"
    assert {name: getattr(customer, name) for name in mapped} == mapped


def test_columns_without_a_name_of_their_own_get_one(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("email,plan,plan,,,\na@example.com,gold,silver,x,,\nb@example.com,,,,,\n")

    run_import(path)
    attributes = Customer.objects.get(email="a@example.com").attributes
    assert attributes == {"plan": "gold", "plan_2": "silver", "column_4": "x"}


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_detected(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes("id;city\na;東京都\nb;Łódź\n".encode(encoding))

    run_import(path)
    assert list(Customer.objects.order_by("pk").values_list("city", flat=True)) == [
        "東京都",
        "Łódź",
    ]


def test_a_wrong_byte_rejects_its_row_alone(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(b"id,city\na,M\xc3\xbcnster\nb,K\xc3\xb6ln\nc,D\xfcren\n")

    said = run_import(path)
    assert "1 rows rejected" in said
    assert set(Customer.objects.values_list("city", flat=True)) == {"Münster", "Köln"}


def test_a_zip_archive_gets_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "audience.zip"
    with ZipFile(path, "w") as archive:
        archive.writestr("subscribed_1.csv", "Email Address\na@example.com\n")

    with pytest.raises(CommandError, match=r"ZIP archive of subscribed_1\.csv"):
        run_import(path)


def test_the_dimension_of_a_sheet_is_a_hint(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for number in range(5):
        book.active.append([f"a{number}@example.com", "Bonn"] if number else ["email", "city"])
    book.save(tmp_path / "whole.xlsx")
    with (
        ZipFile(tmp_path / "whole.xlsx") as whole,
        ZipFile(tmp_path / "short.xlsx", "w") as short,
    ):
        for name in whole.namelist():
            content = whole.read(name).replace(b'ref="A1:B5"', b'ref="A1"')
            short.writestr(name, content)

    assert "4 customers created" in run_import(tmp_path / "short.xlsx")


@pytest.mark.parametrize(
    ("cells", "options", "amounts"),
    [
        (["-124,99", "1.488,69", "-1.000"], (), ["-124.99", "1488.69", "-1000.00"]),
        (["124.99", "1,000"], (), ["124.99", "1000.00"]),
        (["1.5", "1.000"], (), ["1.50", "1.00"]),
        (["0,125", "1,500"], (), ["0.13", "1.50"]),
        (["₹1,00,000", "1,500"], (), ["100000.00", "1500.00"]),
        (["1.000", "2.000"], ("--decimal-sign", ","), ["1000.00", "2000.00"]),
        (["1 234,50 €", "1'234"], (), ["1234.50", "1234.00"]),
    ],
)
def test_a_column_has_one_decimal_sign(
    tmp_path: Path, cells: list[str], options: tuple[str, ...], amounts: list[str]
) -> None:
    path = tmp_path / "orders.csv"
    lines = [f"{number};a;2024-01-01;{cell}\n" for number, cell in enumerate(cells)]
    path.write_text("order_id;customer_id;placed_at;amount\n" + "".join(lines))

    run_import(path, "orders", "--create-missing", *options)
    found = Order.objects.order_by("external_id").values_list("amount", flat=True)
    assert [str(amount) for amount in found] == amounts


def test_an_amount_of_two_meanings_is_rejected_in_a_mixed_column(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    lines = [
        f"{number};a;2024-01-01;{cell}\n" for number, cell in enumerate(["1.50", "1,50", "1.000"])
    ]
    path.write_text("order_id;customer_id;placed_at;amount\n" + "".join(lines))

    assert "1 rows rejected" in run_import(path, "orders", "--create-missing")


def test_the_last_row_tells_the_order_of_dates(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    lines = [f"{number},02-01-2024\n" for number in range(2_500)]
    path.write_text("id,registered_at\n" + "".join(lines) + "last,13-01-2024\n")

    run_import(path)
    assert set(Customer.objects.values_list("registered_at__month", flat=True)) == {1}


def test_a_column_of_attributes_has_one_type(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(
        "id;vip;zip;size;rate;since;note\n"
        "a;TRUE;01234;5;12,5;13/01/2024;N/A\n"
        "b;false;99999;;1.000;02/01/2024;7\n"
        "c;NULL;K2P 1L4;n/a;3;0000-00-00;x\n"
    )

    run_import(path)
    attributes = dict(Customer.objects.values_list("external_id", "attributes"))
    assert attributes == {
        "a": {"vip": True, "zip": "01234", "size": 5, "rate": 12.5, "since": "2024-01-13", "note": "N/A"},
        "b": {"vip": False, "zip": "99999", "rate": 1000, "since": "2024-01-02", "note": "7"},
        "c": {"zip": "K2P 1L4", "rate": 3, "note": "x"},
    }  # fmt: skip


def test_a_birthday_is_a_day_in_any_time_zone(tmp_path: Path, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    cells = ["1990-05-01 00:00:00", "05/01/1990 00:00", "1990-05-01T00:00:00+02:00", "5/1/90"]
    path = tmp_path / "people.csv"
    path.write_text("id,dob\n" + "".join(f"{n},{cell}\n" for n, cell in enumerate(cells, 1)))

    run_import(path)
    assert set(Customer.objects.values_list("date_of_birth", flat=True)) == {date(1990, 5, 1)}


def test_an_unread_cell_becomes_an_attribute(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    path = tmp_path / "people.csv"
    path.write_text(
        "email;phone;country;dob\n"
        "a@example.com;(217) 555-0135;;03/22\n"
        "b@example.com;;Atlantis;0000-00-00\n"
        "c@example.com;(217) 555-0136;US;n/a\n"
    )

    said = run_import(path)
    assert "3 customers created" in said
    assert "(date_of_birth: 1, phone: 1, country: 1)" in said
    people = dict(Customer.objects.values_list("email", "attributes"))
    assert people["a@example.com"] == {"phone": "(217) 555-0135", "date_of_birth": "03/22"}
    assert people["b@example.com"] == {"country": "Atlantis"}
    assert Customer.objects.get(email="c@example.com").phone == "+12175550136"
    listed = (tmp_path / "media/imports/people.csv-rejected.csv").read_text().splitlines()
    assert listed[0].startswith("email;phone;country;dob;rejected_line")
    assert len(listed) == 3


def test_a_placeholder_beside_an_email_is_left_out(tmp_path: Path, settings: Any, api: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PHONE_COUNTRY = "US"
    path = tmp_path / "people.csv"
    path.write_text(
        "id,email,phone\n7,a@example.com,\nguest,b@example.com,\nUndefined,,(217) 555-0135\n"
        "unknown,d@example.com,\nNULL,e@example.com,\n-,f@example.com,\nguest,,\n0,g@example.com,\n"
    )
    said = run_import(path)
    assert "6 customers created" in said
    assert "2 rows rejected" in said
    assert "(external_id: 3)" in said
    assert set(Customer.objects.values_list("external_id", flat=True)) == {"7", None}
    listed = (tmp_path / "media/imports/people.csv-rejected.csv").read_text()
    assert "The row was imported, but: external_id: “guest” stands for no id." in listed

    sent = {"external_id": "undefined", "email": "h@example.com"}
    one = api.post("/api/customers", sent).json()
    assert (one["external_id"], one["notes"]) == (None, ["external_id: “undefined” stands for no id."])  # fmt: skip
    batch = api.post("/api/customers/batch", {"customers": [sent, {"external_id": "guest"}]})
    first, second = batch.json()["results"]
    assert (first["status"], first["notes"]) == ("unchanged", one["notes"])
    assert (second["status"], second["errors"][0]["path"]) == ("failed", "external_id")


def test_a_phone_without_a_country_has_that_of_the_settings(tmp_path: Path, settings: Any) -> None:
    settings.PHONE_COUNTRY = "US"
    path = tmp_path / "people.csv"
    path.write_text("id,phone\na,(217) 555-0135\nb,0049 30 1234567\n")

    run_import(path)
    phones = set(Customer.objects.values_list("phone", flat=True))
    assert phones == {"+12175550135", "+49301234567"}


@pytest.mark.parametrize(
    ("field", "how", "words"),
    [
        ("attributes.gdpr", ColumnFormat("day_first", ",", "text"), "text"),
        ("attributes.born", ColumnFormat("day_first", ",", "date"), "day first, date"),
        ("attributes.sum", ColumnFormat("day_first", ",", "number"), "decimal comma, number"),
        ("date_of_birth", ColumnFormat("day_first", ","), "day first"),
        ("total_spend", ColumnFormat("day_first", ","), "decimal comma"),
        ("first_name", ColumnFormat("day_first", ","), ""),
    ],
)
def test_the_mapping_names_formats_that_matter(field: str, how: ColumnFormat, words: str) -> None:
    assert file_type("customers").describe_format(field, how) == words


def test_a_column_of_whole_numbers_written_as_floats_is_read_as_ids(tmp_path: Path) -> None:
    make_customer(external_id="17850")
    path = tmp_path / "orders.csv"
    rows = "536365.0,17850.0,2010-12-01,2.55,85123\n536366.0,,2010-12-01,3.39,71053.0\n"
    path.write_text(f"InvoiceNo,CustomerID,InvoiceDate,UnitPrice,StockCode\n{rows}")

    shown = run_import(path, "orders", "--preview")
    assert "order_id (whole numbers, written as 17850.0 or '17850)" in shown
    assert "sku (whole" not in shown
    run_import(path, "orders", "--create-missing")

    order = Order.objects.get()
    assert (order.external_id, order.customer.external_id) == ("536365", "17850")
    assert order.lines.get().product.sku == "85123"


@pytest.mark.parametrize(
    "cells", [("17850.0", "A-1"), ("'17850", "A-1"), ("17850.0", "17851.5"), ("1.0", "17850")]
)
def test_other_columns_of_ids_stay_as_they_are(tmp_path: Path, cells: tuple[str, str]) -> None:
    path = tmp_path / "people.csv"
    path.write_text(f"id,city\n{cells[0]},Ulm\n{cells[1]},Bonn\n")

    run_import(path, "customers")

    assert {*Customer.objects.values_list("external_id", flat=True)} == {*cells}


@pytest.mark.parametrize("id_", ["1.23457E+11", "1,7850E+04", "1.2345678901234568e+18"])
def test_a_rounded_id_is_refused(tmp_path: Path, api: Any, id_: str) -> None:
    path = tmp_path / "people.csv"
    path.write_text(f'id,email\n"{id_}",\n"{id_}",ann@example.com\n7,bob@example.com\n')

    run_import(path, "customers")

    assert {*Customer.objects.values_list("external_id", "email")} == {
        (None, "ann@example.com"),
        ("7", "bob@example.com"),
    }
    answer = api.post("/api/customers", {"id": id_}, format="json")
    assert "rounded" in answer.json()["errors"][0]["message"]
    answer = api.post("/api/products", {"sku": id_, "name": "Hat"}, format="json")
    assert "rounded" in answer.json()["errors"][0]["message"]


def test_a_whole_float_of_json_is_an_id(api: Any) -> None:
    for id_ in (17850, 17850.0, "17850"):
        api.post("/api/customers", {"id": id_, "city": "Ulm"}, format="json")

    assert Customer.objects.get().external_id == "17850"
