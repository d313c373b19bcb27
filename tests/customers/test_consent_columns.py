"""Files of other products state consent in their own words; what is unclear stops the import with a question."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from rest_framework.test import APIClient

from customers import consent
from customers.identity import merge
from customers.ingest import file_type
from customers.ingest.consent_columns import consent_fields
from customers.ingest.fields import clean_refuses, clean_wants
from customers.models import Consent, Customer, ImportJob
from customers.tracking_api import keys, read_call, receive_calls
from tests.factories.customers import make_customer

PERSON = "person@example.com"

OPT_OUTS = {
    "Mailchimp, unsubscribed": "Email Address,First Name,UNSUB_TIME,UNSUB_REASON\n@,A,2023-02-01 09:00:00,N (NORMAL)",
    "Mailchimp, cleaned": "Email Address,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE\n@,2023-02-01 09:00:00,News",
    "HubSpot": "Record ID,Email,Unsubscribed from all email,Marketing contact status\n501,@,true,Non-marketing contact",
    "HubSpot, by topic": "Email,Opted out of email: Marketing Information\n@,Yes",
    "Klaviyo": "Email,Email Marketing Consent,Email Marketing Consent Timestamp\n@,UNSUBSCRIBED,2023-02-01 09:00:00",
    "Klaviyo, suppressed": "Email,Email Suppressions\n@,\"['UNSUBSCRIBE', 'HARD_BOUNCE']\"",
    "Salesforce, report": "Contact ID,Email,Email Opt Out\n0035e,@,1",
    "Salesforce, Data Loader": "ID,FIRSTNAME,EMAIL,HASOPTEDOUTOFEMAIL,HASOPTEDOUTOFFAX\n0036e,A,@,true,false",
    "Salesforce, bounced": "Id,Email,EmailBouncedReason,EmailBouncedDate\n0037e,@,550 unknown,2023-02-01T09:00:00Z",
    "Shopify": "Customer ID,Email,Accepts Email Marketing,Accepts SMS Marketing\n77,@,no,no",
    "Shopify, older": "First Name,Email,Accepts Marketing\nA,@,no",
    "Mautic": "firstname,email,doNotEmail\nA,@,1",
    "listmonk": "email,name,status\n@,A,blocklisted",
    "ActiveCampaign": "Email,First Name,Status\n@,A,Unsubscribed",
    "SuiteCRM": "Email Address,First Name,Email Opt Out,Invalid Email\n@,A,1,0",
    "Substack": "email,active_subscription,email_disabled\n@,false,true",
    "WooCommerce": "Email,Newsletter\n@,no",
    "Brevo": "EMAIL,EMAIL_MARKETING,SMS_MARKETING\n@,unsubscribed,subscribed",
    "Brevo, older": "EMAIL,emailBlacklisted\n@,true",
    "Mailjet": "Email,IsUnsubscribed,UnsubscribedAt\n@,true,2023-02-01T09:00:00Z",
    "Mailjet, excluded": "Email,IsExcludedFromCampaigns\n@,TRUE",
    "Constant Contact": "Email address,Email status,Email permission status,Email opt-out date\n@,Unsubscribed,,2023-02-01",
    "Campaign Monitor": "Email Address,State,Consent to Track\n@,Unsubscribed,Yes",
    "Customer.io": "email,unsubscribed\n@,true",
    "Braze": "external_id,email,email_subscribe\nb-1,@,unsubscribed",
    "Intercom": "Email,Unsubscribed from Emails,Marked email as spam\n@,true,false",
    "Intercom, spam": "Email,Unsubscribed from Emails,Marked email as spam\n@,false,true",
    "Zoho": "Email,Email Opt Out,Unsubscribed Mode,Unsubscribed Time\n@,true,Manual,2023-02-01 09:00:00",
    "Pipedrive": "Person - Name,Person - Email,Person - Marketing status\nAda,@,Unsubscribed",
    "MailerLite": "email,Subscribed,Unsubscribed,Opt-in IP\n@,2022-01-01 09:00:00,2023-02-01 09:00:00,192.0.2.1",
    "Kit": "email,status\n@,complained",
    "Kit, state": "id,first_name,email,state,created_at,tags\n1,A,@,cancelled,2023-02-01 09:00:00 UTC,news",
    "Kit, bounced": "email_address,first_name,state,created_at\n@,A,bounced,2023-02-01T09:00:00Z",
    "Kit, unconfirmed": "email_address,first_name,state,created_at\n@,A,inactive,2023-02-01T09:00:00Z",
    "Omnisend": "Email,Email status,Email status date\n@,nonSubscribed,2023-02-01T09:00:00Z",
    "Drip": "email,status,unsubscribed_at\n@,unsubscribed,2023-02-01T09:00:00Z",
    "Cordial": "email,channels.email.subscribeStatus\n@,unsubscribed",
    "Segment": "email,email_subscription_status\n@,unsubscribed",
    "Wix": "Email,Email subscriber status\n@,Unsubscribed",
    "Freshsales": "Email,Subscription status\n@,Reported as spam",
    "Keap": "Email,Opt-in status\n@,Non-marketable",
    "Odoo": "email,opt_out\n@,True",
    "Dynamics 365": "Email,Do not allow Bulk Emails,Do not allow Phone Calls\n@,Do Not Allow,Allow",
    "Dynamics 365, one": "Email,Do not allow Emails\n@,Do Not Allow",
    "Dynamics 365, API": "emailaddress1,donotemail,donotbulkemail,donotphone\n@,false,true,false",
    "CiviCRM": "Email,No Bulk Emails (User Opt Out),Do Not Email\n@,Yes,",
    "CiviCRM, raw": "email,no_bulk_email,email_on_hold\n@,1,0",
    "a question": "Email,Doesn't want emails\n@,yes",
    "a question, asked twice": "Email,Don’t email\n@,yes",
    "a question, other": "Email,OK to email?\n@,N",
    "a mailing": "Email,Exclude from mailings\n@,Yes",
    "German, blocked": "E-Mail,Mailsperre\n@,x",
    "a list": "email;Do Not Contact\n@;x",
    "a sheet": "email,DNC\n@,1.0",
    "epoch": "email,unsubscribed_at\n@,1675242000",
    "German": "E-Mail,Abgemeldet am\n@,01.02.2023",
    "German, yes": "E-Mail,Newsletter abonniert\n@,nein",
    "German, no": "E-Mail,Kein Newsletter\n@,ja",
    "French, no": "Email,Pas de newsletter\n@,oui",
    "Spanish, no": "Email,Sin publicidad\n@,sí",
    "Italian, no": "Email,Niente newsletter\n@,sì",
    "Portuguese, no": "Email,Sem newsletter\n@,sim",
    "Dutch, no": "Email,Geen nieuwsbrief\n@,ja",
    "Swedish, no": "Email,Inget nyhetsbrev\n@,ja",
    "a form": "Email,Newsletter (yes/no)\n@,no",
    "French": "Email,Désabonné\n@,oui",
    "French, phrase": "Email,Ne pas contacter\n@,vrai",
    "Spanish": "Email,Fecha de baja\n@,2023-02-01",
    "Italian": "Email,Consenso marketing\n@,no",
    "Portuguese": "Email,Não contatar\n@,sim",
    "Dutch": "Email,Uitgeschreven\n@,ja",
    "Swedish": "Email,Avregistrerad\n@,ja",
}
"""A file of each product about one customer who opted out, or never opted in."""

OPT_INS = {
    "Shopify": "Email,Accepts Email Marketing\n@,yes",
    "Klaviyo": "Email,Email Marketing Consent,Email Marketing Consent Timestamp\n@,SUBSCRIBED,2023-02-01 09:00:00",
    "Mailchimp": "Email Address,OPTIN_TIME,CONFIRM_TIME\n@,2023-01-05 10:22:33,2023-01-05 10:22:33",
    "Omnisend": "Email,Email status\n@,subscribed",
    "listmonk": "email,name,status\n@,A,enabled",
    "HubSpot": "Email,Unsubscribed from all email\n@,false",
    "Salesforce": "Contact ID,Email,Email Opt Out\n0035e,@,0",
    "Mautic": "firstname,email,doNotEmail\nA,@,0",
    "ActiveCampaign": "Email,First Name,Status\n@,A,Active",
    "Brevo": "EMAIL,EMAIL_MARKETING\n@,subscribed",
    "Mailjet": "Email,IsUnsubscribed\n@,false",
    "Constant Contact": "Email address,Email status\n@,Active",
    "Campaign Monitor": "Email Address,State\n@,Active",
    "Customer.io": "email,unsubscribed\n@,false",
    "Braze": "external_id,email,email_subscribe\nb-1,@,opted_in",
    "Intercom": "Email,Unsubscribed from Emails\n@,false",
    "Zoho": "Email,Email Opt Out\n@,false",
    "Drip": "email,status\n@,active",
    "WooCommerce": "Email,Newsletter\n@,yes",
    "Dynamics 365": "Email,Do not allow Bulk Emails,Allow Email\n@,Allow,Allow",
}
"""A file of each product about one customer who is opted in there."""

NO_DECISIONS = {
    "Klaviyo": "Email,Email Marketing Consent,Email Marketing Consent Timestamp\n@,NEVER_SUBSCRIBED,",
    "Klaviyo, SMS": "Email,Phone Number,SMS Marketing Consent\n@,+14155550123,NEVER_SUBSCRIBED",
    "Klaviyo, API": "email,subscriptions.email.marketing.consent\n@,Never Subscribed",
    "Segment": "email,email_subscription_status\n@,did-not-subscribe",
    "Kit": "email,first_name,state,created_at\n@,A,active,2023-02-01T09:00:00Z",
    "ActiveCampaign": "Email,First Name,Status\n@,A,Active",
    "Constant Contact": "Email address,Email status,Email permission status\n@,Not set,Implied",
    "nothing": "Email,Newsletter\n@,",
}
"""A file of each product about one customer who was never asked, or of whom it does not say."""

SAY_NOTHING = """
    email,Consent to Track,Cookie consent,Privacy policy accepted
    email,Subscription Plan,Subscription ID,active_subscription
    email,Options,Marketing Channel,utm_marketing,Adoption date
    Email,Marketing emails bounced,Marketing emails opened
    email,Preferred contact method,Contact owner,Optician
    email,Direct Mail Opt Out,HasOptedOutOfFax,Accepts Email Marketing
"""
UNCLEAR = """
    GDPR
    Phone opt-in
    Mobile number opt in
    cio_subscription_preferences.topics.topic_1
    Communication preferences
    Legal basis for processing contact's data
    Marketing
    UNSUB_REASON
    Bounce count
    Not subscribed
    Never subscribed to newsletter
    Ohne Einwilligung
    Hat nicht zugestimmt
    Promotional emails
    Ønsker nyhedsbrev
    Рассылка
"""


@pytest.mark.parametrize("name", OPT_OUTS)
def test_an_opt_out_of_a_product_has_a_field(name: str) -> None:
    header, *rows = csv.reader(
        StringIO(OPT_OUTS[name]), delimiter=";" if ";" in OPT_OUTS[name] else ","
    )
    fields = consent_fields(header, rows).values()
    assert {"subscribed", "email_opt_out", "do_not_contact"} & {*fields}
    assert "unclear" not in fields


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("column", "decision"), [("Unsubscribed at", "opted_out"), ("Subscribed", "opted_in")]
)
def test_the_date_of_a_consent_has_the_order_of_its_column(
    tmp_path: Path, column: str, decision: str
) -> None:
    path = tmp_path / "people.csv"
    path.write_text(f"email,{column}\na@example.com,05/03/2023\nb@example.com,13/05/2023\n")
    call_command("import_file", "customers", str(path), stdout=StringIO())
    consents = Consent.objects.filter(decision=decision).order_by("customer__email")
    assert [each.decided_at.strftime("%d.%m.%Y") for each in consents] == ["05.03.2023", "13.05.2023"]  # fmt: skip

    path.write_text(f"email,{column}\nc@example.com,05/03/2023\n")
    with pytest.raises(CommandError, match=column):
        call_command("import_file", "customers", str(path))


@pytest.mark.parametrize("line", SAY_NOTHING.split("\n"))
def test_a_column_about_other_things_needs_no_answer(line: str) -> None:
    fields = consent_fields(line.strip().split(","))
    assert {*fields.values()} <= {"detail", "subscribed"}


@pytest.mark.parametrize("column", [line.strip() for line in UNCLEAR.strip().splitlines()])
def test_an_unclear_column_needs_an_answer(column: str) -> None:
    assert consent_fields(["email", column])[column] == "unclear"


def test_a_column_without_a_channel_concerns_all_of_a_phone_list() -> None:
    assert consent_fields(["Phone", "Opt out"]) == {"Opt out": "do_not_contact"}
    assert consent_fields(["E-Mail", "Opt out"]) == {"Opt out": "email_opt_out"}
    assert consent_fields(["email", "Do not call"]) == {"Do not call": "sms_opt_out"}


@pytest.mark.parametrize(
    "cell", ["VIP list", "2", "да", "maybe", "N (NORMAL)", "3.5", "2999-01-01", "U"]
)
def test_an_unknown_cell_is_refused(cell: str) -> None:
    for clean in (clean_wants, clean_refuses):
        with pytest.raises(ValueError, match="wants messages"):
            clean(cell)


@given(st.text(max_size=30))
def test_an_opt_in_is_never_guessed(text: str) -> None:
    known = {"yes", "y", "allow", "true", "t", "1", "on", "x", "subscribed", "opted in", "ja", "si"}
    try:
        assert clean_refuses(text).wanted is not True
        wanted = clean_wants(text).wanted
    except ValueError:
        return
    assert not wanted or len(text) < 20 or any(word in text.casefold() for word in known)


def run(folder: Path, text: str, *options: str) -> str:
    path = folder / "people.csv"
    path.write_text(text.replace("@", PERSON, 1))
    said = StringIO()
    call_command("import_file", "customers", str(path), *options, stdout=said)
    return said.getvalue()


@pytest.mark.django_db
def test_opt_outs_of_products_are_imported(tmp_path: Path) -> None:
    for name, text in OPT_OUTS.items():
        with transaction.atomic():
            run(tmp_path, text)
            assert "email" in Customer.objects.get().opted_out_channels, name
            transaction.set_rollback(True)


@pytest.mark.django_db
def test_who_was_never_asked_decided_nothing(tmp_path: Path) -> None:
    for name, text in NO_DECISIONS.items():
        with transaction.atomic():
            run(tmp_path, text)
            customer = Customer.objects.get()
            assert customer.opted_out_channels == [], name
            assert customer.region == "", name
            assert not Consent.objects.exists(), name
            transaction.set_rollback(True)


@pytest.mark.django_db
def test_an_opt_out_survives_the_files_of_all_products(tmp_path: Path) -> None:
    person = make_customer(email=PERSON)
    consent.opt_out_addresses("email", [PERSON], "unsubscribe link", customer_ids=[person.pk])
    for name, text in OPT_INS.items():
        run(tmp_path, text)
        person.refresh_from_db()
        assert "email" in person.opted_out_channels, name
    for _night in range(3):
        assert "1 unchanged opt-outs" in run(tmp_path, "email,accepts_marketing\n@,yes")

    key, _secret = keys.issue_key("shop")
    traits = {"email": PERSON, "subscribed": True, "accepts_marketing": True}
    call = {"type": "identify", "userId": "u-1", "messageId": "m-1", "traits": traits}
    receive_calls([read_call(call, timezone.now(), None)], key.pk)
    duplicate = make_customer(external_id="c-2")
    consent.opt_in(duplicate.pk, "email", "a form")
    merge(person.pk, duplicate.pk)

    person.refresh_from_db()
    assert "email" in person.opted_out_channels


@pytest.mark.django_db
def test_a_new_consent_has_its_evidence(tmp_path: Path) -> None:
    person = make_customer(email=PERSON)
    consent.opt_out(person.pk, "email", "a letter")
    text = "email,accepts_marketing\n@,yes"
    with pytest.raises(CommandError, match="evidence"):
        run(tmp_path, text, "--new-consent", "cards of the fair")
    for year in ("2001", "2999"):
        with pytest.raises(CommandError) if year == "2999" else transaction.atomic():
            run(tmp_path, text, "--new-consent", "cards of the fair", "--given-at", f"{year}-01-01")
        person.refresh_from_db()
        assert person.opted_out_channels == ["email"]
    Consent.objects.update(decided_at="2024-01-01T00:00Z")
    run(tmp_path, text, "--new-consent", "cards of the fair", "--given-at", "2025-01-31")
    person.refresh_from_db()
    assert person.opted_out_channels == []
    newest = person.consents.latest("decided_at")
    assert "cards of the fair" in newest.evidence
    assert "2025-01-31" in newest.evidence


@pytest.mark.django_db
def test_the_command_asks_about_unclear_consent(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="GDPR"):
        run(tmp_path, "email,GDPR\n@,yes")
    with pytest.raises(CommandError, match="Gold"):
        run(tmp_path, "email,Newsletter\n@,Gold")
    with pytest.raises(CommandError, match="Mood"):
        run(tmp_path, "email,Mood\n@,unsubscribed")
    assert not Customer.objects.exists()

    run(tmp_path, "email,GDPR\n@,yes", "--ignore-consent")
    run(tmp_path, "email,GDPR\n@,yes", "--map", "GDPR=attributes.gdpr")
    assert not Consent.objects.exists()
    run(tmp_path, "email,Newsletter\n@,Gold", "--consent-value", "Gold=opted_out")
    assert Customer.objects.get().opted_out_channels == ["email"]


@pytest.mark.django_db
def test_an_unclear_cell_beyond_the_first_rows_stops_the_import(tmp_path: Path) -> None:
    rows = "".join(f"a{number}@example.com,yes\n" for number in range(2_100))
    with pytest.raises(CommandError, match="perhaps"):
        run(tmp_path, f"email,Newsletter\n{rows}@,perhaps")
    assert not Customer.objects.exists()


def upload(text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("people.csv", text.replace("@", PERSON, 1).encode())


@pytest.mark.django_db
def test_the_api_asks_about_unclear_consent(
    api: APIClient, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    given = {"kind": "customers", "file": upload("email,Newsletter,GDPR\n@,Gold,ok")}
    answer = api.post("/api/imports", given, format="multipart")
    assert answer.status_code == 400
    paths = {error["path"] for error in answer.data["errors"]}
    assert paths == {"mapping.GDPR", "consent_values.Newsletter"}
    assert not ImportJob.objects.exists()

    given |= {
        "file": upload("email,Newsletter,GDPR\n@,Gold,ok"),
        "consent_values": '{"Gold": "nothing"}',
        "ignore_consent": "true",
    }
    assert api.post("/api/imports", given, format="multipart").status_code == 202


@pytest.mark.django_db
def test_the_mapping_page_asks_about_unclear_consent(
    staff_client: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    job = ImportJob.objects.create(
        kind="customers", name="people.csv", file=upload("email,Newsletter,GDPR\n@,Gold,ok")
    )
    url = reverse("admin:customers_importjob_mapping", args=[job.pk])
    page = staff_client.get(url).content.decode()
    assert "“Gold” means" in page
    assert "“GDPR”: no statement of consent" in page

    mapping = file_type("customers").guess_mapping(["email", "Newsletter", "GDPR"])
    columns = {f"column_{place}": field for place, field in enumerate(mapping.values())}
    assert staff_client.post(url, columns).status_code == 200
    job.refresh_from_db()
    assert job.state == "uploaded"

    answers = {"cell_0": "opted_out", "ignore_consent": "on"}
    assert staff_client.post(url, columns | answers).status_code == 302
    job.refresh_from_db()
    assert job.consent["values"] == {"Gold": "opted_out"}
