"""The seven files that a shop's old systems export are imported with guessed columns: no row is rejected, no column lost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from analytics import metrics
from crm.events import reader
from customers.ingest import file_type
from customers.models import Customer, Interaction, Order, Product, ServiceInteraction, Visit
from marketing.models import Campaign, CampaignExecution

pytestmark = pytest.mark.django_db(transaction=True)

ENGLISH = {
    "customers": """customer_id,first_name,last_name,email,phone_number,date_of_birth,registration_date
C001,Jürgen,Groß,juergen.gross@example.de,+49 30 901820,27.10.1958,2023-01-15
C002,Zoë,"O'Neil, Jr.",zoe@example.com,,1990-02-28,2023-02-20
C003,Léa,Dubois,lea@example.fr,+33 1 70 18 99 00,,2024-12-01
""",
    "products": """product_id,product_name,category,brand,price,launch_date
P-10,"Tent ""Alp"", 2 p.",Outdoor,Nordisk,"1,299.00",2022-03-01
P-11,Lantern,Outdoor,,39.5,
""",
    "orders": """transaction_id,customer_id,product_id,purchase_date,quantity,total_amount,store_id
T1,C001,P-10,2024-05-01 10:12:00,1,1299.00,S1
T2,C002,P-11,2024-05-02,2,79.00,S1
T3,C003,P-99,2024-05-03,1,5.00,
""",
    "service_interactions": """interaction_id,customer_id,interaction_date,interaction_type,product_id,resolution_status,satisfaction_score
I1,C001,2024-05-04,Complaint,P-10,Resolved,4
I2,C002,2024-05-05,Inquiry,,Pending,
I3,C003,2024-05-06 08:00,feedback,P-11,Closed,5
""",
    "campaigns": """campaign_id,campaign_name,start_date,end_date,channel,target_audience
M1,Spring on air,2024-03-01,2024-03-31,TV,"Adults, 25-49"
M2,Letter in May,2024-05-01,2024-05-10,Email,Newsletter readers
M3,Billboards,2024-06-01,,Out-of-home,Commuters
""",
    "campaign_responses": """response_id,campaign_id,customer_id,response_date,response_type
R1,M2,C001,2024-05-02,Opened
R2,M2,C001,2024-05-02,Clicked
R3,M2,C001,2024-05-02,Clicked
R4,M2,C002,2024-05-03,Converted
R5,M2,C003,2024-05-03,No Response
R6,M1,C002,2024-03-08,Shared
R7,M1,C003,2024-03-09,
""",
    "visits": """session_id,customer_id,visit_date,pages_viewed,time_spent,source
S-1,C001,2024-04-30 21:00:00,7,340,Google Ads
S-2,C002,2024-05-01,1,12,newsletter
""",
}
GERMAN = {
    "customers": """Kundennummer;Vorname;Nachname;E-Mail;Telefonnummer;Geburtsdatum;Registrierungsdatum
C001;Jürgen;Groß;juergen.gross@example.de;+49 30 901820;27.10.1958;15.01.2023
C002;Zoë;O'Neil, Jr.;zoe@example.com;;28.02.1990;20.02.2023
C003;Léa;Dubois;lea@example.fr;+33 1 70 18 99 00;;01.12.2024
""",
    "products": """Artikelnummer;Bezeichnung;Kategorie;Marke;Preis;Markteinführung
P-10;"Tent ""Alp"", 2 p.";Outdoor;Nordisk;1.299,00;01.03.2022
P-11;Lantern;Outdoor;;39,5;
""",
    "orders": """Bestellnummer;Kundennummer;Artikelnummer;Bestelldatum;Menge;Betrag;Filiale
T1;C001;P-10;01.05.2024 10:12:00;1;1.299,00;S1
T2;C002;P-11;02.05.2024;2;79,00;S1
T3;C003;P-99;03.05.2024;1;5,00;
""",
    "service_interactions": """Vorgangsnummer;Kundennummer;Kontaktdatum;Kontaktart;Artikelnummer;Bearbeitungsstatus;Zufriedenheit
I1;C001;04.05.2024;Beschwerde;P-10;Gelöst;4
I2;C002;05.05.2024;Anfrage;;In Bearbeitung;
I3;C003;06.05.2024 08:00;Rückmeldung;P-11;geschlossen;5
""",
    "campaigns": """Kampagnen-ID;Kampagnenname;Startdatum;Enddatum;Kanal;Zielgruppe
M1;Spring on air;01.03.2024;31.03.2024;Fernsehen;Adults, 25-49
M2;Letter in May;01.05.2024;10.05.2024;E-Mail-Newsletter;Newsletter readers
M3;Billboards;01.06.2024;;Out-of-home;Commuters
""",
    "campaign_responses": """Reaktions-ID;Kampagnen-ID;Kundennummer;Reaktionsdatum;Reaktion
R1;M2;C001;02.05.2024;Geöffnet
R2;M2;C001;02.05.2024;geklickt
R3;M2;C001;02.05.2024;geklickt
R4;M2;C002;03.05.2024;Gekauft
R5;M2;C003;03.05.2024;keine Reaktion
R6;M1;C002;08.03.2024;Shared
R7;M1;C003;09.03.2024;
""",
    "visits": """Sitzungs-ID;Kundennummer;Besuchsdatum;Seitenaufrufe;Verweildauer;Quelle
S-1;C001;30.04.2024 21:00:00;7;340;Google Ads
S-2;C002;01.05.2024;1;12;newsletter
""",
}


@pytest.mark.parametrize(("files", "encoding"), [(ENGLISH, "utf-8"), (GERMAN, "cp1252")])
def test_seven_files_go_in_whole(
    files: Mapping[str, str], encoding: str, tmp_path: Path, settings: Any, staff_client: Client
) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    for kind, text in files.items():
        report = import_file(tmp_path / f"{kind}.csv", kind, text.encode(encoding))
        assert " 0 rows rejected" in report, report
        assert "could not be used" not in report, report
        again = import_file(tmp_path / f"{kind}.csv", kind, text.encode(encoding))
        assert re.search(r": 0 [a-z ]+ created, 0 updated", again), again

    check_customers_and_orders()
    check_campaigns()
    reader.catch_up(metrics.SUBSCRIBER)
    page = staff_client.get("/admin/analytics/marketing/?since=2024-01-01&until=2024-12-31")
    assert page.status_code == 200
    for campaign in Campaign.objects.all():
        shown = staff_client.get(f"/admin/marketing/campaign/{campaign.pk}/change/")
        assert shown.status_code == 200
    listed = staff_client.get("/admin/marketing/campaign/").content.decode()
    for campaign in Campaign.objects.all():
        assert f"{campaign.get_channel_display()} · One-time" in listed


def test_each_column_maps_to_a_field_of_its_own() -> None:
    for files, separator in ((ENGLISH, ","), (GERMAN, ";")):
        for kind, text in files.items():
            header = text.partition("\n")[0].split(separator)
            mapping = file_type(kind).guess_mapping(header)
            assert set(mapping.values()) <= file_type(kind).fields.keys(), mapping
            assert len(set(mapping.values())) == len(header)


def import_file(path: Path, kind: str, content: bytes) -> str:
    path.write_bytes(content)
    output = StringIO()
    call_command("import_file", kind, str(path), stdout=output)
    return output.getvalue()


def check_customers_and_orders() -> None:
    person = Customer.objects.get(external_id="C001")
    assert (person.last_name, person.phone, person.date_of_birth) == (
        "Groß", "+4930901820", date(1958, 10, 27),
    )  # fmt: skip
    tent = Product.objects.get(sku="P-10")
    assert (tent.name, tent.price, tent.launch_date) == (
        'Tent "Alp", 2 p.', Decimal(1299), date(2022, 3, 1),
    )  # fmt: skip
    assert Order.objects.get(external_id="T2").amount == Decimal(79)
    assert Order.objects.get(external_id="T1").store == "S1"
    tickets = {each.external_id: each for each in ServiceInteraction.objects.all()}
    assert [tickets[name].type for name in ("I1", "I2", "I3")] == [
        "complaint", "inquiry", "feedback",
    ]  # fmt: skip
    assert [tickets[name].resolved_at is not None for name in ("I1", "I2", "I3")] == [
        True, False, True,
    ]  # fmt: skip
    visit = Visit.objects.get(external_id="S-1")
    assert (visit.pages, visit.seconds, visit.referrer) == (7, 340, "Google Ads")


def check_campaigns() -> None:
    channels = dict(Campaign.objects.values_list("external_id", "channel"))
    assert channels == {"M1": "TV", "M2": "email", "M3": "Out-of-home"}
    spring = Campaign.objects.get(external_id="M1")
    assert spring.description == "Adults, 25-49"
    assert spring.completed_at == datetime(2024, 3, 31, tzinfo=UTC)
    messages = {
        (each.run.campaign.external_id, each.customer.external_id): each
        for each in CampaignExecution.objects.select_related("run__campaign", "customer")
    }
    assert messages["M2", "C001"].clicked_at == datetime(2024, 5, 2, tzinfo=UTC)
    assert messages["M2", "C002"].converted_at is not None
    assert messages["M2", "C003"].opened_at is None
    assert messages["M1", "C003"].converted_at is None
    kept = Interaction.objects.filter(properties__has_key="response_id").order_by("id")
    named = {each.properties["response_id"]: each.type for each in kept}
    assert named == {
        "R1": "message_opened",
        "R2": "message_clicked",
        "R3": "message_clicked",
        "R4": "message_converted",
        "R5": "message_sent",
        "R6": "campaign_response",
        "R7": "message_sent",
    }
    shared = Interaction.objects.get(type="campaign_response")
    assert shared.properties["response"] == "Shared"


def test_an_unsubscribe_needs_a_channel_with_opt_outs(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    for kind in ("customers", "campaigns"):
        import_file(tmp_path / f"{kind}.csv", kind, ENGLISH[kind].encode())
    responses = "campaign_id,customer_id,response_date,response_type\nM1,C001,2024-03-09,Opted out\nM2,C001,2024-05-09,Abgemeldet\n"
    report = import_file(tmp_path / "responses.csv", "campaign_responses", responses.encode())
    assert " 1 rows rejected" in report
    person = Customer.objects.get(external_id="C001")
    assert list(person.consents.values_list("channel", "decision")) == [("email", "opted_out")]
