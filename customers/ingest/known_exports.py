"""The exports of other products and of Kindling itself, recognised by their headers as a whole.

A new product or language is a new row of the table. Columns of consent are left to their own words, and columns of no row to the
synonyms of the fields, so that a row has only what its header alone does not say.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crm.masking import MASK

EXPORTED_ID = "kindling_id"
"""The first column of an exported file of customers."""


_MARKED_NUMBER = re.compile(r"'\+?\d")


@dataclass(frozen=True)
class KnownExport:
    """An export: the columns that show it, and column → field; `attribute` stores a column under its own name, empty ignores it.

    `is_own` is an export of Kindling. With `has_text_marks` a ' stands before numbers that are text. With `adds_ids` an e-mail that
    belongs to another id gives that customer a second id. `between` separates addresses in a cell, of which the first counts. With
    `has_bare_phones`, phone numbers have the code of their country without a +.
    """

    name: str
    file_type: str
    shown_by: tuple[str, ...]
    fields: Mapping[str, str]
    is_own: bool = False
    has_text_marks: bool = False
    adds_ids: bool = False
    between: str = ""
    has_bare_phones: bool = False

    def field(self, column: str) -> str | None:
        """Return the field of a column, None for a column that the table does not have."""
        known = {folded(name): field for name, field in self.fields.items()}
        return known.get(folded(column), known.get(_without_unit(column)))

    def plain(self, cell: str, field: str) -> str:
        """Return a cell without the marks of the product."""
        if self.has_text_marks and _MARKED_NUMBER.match(cell):
            return cell[1:]
        if self.is_own and MASK in cell:
            return ""
        if self.has_bare_phones and field == "phone" and cell.isdigit():
            return f"+{cell}"
        if self.between and field in {"email", "phone"}:
            return cell.partition(self.between)[0]
        return cell


def recognise(file_type: str, header: Iterable[str]) -> KnownExport | None:
    """Return the export with such a header, of several the one that more columns show."""
    columns = {name for column in header for name in (folded(column), _without_unit(column))}
    fitting = [
        each
        for each in KNOWN_EXPORTS
        if each.file_type == file_type and columns.issuperset(map(folded, each.shown_by))
    ]
    return max(fitting, key=lambda each: len(each.shown_by), default=None)


def folded(name: str) -> str:
    """Make one name of `totalSpends`, `Total spends` and `total_spends`, without accents."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKD", name).casefold())


def _without_unit(column: str) -> str:
    """Fold `Create Date (PST)` as `Create Date`."""
    return folded(re.sub(r"\s*\([^)]*\)$", "", column))


ATTRIBUTE = "attribute"
_COMPUTED = dict.fromkeys(
    (
        *("total_spend", "order_count", "average_order_value", "visit_count"),
        *("first_order_at", "last_order_at", "last_visit_at"),
    ),
    "",
)
_STAMPS = {"created_at": "", "updated_at": ""}

KNOWN_EXPORTS = (
    KnownExport(
        "Kindling", "customers", (EXPORTED_ID, "email"), {EXPORTED_ID: "", **_COMPUTED}, is_own=True
    ),
    KnownExport(
        "Kindling (API)", "customers", ("id", "external_id", "email", "attributes"),
        {
            "id": "", **_COMPUTED, **_STAMPS, "last_interaction_at": "", "paused_until": "", "opted_out_channels": "",
            "opted_out_topics": "",
        }, is_own=True,
    ),
    KnownExport(
        "Kindling (API)", "products", ("id", "sku", "attributes"), {"id": "", **_STAMPS}, is_own=True
    ),
    KnownExport(
        "Kindling (API)", "orders", ("id", "customer_id", "placed_at", "attributes", "items"),
        {"kind": "type", "amount": "order_amount", "refunded": "", "net": "", "items": ""}, is_own=True,
    ),
    KnownExport("listmonk", "customers", ("uuid", "email", "attributes", "status"), {"uuid": ATTRIBUTE}),
    *(
        KnownExport(
            f"Mailchimp ({state})", "customers", ("Email Address", "LEID", "EUID", column),
            {"CC": "country", "Birthday": ATTRIBUTE, "CONFIRM_TIME": "registered_at", "NOTES": ATTRIBUTE},
        )
        for state, column in (("unsubscribed", "UNSUB_TIME"), ("cleaned", "CLEAN_TIME"), ("subscribed", "MEMBER_RATING"))
    ),
    KnownExport(
        "HubSpot", "customers", ("Record ID", "Email"),
        {
            "Record ID": ATTRIBUTE, "Create Date": "registered_at", "State/Region": "region", "Country/Region": "country",
            "Lifecycle Stage": ATTRIBUTE, "Preferred language": "language", "Lead Status": ATTRIBUTE, "Mobile Phone Number": "phone",
        },
    ),
    KnownExport(
        "Klaviyo", "customers", ("Email", "Klaviyo ID"),
        {
            "Klaviyo ID": ATTRIBUTE, "External ID": "external_id", "State / Region": "region", "Profile Created On": "registered_at",
            "Date Added": ATTRIBUTE, "Title": ATTRIBUTE, "Initial Source": "source",
        },
    ),
    *(
        KnownExport(
            "Shopify", "customers", ("Email", "Total Spent", "Total Orders", "Tax Exempt", column),
            {
                "Customer ID": "external_id", "Default Address City": "city", "Default Address Province Code": "region",
                "Default Address Country Code": "country", "Default Address Phone": ATTRIBUTE, "Province Code": "region",
                "Province": ATTRIBUTE, "Country Code": "country", "Country": ATTRIBUTE,
            },
            has_text_marks=True,
        )
        for column in ("First Name", "Customer ID")
    ),
    KnownExport(
        "Shopify", "orders", ("Name", "Email", "Financial Status", "Lineitem quantity", "Lineitem price"),
        {
            "Name": "order_id", "Id": ATTRIBUTE, "Email": "customer_id", "Created at": "placed_at", "Total": "order_amount",
            "Lineitem quantity": "quantity", "Lineitem name": "name", "Lineitem price": "unit_price", "Lineitem sku": "sku",
            "Lineitem discount": "discount", "Discount Amount": ATTRIBUTE, "Refunded Amount": "refunded", "Source": ATTRIBUTE,
            "Lineitem compare at price": "", "Lineitem requires shipping": "", "Lineitem taxable": "", "Lineitem fulfillment status": "",
            "Location": ATTRIBUTE,
        },
        has_text_marks=True,
    ),
    KnownExport(
        "WooCommerce", "customers", ("Name", "Username", "Sign up", "Email", "Orders", "AOV"),
        {
            "Username": ATTRIBUTE, "Last active": ATTRIBUTE, "Sign up": "registered_at", "Orders": "order_count",
            "Country / Region": "country", "AOV": ATTRIBUTE,
        },
    ),
    KnownExport(
        "WooCommerce", "orders", ("Order Number", "Order Date", "Email (Billing)", "Order Total Amount"),
        {
            "Order Number": "order_id", "Email (Billing)": "customer_id", "Order Date": "placed_at", "Order Total Amount": "order_amount",
            "Item Name": "name", "Item Cost": "unit_price", "Order Refund Amount": "refunded", "Item #": "", "Discount Amount": ATTRIBUTE,
            "Order Currency": "currency", "Quantity (- Refund)": "quantity",
        },
    ),
    KnownExport(
        "WooCommerce", "orders", ("order_number", "order_date", "billing_email", "order_total"),
        {
            "order_id": ATTRIBUTE, "order_number": "order_id", "billing_email": "customer_id", "customer_email": ATTRIBUTE,
            "order_total": "order_amount", "order_currency": "currency", "discount_total": ATTRIBUTE, "refunded_total": "refunded",
            "customer_id": ATTRIBUTE, "total": ATTRIBUTE,
        },
    ),
    *(
        KnownExport(
            "Stripe", "customers", ("id", "Email", "Name", column),
            {
                "id": "external_id", "Created": "registered_at", "Payment Count": "order_count", "Total Spend": "total_spend",
                "Status": ATTRIBUTE, "Description": ATTRIBUTE, "Currency": ATTRIBUTE,
            },
            adds_ids=True,
        )
        for column in ("Total Spend", "Created (UTC)", "Delinquent")
    ),
    *(
        KnownExport(
            "Stripe", "orders", ("id", "Amount", "Amount Refunded", "Currency", "Captured", column),
            {
                "id": "order_id", "Created date (UTC)": "placed_at", "Created": "placed_at", "Amount": "order_amount",
                "Amount Refunded": "refunded", "Currency": "currency", "Customer ID": "customer_id", "Customer Email": ATTRIBUTE,
                "Status": "status", "Description": ATTRIBUTE, "Refunded date (UTC)": "refunded_at",
            },
        )
        for column in ("Created date (UTC)", "Created (UTC)")
    ),
    KnownExport(
        "Etsy", "orders", ("Sale Date", "Order ID", "Buyer User ID", "Order Total"),
        {
            "Sale Date": "placed_at", "Buyer User ID": "customer_id", "Order Total": "order_amount", "Order Value": ATTRIBUTE,
            "Discount Amount": ATTRIBUTE, "SKU": ATTRIBUTE, "Status": ATTRIBUTE,
        },
    ),
    *(
        KnownExport(
            "Brevo", "customers", ("EMAIL", "FIRSTNAME", "LASTNAME", "SMS", column),
            {
                "SMS": "phone", "CONTACT ID": ATTRIBUTE, "EXT_ID": "external_id", "ADDED_TIME": "registered_at",
                "MODIFIED_TIME": ATTRIBUTE, "LANDLINE_NUMBER": ATTRIBUTE, "WHATSAPP": ATTRIBUTE, "NOM": "last_name", "PRENOM": "first_name",
            },
            has_bare_phones=True,
        )
        for column in ("ADDED_TIME", "CONTACT ID")
    ),
    *(
        KnownExport(
            "Mautic", "customers", ("email", "firstname", "lastname", column),
            {
                "id": ATTRIBUTE, "mobile": ATTRIBUTE, "preferred_locale": "language", "date_added": "registered_at",
                "position": ATTRIBUTE, "date_identified": ATTRIBUTE, "last_active": ATTRIBUTE, "owner": ATTRIBUTE, "title": ATTRIBUTE,
            },
        )
        for column in ("date_identified", "preferred_locale", "attribution_date")
    ),
    *(
        KnownExport(
            "Outlook", "customers", ("First Name", "Last Name", "E-mail Address", column),
            {
                "E-mail Address": "email", "Mobile Phone": "phone", "Birthday": "date_of_birth", "Home City": "city",
                "Home State": "region", "Home Country": "country",
                "Home Country/Region": "country", "Categories": "tags", "Location": ATTRIBUTE,
            },
        )
        for column in ("E-mail Display Name", "Business Street", "Mobile Phone")
    ),
    *(
        KnownExport(
            "Google Contacts", "customers", ("E-mail 1 - Value", column),
            {
                "Name": ATTRIBUTE, "E-mail 1 - Value": "email", "Phone 1 - Value": "phone", "Given Name": "first_name",
                "Family Name": "last_name", "Address 1 - City": "city", "Address 1 - Region": "region", "Address 1 - Country": "country",
                "Labels": "tags", "Group Membership": "tags", "Location": ATTRIBUTE, "Language": "language",
            },
            between=" ::: ",
        )
        for column in ("E-mail 1 - Type", "E-mail 1 - Label", "Given Name", "First Name")
    ),
    KnownExport(
        "ActiveCampaign", "customers", ("Email", "Contact ID", "First Name", "Date Created"),
        {"Contact ID": ATTRIBUTE, "Date Created": "registered_at", "*Date Created": "registered_at", "Account": ATTRIBUTE,
         "Status": "subscribed"},
    ),
    *(
        KnownExport(
            "Salesforce", "customers", ("Contact ID", "Email", column),
            {
                "Contact ID": ATTRIBUTE, "Mailing City": "city", "Mailing State/Province": "region", "Mailing Country": "country",
                "Mobile": ATTRIBUTE, "Account Name": ATTRIBUTE,
            },
        )
        for column in ("Account Name", "Mailing City", "Email Opt Out")
    ),
    KnownExport(
        "MailerLite", "customers", ("Subscriber", "Sent", "Opens", "Clicks"),
        {"Subscriber": "email", "Subscribed": ATTRIBUTE, "Location": ATTRIBUTE},
    ),
    *(
        KnownExport(
            "Pipedrive", "customers", (column,),
            {
                "Person - ID": ATTRIBUTE, "Person - Name": "name", "Person - First name": "first_name", "Person - Last name": "last_name",
                "Person - Email": "email", "Person - Email - Work": "email", "Person - Email - Home": "email",
                "Person - Email - Other": "email", "Person - Phone": "phone", "Person - Phone - Mobile": "phone",
                "Person - Phone - Work": "phone", "Person - Phone - Home": "phone", "Person - Label": "tags", "Person - Labels": "tags",
                "Person - Birthday": "date_of_birth", "Person - Person created": "registered_at", "Person - Add time": "registered_at",
                "Person - City": "city", "Person - State": "region", "Person - Country": "country",
            },
            between=", ",
        )
        for column in ("Person - Email", "Person - Email - Work", "Person - Email - Home")
    ),
    KnownExport(
        "Drip", "customers", ("email", "lifetime_value", "lead_score"),
        {
            "id": ATTRIBUTE, "visitor_uuid": ATTRIBUTE, "created_at": "registered_at", "time_zone": "timezone", "lifetime_value": ATTRIBUTE,
            "original_referrer": ATTRIBUTE, "status": "subscribed",
        },
    ),
    *(
        KnownExport(
            "Constant Contact", "customers", ("Email address", "Email status", column),
            {
                "Phone - mobile": "phone", "Phone - home": "phone", "Phone": "phone", "Created At": "registered_at", "Email Lists": "tags",
                "City - Home": "city", "State/Province - Home": "region", "Country - Home": "country", "Tags": ATTRIBUTE,
                "Birthday (month/day)": ATTRIBUTE, "Source Name": "source",
            },
        )
        for column in ("Email permission status", "Email Lists", "Email update source")
    ),
    KnownExport(
        "Omnisend", "customers", ("Email", "Email status", "SMS status"),
        {"Phone number": "phone", "Date added": "registered_at", "Birthdate": "date_of_birth", "State": "region"},
    ),
    KnownExport(
        "Zoho", "customers", ("Record Id", "Email", "Last Name", "Email Opt Out"),
        {
            "Record Id": ATTRIBUTE, "Full Name": ATTRIBUTE, "Mailing City": "city", "Mailing State": "region", "Mailing Country": "country",
            "Mobile": "phone", "Phone": "phone", "Date of Birth": "date_of_birth", "Created Time": "registered_at", "Tag": "tags",
            "Lead Source": "source", "Title": ATTRIBUTE, "Lead Status": ATTRIBUTE,
        },
    ),
    KnownExport(
        "Salesforce", "customers", ("Lead ID", "Email", "Last Name"),
        {
            "Lead ID": ATTRIBUTE, "State/Province": "region", "Mobile": ATTRIBUTE, "Lead Status": ATTRIBUTE,
            "Created Date": "registered_at", "Create Date": "registered_at", "Title": ATTRIBUTE, "Company / Account": ATTRIBUTE,
        },
    ),
)  # fmt: skip
