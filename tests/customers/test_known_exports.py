"""Exports of other products, and Kindling's own, are recognised by their headers and imported as they are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from rest_framework.test import APIClient

from crm.events.models import MarketingEvent
from customers import identity
from customers.bulk.export import write_file
from customers.ingest import file_type
from customers.ingest.known_exports import ATTRIBUTE, KNOWN_EXPORTS
from customers.models import Customer, Order
from tests.factories.customers import make_customer

HEADERS = {
    "listmonk": "uuid,email,name,attributes,status,created_at,updated_at",
    "Mailchimp (subscribed)": "Email Address,First Name,Last Name,Address,Phone Number,Birthday,MEMBER_RATING,OPTIN_TIME,LEID,EUID,TAGS",
    "Mailchimp (unsubscribed)": "Email Address,First Name,MEMBER_RATING,OPTIN_TIME,UNSUB_TIME,UNSUB_REASON,LEID,EUID,NOTES,TAGS",
    "Mailchimp (cleaned)": "Email Address,First Name,MEMBER_RATING,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,LEID,EUID",
    "HubSpot": "Record ID,First Name,Last Name,Email,Phone Number,Create Date (PST),Lifecycle Stage,Time Zone,State/Region,Country/Region",
    "Klaviyo": "Email,Klaviyo ID,First Name,Last Name,Phone Number,City,State / Region,Country,Zip Code,Email Marketing Consent",
    "Shopify": "First Name,Email,Accepts Marketing,Province,Province Code,Country,Country Code,Total Spent,Total Orders,Tax Exempt",
    "WooCommerce": "Name,Username,Last active,Sign up,Email,Orders,Total spend,AOV,Country / Region,City,Region,Postal code",
    "Stripe": "id,Description,Email,Name,Created (UTC),Delinquent,Card ID,Status,Total Spend,Payment Count",
    "Brevo": "CONTACT ID;EMAIL;FIRSTNAME;LASTNAME;SMS;OPT_IN;ADDED_TIME;MODIFIED_TIME",
    "Mautic": "id,title,firstname,lastname,company,email,mobile,city,state,country,preferred_locale,timezone,date_identified",
    "Outlook": "First Name,Middle Name,Last Name,E-mail Address,E-mail Display Name,Mobile Phone,Birthday,Home City,Categories",
    "Google Contacts": "First Name,Last Name,Birthday,Labels,E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Value,Address 1 - City",
    "ActiveCampaign": "Email,First Name,Last Name,Phone,Contact ID,Status,Date Created,Tags",
    "Salesforce": "Contact ID,First Name,Last Name,Email,Account Name,Mailing City,Email Opt Out",
    "MailerLite": "Subscriber,Name,Last name,Sent,Opens,Clicks,Subscribed,Location",
    "Pipedrive": "Person - ID,Person - Name,Person - Email - Work,Person - Email - Home,Person - Phone - Mobile,Person - Organization",
    "Constant Contact": "Email address,First name,Last name,Email status,Email permission status,Phone - mobile,City - Home,Email Lists",
    "Omnisend": "Email,Email status,Email status date,Phone number,SMS status,First name,Last name,Country,City,Tags",
    "Drip": "id,email,status,time_zone,lead_score,lifetime_value,created_at,tags",
    "Zoho": "Record Id,First Name,Last Name,Email,Phone,Mobile,Lead Source,Email Opt Out,Mailing City,Mailing Country,Tag",
    "Kindling": "kindling_id,external_id,email,first_name,tags,total_spend,attributes",
    "Kindling (API)": "id,external_id,email,tags,attributes,registered_at,total_spend,created_at,updated_at",
    "": "id,external_id,email,city,created_at",
}  # fmt: skip


@pytest.mark.parametrize("name", HEADERS)
def test_an_export_is_recognised_by_its_header(name: str) -> None:
    header = HEADERS[name].replace(";", ",").split(",")
    customers = file_type("customers")
    mapping = customers.guess_mapping(header)

    assert customers.export_name(header) == name
    assert "email" in mapping.values()
    customers.check_mapping(mapping, header)


def test_the_table_names_fields_that_exist() -> None:
    for export in KNOWN_EXPORTS:
        known = {*file_type(export.file_type).fields, ATTRIBUTE, ""}
        assert known.issuperset(export.fields.values()), export.name


def import_file(path: Path, kind: str = "customers", *options: str) -> str:
    said = StringIO()
    call_command("import_file", kind, str(path), *options, stdout=said)
    return said.getvalue()


PERSON = ("ada@example.com", "+4915112345678")
PEOPLE = {
    "MailerLite": "Subscriber,Name,Last name,Phone,Sent,Opens,Clicks,Subscribed,Location\n@,Ada,L,#,5,3,1,2023-02-01 09:00:00,Berlin",
    "MailerLite, by group": "Subscriber,Phone,Company\n@,#,Shop",
    "Pipedrive": "Person - Name,Person - Email,Person - Phone,Person - Organization,Organization - Phone\nAda,@,#,Shop,+493012345",
    "Pipedrive, by kind": "Person - ID,Person - Name,Person - Email - Work,Person - Phone - Mobile,Person - Owner\n7,Ada,@,#,Bob",
    "Pipedrive, two": 'Person - Name,Person - Email,Person - Phone\nAda,"@, b@example.com","#, +493012345"',
    "ActiveCampaign": "Contact ID,Email,First Name,Last Name,Phone,*Date Created,Tags,Status\n7,@,Ada,L,#,2023-02-01 09:00:00,vip,Active",
    "Brevo": "CONTACT ID;EMAIL;FIRSTNAME;LASTNAME;SMS;EMAIL_MARKETING\n7;@;Ada;L;4915112345678;subscribed",
    "Omnisend": "Email,Email status,Phone number,SMS status,First name\n@,subscribed,#,subscribed,Ada",
    "Drip": "id,email,status,phone,lead_score,lifetime_value,created_at,tags\nab1,@,active,#,40,199900,2023-02-01T09:00:00Z,vip",
    "Constant Contact": "Email address,First name,Email status,Email permission status,Phone - mobile\n@,Ada,Active,Implied,#",
    "Zoho": "Record Id,Contact Owner,Email,First Name,Last Name,Mobile,Email Opt Out,Mailing City\nzcrm_7,Bob,@,Ada,L,#,false,Berlin",
    "Salesforce": "Contact ID,First Name,Last Name,Email,Phone,Mobile,Account Name,Mailing City\n0035e,Ada,L,@,#,,Shop,Berlin",
    "Salesforce, leads": "Lead ID,First Name,Last Name,Company / Account,Email,Phone,Mobile,Lead Status\n00Q5e,Ada,L,Shop,@,#,,Open",
    "Salesforce, Data Loader": "ID,FIRSTNAME,LASTNAME,EMAIL,MOBILEPHONE,HASOPTEDOUTOFEMAIL\n0036e,Ada,L,@,#,false",
    "Kit": "id,first_name,email,state,created_at,phone\n1,Ada,@,active,2023-02-01 09:00:00 UTC,#",
    "Mailjet": "Contact email,Contact name,Mobile phone,IsUnsubscribed\n@,Ada,#,false",
    "a sheet": "Primary E-mail Address,Home phone,Sales rep e-mail\n@,#,bob@shop.example",
}  # fmt: skip
"""A file of each product, as its help pages show the header; @ stands for the address, # for the number."""


@pytest.mark.django_db
def test_files_of_products_have_address_and_number(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    for name, text in PEOPLE.items():
        with transaction.atomic():
            path.write_text(text.replace("@", PERSON[0], 1).replace("#", PERSON[1], 1))
            said = import_file(path)
            assert "1 customers created" in said, (name, said)
            assert "0 rows rejected" in said, (name, said)
            customer = Customer.objects.get()
            assert (customer.email, customer.phone) == PERSON, name
            assert customer.region == "", name
            assert (customer.total_spend, customer.lifecycle_status) == (0, "lead"), name
            transaction.set_rollback(True)


@pytest.mark.parametrize(
    "header",
    [
        "external_id,Contact owner e-mail,Name",
        "external_id,Referrer email,Name",
        "external_id,Subscriber,Name",
        "external_id,Phone verified,Name",
    ],
)
def test_an_address_of_somebody_else_is_no_address(header: str) -> None:
    cells = {"Subscriber": "yes", "Phone verified": "2024-01-15"}
    row = ["1", cells.get(header.split(",")[1], "bob@shop.example"), "Ada"]
    mapping = file_type("customers").guess_mapping(header.split(","), [row])
    assert not {"email", "phone"} & {*mapping.values()}


@pytest.mark.django_db
def test_shopify_customers_have_text_marks(tmp_path: Path) -> None:
    path = tmp_path / "customers_export.csv"
    path.write_text(
        "Customer ID,First Name,Email,Default Address City,Default Address Province Code,Default Address Country Code,"
        "Default Address Zip,Default Address Phone,Phone,Total Spent,Total Orders,Tax Exempt,Tags\n"
        "'6400000000001,Anna,anna@example.com,Springfield,IL,US,'62701,,'+12175550136,120.50,2,no,\"VIP, New\"\n"
        "'6400000000002,'t Hooft,bert@example.com,Ottawa,ON,CA,K2P 1L4,,,0.00,0,no,\n"
    )
    import_file(path)

    anna, bert = Customer.objects.order_by("external_id")
    assert (anna.external_id, anna.phone, anna.country) == ("6400000000001", "+12175550136", "US")
    assert (anna.city, anna.region, anna.tags) == ("Springfield", "IL", ["VIP", "New"])
    assert anna.attributes == {"default_address_zip": "62701", "tax_exempt": "no"}
    assert bert.first_name == "'t Hooft"


@pytest.mark.django_db
def test_a_selection_of_shopify_columns_opts_out_its_customer(tmp_path: Path) -> None:
    anna = make_customer(external_id="77", email="anna@example.com")
    path = tmp_path / "customers.csv"
    for header, row in {
        "Customer ID,Email,Accepts Email Marketing": "'77,anna@example.com,no",
        "Customer ID,Accepts Email Marketing": "'77,no",
        "Customer ID,Phone,Accepts SMS Marketing": "'77,'+12175550136,no",
    }.items():
        path.write_text(f"{header}\n{row}\n")
        import_file(path)

    assert Customer.objects.get() == anna
    anna.refresh_from_db()
    assert (anna.phone, anna.opted_out_channels) == ("+12175550136", ["email", "sms"])


@pytest.mark.django_db
def test_google_contacts_have_several_addresses_in_a_cell(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text(
        "First Name,Last Name,Birthday,Labels,E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Value,Address 1 - Country\n"
        "Ada,Lovelace,1985-03-07,* myContacts ::: Friends,* Work,ada@example.com ::: a@example.com,+442079460018 ::: 5,UK\n"
        "Bob,,--03-07,* myContacts,,bob@example.com,,\n"
    )
    said = import_file(path)

    assert "(date_of_birth: 1)" in said
    ada, bob = Customer.objects.order_by("email")
    assert (ada.email, ada.phone, ada.country) == ("ada@example.com", "+442079460018", "GB")
    assert (ada.date_of_birth, ada.tags) == (date(1985, 3, 7), ["* myContacts", "Friends"])
    assert bob.attributes["date_of_birth"] == "--03-07"


@pytest.mark.django_db
def test_two_stripe_ids_of_one_address_lead_to_one_customer(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    path = tmp_path / "unified_customers.csv"
    path.write_text(
        "id,Email,Name,Total Spend\ncus_A,stan@example.com,Stan,10.00\ncus_B,stan@example.com,Stan,20.00\n"
    )

    import_file(path)
    assert "0 created, 0 updated, 2 unchanged" in import_file(path).replace("customers ", "")
    customer = Customer.objects.get()
    assert identity.find(["cus_A", "cus_B"]) == {"cus_A": customer.pk, "cus_B": customer.pk}
    assert str(customer.total_spend) == "10.00"
    listed = (tmp_path / "media/imports/unified_customers.csv-rejected.csv").read_text()
    assert "figures of this row were not added" in listed


@pytest.fixture
def somebody(db: None) -> Customer:
    return make_customer(
        external_id="EX-1",
        email="ex1@example.com",
        phone="+4930123456",
        first_name="=Ann",
        last_name="'-O'Hara",
        city="Köln; am Rhein",
        country="DE",
        timezone="Europe/Berlin",
        date_of_birth=date(1990, 5, 1),
        registered_at=datetime(2024, 5, 6, 7, 8, 9, 123, UTC),
        lifecycle_status="active",
        tags=["a, b", 'of "c"', "vip"],
        attributes={"plan": "gold", "zip": "01234", "code": "5", "yes": "true", "deep": {"er": [1, None]}, "n": 1.5},
        opening_spend="120.00",
        opening_orders=2,
    )  # fmt: skip


def admin_file(kind: str) -> Callable[[Path, APIClient], None]:
    def write(path: Path, api: APIClient) -> None:
        write_file(path, kind, list(Customer.objects.values_list("pk", flat=True)), lambda _: None)

    return write


def api_file(kind: str) -> Callable[[Path, APIClient], None]:
    def write(path: Path, api: APIClient) -> None:
        answer = api.get(f"/api/customers?format={kind}&ordering=id")
        path.write_bytes(b"".join(answer.streaming_content))

    return write


@pytest.mark.django_db
@pytest.mark.parametrize(
    "write",
    [admin_file("csv"), admin_file("xlsx"), api_file("csv"), api_file("jsonl")],
    ids=["admin csv", "admin xlsx", "api csv", "api jsonl"],
)
def test_an_own_export_changes_nothing(
    write: Callable[[Path, APIClient], None], tmp_path: Path, somebody: Customer, api: APIClient
) -> None:
    identity.note_saved(somebody, is_new=False)
    before = list(Customer.objects.order_by("pk").values())
    write(tmp_path / "customers", api)
    MarketingEvent.objects.all().delete()

    assert "0 customers created, 0 updated, 1 unchanged" in import_file(tmp_path / "customers")
    assert list(Customer.objects.order_by("pk").values()) == before
    assert not MarketingEvent.objects.exists()


@pytest.mark.django_db
def test_a_masked_export_overwrites_nothing(tmp_path: Path, somebody: Customer) -> None:
    path = tmp_path / "customers.csv"
    path.write_text("kindling_id,external_id,email,first_name,attributes\n"
                    "cus_x,EX-1,e•••@•••,A•••,\"{\"\"plan\"\": \"\"•••\"\"}\"\n")  # fmt: skip

    assert "1 unchanged" in import_file(path)


@pytest.mark.django_db
def test_an_own_export_of_orders_changes_nothing(tmp_path: Path, api: APIClient) -> None:
    make_customer(external_id="C-1")
    order = {"id": "o-1", "customer_id": "C-1", "amount": "80.00", "placed_at": "2026-01-05T10:00:00Z", "discount": "5.00",
             "items": [{"product": "Boots", "quantity": 2, "price": "40"}]}  # fmt: skip
    api.post("/api/orders", order, format="json")
    refund = {
        "id": "r-1",
        "customer_id": "C-1",
        "type": "refund",
        "refund_of": "o-1",
        "amount": "30.00",
        "placed_at": "2026-01-07T10:00:00Z",
    }
    answer = api.post("/api/orders", refund, format="json")
    assert answer.status_code == 201, answer.data
    before = list(Order.objects.values()), list(Order.objects.values("lines__amount"))
    for kind in ("csv", "jsonl"):
        path = tmp_path / f"orders.{kind}"
        path.write_bytes(b"".join(api.get(f"/api/orders?format={kind}").streaming_content))
        assert "0 orders created, 0 updated, 1 unchanged" in import_file(path, "orders")
    assert before == (list(Order.objects.values()), list(Order.objects.values("lines__amount")))


@pytest.mark.django_db
def test_the_mapping_names_the_product(
    staff_client: Client, api: APIClient, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    path = tmp_path / "subscribers.csv"
    path.write_text('uuid,email,name,attributes,status,created_at,updated_at\n'
                    'u1,a@example.com,Ann,"{""good"": true}",enabled,2024-03-01 10:22:33.5 +0000 UTC,\n')  # fmt: skip
    with path.open("rb") as file:
        answer = staff_client.post(
            "/admin/customers/importjob/add/", {"kind": "customers", "file": file}
        )
    assert (
        "Looks like an export of listmonk" in staff_client.get(answer["Location"]).content.decode()
    )
    with path.open("rb") as file:
        sent = api.post("/api/imports", {"kind": "customers", "file": file}, format="multipart")
    assert sent.status_code == 202, sent.data
    assert sent.json()["looks_like"] == "listmonk"
    assert "Looks like an export of listmonk" in import_file(path, "customers", "--preview")
    assert sent.json()["mapping"]["attributes"] == "attributes"


SHOPIFY_ORDERS = """\
Name,Email,Financial Status,Currency,Total,Created at,Lineitem quantity,Lineitem name,\
Lineitem price,Lineitem sku,Refunded Amount,Id
#1001,anna@example.com,paid,EUR,114.23,2024-05-01 09:59:00 +0200,1,Matcha 100,62.95,M-100,0.00,5500000000001
#1001,{email},,,,{time},2,Matcha 50,18.975,M-50,,
#1002,bert@example.com,partially_refunded,EUR,30.00,2024-05-03 09:59:00 +0200,2,Whisk,15.00,,10.00,5500000000002
"""
WOOCOMMERCE_ORDERS = """Order Number,Order Status,Order Date,Email (Billing),Order Total Amount,SKU,Item #,Item Name,Quantity,Item Cost
77,Completed,2024-05-01 10:00,anna@example.com,50.00,W-1,1,Tea,2,10.00
,,,,,W-2,2,Cup,1,25.00
78,Processing,2024-05-02 10:00,bert@example.com,10.00,W-1,1,Tea,1,10.00
"""


@pytest.mark.django_db
@pytest.mark.parametrize(
    "continuation",
    [
        ("anna@example.com", "2024-05-01 09:59:00 +0200"),
        ("", "2024-05-01 09:59:00 +0200"),
        ("", ""),
    ],
)
def test_shopify_orders_have_lines_prices_and_refunds(
    tmp_path: Path, continuation: tuple[str, str]
) -> None:
    email, when = continuation
    path = tmp_path / "orders_export.csv"
    path.write_text(SHOPIFY_ORDERS.format(email=email, time=when))

    said = import_file(path, "orders", "--create-missing")
    assert "0 rows rejected" in said
    first, second = Order.objects.filter(kind="order").order_by("external_id")
    assert (first.external_id, str(first.amount)) == ("#1001", "114.23")
    lines = first.lines.order_by("position").values_list("product__sku", "quantity", "amount")
    lines = first.lines.order_by("position").values_list("product__sku", "quantity", "amount")
    assert [tuple(map(str, line)) for line in lines] == [
        ("M-100", "1.000", "62.95"),
        ("M-50", "2.000", "37.96"),
    ]
    assert [(line.name, str(line.amount)) for line in second.lines.all()] == [("Whisk", "30.00")]
    assert second.attributes["id"] == 5500000000002
    refund = Order.objects.exclude(kind="order").get()
    assert str(refund.amount) == "-10.00"


@pytest.mark.django_db
def test_woocommerce_orders_leave_out_what_the_first_line_has(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(WOOCOMMERCE_ORDERS)

    assert "2 orders created" in import_file(path, "orders", "--create-missing")
    order = Order.objects.get(external_id="77")
    assert [str(line.amount) for line in order.lines.order_by("position")] == ["20.00", "25.00"]


@pytest.mark.django_db
def test_a_row_without_an_order_and_a_line_is_rejected(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    path = tmp_path / "orders.csv"
    path.write_text(WOOCOMMERCE_ORDERS + ",,,,5.00,,,,,\n")

    assert "1 rows rejected" in import_file(path, "orders", "--create-missing")


ORDER_FILES = {
    "Stripe": (
        ("id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Status,Customer ID,Customer Email\n"
        "ch_1,2024-05-06 10:11:12,20.00,0.00,usd,true,Paid,cus_x1,p@example.com\n"
        "ch_2,2024-05-06 10:12:12,30.00,30.00,usd,true,Refunded,cus_x1,p@example.com\n"
        "ch_3,2024-05-06 10:13:12,40.00,0.00,usd,false,Failed,cus_x1,p@example.com\n"),
        {"ch_1": "20.00", "ch_2": "30.00"},
        20,
    ),
    "Etsy": (
        ("Sale Date,Order ID,Buyer User ID,Full Name,Number of Items,Order Value,Discount Amount,Order Total,Currency\n"
        "05/06/24,1,buyer1,Et Sy,1,20.00,0,25.00,USD\n05/20/24,2,buyer1,Et Sy,2,40.00,0,45.00,USD\n"),
        {"1": "25.00", "2": "45.00"},
        70,
    ),
    "WooCommerce": (
        ("Order Number,Order Status,Order Date,Email (Billing),Order Total Amount,Order Refund Amount,SKU,Item Name,"
        "Quantity (- Refund),Item Cost\n"
        "700,Completed,2024-05-06 10:11,w@example.com,35,0,S,Socks,2,10\n700,Completed,2024-05-06 10:11,w@example.com,35,0,H,Hat,1,10\n"),
        {"700": "35.00"},
        35,
    ),
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("name", ORDER_FILES)
def test_orders_of_an_export_are_imported_as_they_are(name: str, tmp_path: Path) -> None:
    content, amounts, spent = ORDER_FILES[name]
    path = tmp_path / "orders.csv"
    path.write_text(content)
    header = content.partition("\n")[0].split(",")
    assert file_type("orders").export_name(header) == name
    call_command("import_file", "orders", str(path), "--create-missing", stdout=StringIO())
    orders = Order.objects.filter(kind="order")
    assert {each.external_id: str(each.amount) for each in orders} == amounts
    assert Customer.objects.get().total_spend == spent
    if name == "WooCommerce":
        lines = orders.get().lines.order_by("position").values_list("quantity", "amount")
        assert [(int(quantity), int(amount)) for quantity, amount in lines] == [(2, 20), (1, 10)]


SHOPIFY = "Name,Email,Financial Status,Currency,Total,Created at,Lineitem quantity,Lineitem name,Lineitem price,Refunded Amount"
STATES = {
    "Shopify": (SHOPIFY, "{id},p@example.com,{state},EUR,20.00,2024-05-01 09:59:00 +0200,1,Tea,20.00,{refunded}", {
        "paid": "20.00", "pending": None, "authorized": None, "partially_paid": None, "expired": None, "unpaid": None,
        "partially_refunded": "15.00", "refunded": "0.00", "voided": "0.00",
    }),
    "WooCommerce": ("Order Number,Order Status,Order Date,Email (Billing),Order Total Amount",
        "{id},{state},2024-05-01 10:00,p@example.com,20", {
        "Completed": "20.00", "Processing": "20.00", "wc-processing": "20.00", "On hold": None, "wc-on-hold": None, "Pending payment": None,
        "pending": None, "Failed": None, "Draft": None, "checkout-draft": None, "Cancelled": "0.00", "Refunded": "0.00",
    }),
    "Stripe": ("id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Status,Customer ID",
        "{id},2024-05-06 10:11:12,20.00,0.00,eur,true,{state},cus_p", {
        "Paid": "20.00", "succeeded": "20.00", "requires_payment_method": None, "requires_action": None, "requires_confirmation": None,
        "requires_capture": None, "Uncaptured": None, "Incomplete": None, "Failed": None, "Blocked": None, "canceled": "0.00",
        "Refunded": "0.00",
    }),
    "a list": ("order_id,email,date,total,status", "{id},p@example.com,2024-05-01,20,{state}", {
        "offen": None, "en attente de paiement": None, "pendiente de pago": None, "in attesa di pagamento": None, "openstaand": None,
        "aguardando pagamento": None, "overdue": None, "bezahlt": "20.00",
    }),
}  # fmt: skip
"""Rows of shops by the state of the order, and what each order counts; None is not recorded, and listed."""


@pytest.mark.django_db
@pytest.mark.parametrize("name", STATES)
def test_an_order_that_is_not_paid_counts_nothing(name: str, tmp_path: Path, settings: Any) -> None:
    settings.CURRENCY, settings.MEDIA_ROOT = "EUR", tmp_path / "media"
    header, row, states = STATES[name]
    lines = [
        row.format(id=place, state=state, refunded="5.00" if state == "partially_refunded" else "0")
        for place, state in enumerate(states)
    ]
    path = tmp_path / "orders.csv"
    path.write_text("\n".join([header, *lines]))

    said = import_file(path, "orders", "--create-missing")
    refused = [place for place, state in enumerate(states) if states[state] is None]
    assert f"{len(refused)} rows rejected" in said
    rejected = (tmp_path / "media/imports/orders.csv-rejected.csv").read_text()
    assert rejected.count("not recorded") == len(refused)
    found = {each.external_id: str(each.net) for each in Order.objects.filter(kind="order")}
    assert found == {
        str(place): states[state] for place, state in enumerate(states) if states[state]
    }


@pytest.mark.django_db
def test_a_spend_in_another_currency_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(
        "id,Email,Name,Created (UTC),Delinquent,Currency,Total Spend,Payment Count\n"
        "cus_a,a@example.com,A,2024-05-06 10:11,false,usd,20.00,1\n"
        "cus_b,b@example.com,B,2024-05-06 10:11,false,eur,30.00,1\n"
        "cus_c,c@example.com,C,2024-05-06 10:11,false,,40.00,1\n"
    )
    assert "(total_spend: 1)" in import_file(path)
    spent = dict(Customer.objects.values_list("email", "total_spend"))
    assert spent == {"a@example.com": 20, "b@example.com": 0, "c@example.com": 40}
