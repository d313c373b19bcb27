"""Files with columns in English, German, French, Spanish, Italian, Portuguese and Dutch are mapped without help."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from customers.ingest import RejectedRows, file_type, load_file, sample
from customers.ingest.column_names import COLUMN_NAMES, names_of
from customers.ingest.known_exports import folded
from customers.models import Customer, ServiceInteraction

PEOPLE = {
    "Kundennummer;Vorname;Nachname;E-Mail;Telefon;Geburtsdatum;Land;Stadt;Kunde seit;Sprache",
    "Identifiant client;Prénom;Nom;Adresse e-mail;Téléphone;Date de naissance;Pays;Ville;Client depuis;Langue",
    "N° client;Prenom;Nom de famille;Courriel;Numero de telephone;Date de naissance;Pays;Ville;Créé le;Langue",
    "ID de cliente;Nombre;Apellidos;Correo electrónico;Teléfono;Fecha de nacimiento;País;Ciudad;Fecha de registro;Idioma",
    "ID cliente;Nome;Cognome;Email;Telefono;Data di nascita;Paese;Città;Data di registrazione;Lingua",
    "ID do cliente;Nome;Sobrenome;E-mail;Telefone;Data de nascimento;País;Cidade;Data de cadastro;Idioma",
    "Klantnummer;Voornaam;Achternaam;E-mailadres;Telefoonnummer;Geboortedatum;Land;Plaats;Klant sinds;Taal",
    "customer_id;first_name;last_name;email;phone_number;date_of_birth;country;city;registration_date;language",
}
FIELDS = (
    "external_id first_name last_name email phone date_of_birth country city registered_at language"
)

OTHERS = {
    "orders": {
        "Bestellnummer;Kundennummer;Bestelldatum;Artikelnummer;Artikelname;Menge;Einzelpreis;Filiale",
        "N° de commande;Code client;Date de commande;Référence;Désignation;Quantité;Prix unitaire;Magasin",
        "Número de pedido;Código de cliente;Fecha de pedido;Referencia;Producto;Cantidad;Precio unitario;Tienda",
        "Numero ordine;Codice cliente;Data ordine;Codice articolo;Prodotto;Quantità;Prezzo unitario;Negozio",
        "Número do pedido;Código do cliente;Data do pedido;Código do produto;Produto;Quantidade;Preço unitário;Loja",
        "Bestelnummer;Klantnummer;Besteldatum;Artikelnummer;Artikelnaam;Aantal;Stukprijs;Winkel",
    },
    "products": {
        "Artikelnummer;Bezeichnung;Kategorie;Marke;Preis",
        "Référence;Nom du produit;Catégorie;Marque;Prix",
        "Referencia;Producto;Categoría;Marca;Precio",
        "product_id;product_name;category;brand;price",
    },
}  # fmt: skip
MEANT = {
    "orders": "order_id customer_id placed_at sku name quantity unit_price store",
    "products": "sku name category brand price",
}


@pytest.mark.parametrize("header", sorted(PEOPLE))
def test_columns_of_customers_are_guessed(header: str) -> None:
    mapping = file_type("customers").guess_mapping(header.split(";"))
    assert list(mapping.values()) == FIELDS.split()


@pytest.mark.parametrize(
    ("kind", "header"), [(kind, each) for kind, headers in OTHERS.items() for each in sorted(headers)]
)  # fmt: skip
def test_columns_of_other_files_are_guessed(kind: str, header: str) -> None:
    assert list(file_type(kind).guess_mapping(header.split(";")).values()) == MEANT[kind].split()


@pytest.mark.parametrize(
    ("kind", "header"),
    [
        ("orders", "transaction_id,customer_id,product_id,purchase_date,quantity,total_amount,store_id"),
        ("service_interactions", ("interaction_id,customer_id,interaction_date,interaction_type,product_id,"
         "resolution_status,satisfaction_score")),
        ("orders", "id,Amount,Created (UTC),Customer Email,Status,Currency"),
        ("visits", "session_id,customer_id,visit_date,pages_viewed,time_spent,source"),
        ("campaigns", "campaign_id,campaign_name,start_date,end_date,channel,target_audience"),
        ("campaign_responses", "campaign_id,customer_id,response_date,response_type"),
    ],
)  # fmt: skip
def test_plain_headers_map_to_a_field_each(kind: str, header: str) -> None:
    fields = file_type(kind).guess_mapping(header.split(","))
    assert file_type(kind).fields.keys() >= set(fields.values())


def test_a_lone_name_is_a_full_name() -> None:
    guess = file_type("customers").guess_mapping
    assert guess(["Email", "Nom"]) == {"Email": "email", "Nom": "name"}
    both = guess(["Full name", "First name", "Email"])
    assert both["Full name"] == "name"


def test_a_date_of_registration_is_no_opt_in() -> None:
    mapping = file_type("customers").guess_mapping(["Courriel", "Date d'inscription"])
    assert mapping["Date d'inscription"].startswith("attributes.")
    dated = file_type("customers").guess_mapping(["Email", "Subscription Date"])
    assert dated["Subscription Date"].startswith("attributes.")
    newsletter = file_type("customers").guess_mapping(["Courriel", "Date d'inscription newsletter"])
    assert newsletter["Date d'inscription newsletter"] == "email_opted_in_at"


@pytest.mark.parametrize("kind", COLUMN_NAMES)
def test_each_name_means_one_field(kind: str) -> None:
    fields = file_type(kind).fields
    assert COLUMN_NAMES[kind].keys() <= fields.keys()
    names = Counter(
        name for field in fields for name in {folded(each) for each in names_of(kind, field)} - {""}
    )
    assert [name for name, times in names.items() if times > 1] == []


@pytest.mark.django_db(transaction=True)
def test_a_german_file_goes_in_whole(tmp_path: Path) -> None:
    path = tmp_path / "kunden.csv"
    path.write_bytes(
        "Kundennummer;Vorname;Nachname;E-Mail;Geburtsdatum;Land;PLZ\n"
        "K1;Jürgen;Groß;juergen@example.de;27.10.1958;Deutschland;01067\n".encode("cp1252")
    )
    customers = file_type("customers")
    with RejectedRows(tmp_path / "rejected.csv") as rejected:
        mapping = customers.guess_mapping(sample(path).header)
        loaded = load_file(customers, path, mapping, rejected=rejected, evidence="test")
    assert (loaded.created, loaded.rejected) == (1, 0)
    person = Customer.objects.get(external_id="K1")
    assert (person.last_name, person.country, str(person.date_of_birth)) == (
        "Groß", "DE", "1958-10-27",
    )  # fmt: skip
    assert person.attributes == {"plz": "01067"}


@pytest.mark.django_db(transaction=True)
def test_a_ticket_that_is_closed_is_resolved(tmp_path: Path) -> None:
    Customer.objects.create(external_id="c1")
    path = tmp_path / "tickets.csv"
    path.write_text(
        "interaction_id,customer_id,interaction_date,interaction_type,resolution_status,satisfaction_score\n"
        "t1,c1,2025-03-01,complaint,Resolved,4\nt2,c1,2025-03-02,inquiry,pending,\n"
    )
    tickets = file_type("service_interactions")
    with RejectedRows(tmp_path / "rejected.csv") as rejected:
        mapping = tickets.guess_mapping(sample(path).header)
        load_file(tickets, path, mapping, rejected=rejected, evidence="test")
    resolved = dict(ServiceInteraction.objects.values_list("external_id", "resolved_at"))
    assert resolved["t1"] is not None
    assert resolved["t2"] is None
