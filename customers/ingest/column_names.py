"""Names of columns in German, French, Spanish, Italian, Portuguese and Dutch, by type of file and field.

Case, accents, spaces and punctuation are ignored. A name that means two fields in two of the languages is left out.
"""

from __future__ import annotations

import re

CONTACT_COLUMNS = {
    "email": re.compile(
        r"mail|courriel|correo|^(subscribers?|recipients?|contacts?|login|user ?name)$",
        re.IGNORECASE,
    ),
    "phone": re.compile(
        r"phone|mobile|\bcell\b|\btel\b|\bsms\b|telefon|téléphone|teléfono", re.IGNORECASE
    ),
}
"""Columns that hold an address or number of the customer if all of their cells do, where no column has its plain name."""
OTHER_PEOPLE = re.compile(
    r"owner|referr|agent|manager|created by|modified by|assign|sales ?rep|parent|emergency|assistant|partner|spouse|company|"
    r"organi[sz]ation|account|office|fax|former|previous|\bold\b|\bcc\b|reply|sender|support",
    re.IGNORECASE,
)
"""Words of columns about somebody else than the customer, or about an address that is no longer used."""
ADDRESS_CELLS = {
    "email": re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;]+"),
    "phone": re.compile(
        r"(?!\d{4}-\d\d-\d\d|\d{1,2}[/.]\d{1,2}[/.]\d{2,4})'?\+?[\d\s().\-/]{7,24}(\s?(x|ext\.?)\s?\d+)?"
    ),
}
BARE_NAMES = frozenset({"name", "nom", "nombre", "nome", "naam"})
"""Columns of full names or, beside one of first or last names, of the other."""

_CUSTOMER_IDS = """
    Kundennummer, Kundennr, Kunden-Nr., Kunden-ID, Kd-Nr, Debitorennummer, Mitgliedsnummer, Identifiant client, ID client, N° client,
    Numéro client, Numéro de client, Code client, Référence client, ID cliente, ID de cliente, ID del cliente, Número de cliente,
    Nº de cliente, Nº cliente, Código de cliente, Código cliente, Codice cliente, Numero cliente, N. cliente, ID do cliente,
    Número do cliente, Código do cliente, Klantnummer, Klantnr, Klant-ID, Klantcode
"""
_ADDRESSES = """
    E-Mail-Adresse, Emailadresse, Mailadresse, Adresse e-mail, Adresse mail, Adresse électronique, Courriel, Correo, Correo electrónico,
    Dirección de correo, Dirección de correo electrónico, Dirección de email, Indirizzo e-mail, Indirizzo mail, Posta elettronica,
    Endereço de e-mail, Correio eletrónico, Correio eletrônico, E-mailadres, Mailadres
"""
_SKUS = """
    Artikelnummer, Artikel-Nr, Art.-Nr., Artikelnr, Artikelcode, Produktnummer, Produkt-ID, Référence, Référence produit,
    Référence article, Code produit, ID produit, Referencia, Código de producto, Código producto, ID de producto, Codice prodotto,
    Codice articolo, ID prodotto, Código do produto, ID do produto, Referência, Productcode, Product-ID, Productnummer
"""
_PRODUCTS = """
    Artikel, Artikelname, Artikelbezeichnung, Produkt, Produktname, Bezeichnung, Produit, Nom du produit, Désignation, Libellé, Producto,
    Nombre del producto, Artículo, Prodotto, Nome prodotto, Articolo, Produto, Nome do produto, Artigo, Productnaam, Artikelnaam,
    Omschrijving
"""
_DAYS = "Datum, Zeitpunkt, Fecha, Data"

IN_ALL_FILES = {"customer_id": f"{_CUSTOMER_IDS}, Kunde, Client, Cliente, Klant, {_ADDRESSES}"}

COLUMN_NAMES: dict[str, dict[str, str]] = {
    "customers": {
        "external_id": _CUSTOMER_IDS,
        "email": _ADDRESSES,
        "phone": """
            Telefon, Telefonnummer, Rufnummer, Tel.-Nr., Handy, Handynummer, Mobil, Mobiltelefon, Mobilnummer, Téléphone,
            Numéro de téléphone, N° de téléphone, Téléphone portable, Téléphone mobile, Portable, Teléfono, Número de teléfono,
            Teléfono móvil, Móvil, Celular, Telefono, Numero di telefono, Cellulare, Telefone, Número de telefone, Telemóvel, Telefoon,
            Telefoonnummer, Mobiel, Mobiele nummer, Mobiel nummer, GSM
        """,
        "name": """
            Vollständiger Name, Vor- und Nachname, Kundenname, Nom, Nom complet, Nom et prénom, Nom du client, Nombre, Nombre completo,
            Nombre y apellidos, Nombre del cliente, Nome, Nome completo, Nome e cognome, Nome cliente, Nominativo, Nome do cliente, Naam,
            Volledige naam, Klantnaam
        """,
        "first_name": """
            Vorname, Prénom, Nombre de pila, Nome di battesimo, Primeiro nome, Nome próprio, Voornaam
        """,
        "last_name": """
            Nachname, Familienname, Zuname, Nom de famille, Apellido, Apellidos, Primer apellido, Cognome, Sobrenome, Apelido,
            Último nome, Achternaam, Familienaam
        """,
        "date_of_birth": """
            Geburtsdatum, Geburtstag, Date de naissance, Anniversaire, Fecha de nacimiento, Fecha nacimiento, Cumpleaños,
            Data di nascita, Compleanno, Data de nascimento, Nascimento, Aniversário, Geboortedatum, Verjaardag
        """,
        "city": """
            Stadt, Ort, Wohnort, Ville, Localité, Ciudad, Localidad, Población, Città, Località, Comune, Cidade, Localidade, Município,
            Stad, Plaats, Woonplaats
        """,
        "region": "Bundesland, Kanton, Région, Provincia, Comunidad autónoma, Regione, Provincie, Regio",
        "country": "Land, Pays, País, Paese, Nazione",
        "language": "Sprache, Langue, Idioma, Lingua, Língua, Taal",
        "timezone": "Zeitzone, Fuseau horaire, Zona horaria, Fuso orario, Fuso horário, Tijdzone",
        "source": "Herkunft, Quelle, Provenance, Origen, Fuente, Origine, Provenienza, Origem, Herkomst",
        "tags": "Schlagwörter, Schlagworte, Étiquettes, Mots-clés, Etiquetas, Etichette, Marcadores, Trefwoorden",
        "registered_at": """
            Kunde seit, Registriert am, Registrierungsdatum, Angelegt am, Erstellt am, Client depuis, Date de création,
            Date de création du compte, Créé le, Date d'enregistrement, Cliente desde, Fecha de registro, Fecha de alta,
            Fecha de creación, Cliente dal, Data di registrazione, Data registrazione, Data di creazione, Data de cadastro,
            Data de registo, Data de registro, Data de criação, Klant sinds, Registratiedatum, Aanmaakdatum, Aangemaakt op
        """,
        "total_spend": """
            Gesamtumsatz, Gesamtausgaben, Total dépensé, Dépenses totales, Chiffre d'affaires, Gasto total, Total gastado,
            Spesa totale, Totale speso, Total gasto, Totale uitgaven, Totaal besteed
        """,
        "order_count": """
            Anzahl Bestellungen, Bestellungen, Nombre de commandes, Commandes, Número de pedidos, Pedidos, Numero ordini,
            Numero di ordini, Ordini, Número de encomendas, Encomendas, Aantal bestellingen
        """,
        "visit_count": "Anzahl Besuche, Nombre de visites, Número de visitas, Numero di visite, Aantal bezoeken",
        "last_visit_at": "Letzter Besuch, Dernière visite, Última visita, Laatste bezoek",
    },
    "orders": {
        "order_id": """
            Bestellnummer, Bestell-Nr., Bestell-ID, Bestellung, Auftragsnummer, Rechnungsnummer, Belegnummer, Numéro de commande,
            N° de commande, N° commande, Commande, ID commande, Référence commande, Numéro de facture, Número de pedido, Nº de pedido,
            Pedido, ID de pedido, ID del pedido, Numero ordine, N. ordine, Numero d'ordine, ID ordine, Ordine, Número do pedido,
            ID do pedido, Número da encomenda, Encomenda, Bestelnummer, Ordernummer, Bestelling, Factuurnummer
        """,
        "placed_at": f"""
            Bestelldatum, Bestellt am, Auftragsdatum, Kaufdatum, Rechnungsdatum, Date de commande, Date de la commande, Date commande,
            Commandé le, Date d'achat, Fecha de pedido, Fecha del pedido, Fecha de compra, Data ordine, Data dell'ordine,
            Data acquisto, Data di acquisto, Data do pedido, Data da compra, Data da encomenda, Besteldatum, Orderdatum,
            Aankoopdatum, {_DAYS}
        """,
        "store": """
            Filiale, Laden, Geschäft, Magasin, Boutique, Point de vente, Tienda, Sucursal, Negozio, Punto vendita, Loja, Winkel, Filiaal
        """,
        "currency": "Währung, Devise, Monnaie, Moneda, Divisa, Valuta, Moeda, Munt",
        "sku": _SKUS,
        "name": _PRODUCTS,
        "quantity": """
            Menge, Anzahl, Stückzahl, Quantité, Qté, Cantidad, Unidades, Quantità, Qtà, Pezzi, Quantidade, Qtd, Qtde, Aantal,
            Hoeveelheid
        """,
        "amount": """
            Zeilenbetrag, Positionsbetrag, Gesamtpreis, Betrag, Montant, Montant de la ligne, Prix total, Importe, Importe de línea,
            Precio total, Importo, Importo riga, Prezzo totale, Totale riga, Preço total, Valor total do item, Bedrag, Regelbedrag,
            Totaalprijs
        """,
        "unit_price": """
            Einzelpreis, Stückpreis, Preis pro Stück, Prix unitaire, Precio unitario, Prezzo unitario, Preço unitário, Valor unitário,
            Stukprijs, Eenheidsprijs, Prijs per stuk
        """,
        "discount": "Rabatt, Nachlass, Remise, Rabais, Réduction, Descuento, Sconto, Desconto, Korting",
        "order_amount": """
            Gesamtbetrag, Bestellsumme, Bestellwert, Auftragswert, Rechnungsbetrag, Gesamtsumme, Montant total, Montant TTC, Total TTC,
            Total de la commande, Total commande, Montant de la commande, Importe total, Total del pedido, Total pedido, Totale ordine,
            Importo totale, Valor total, Total do pedido, Valor do pedido, Totaalbedrag, Orderbedrag, Ordertotaal, Bestelbedrag
        """,
        "status": """
            Bestellstatus, Auftragsstatus, Zahlungsstatus, Statut, Statut de la commande, Statut du paiement, Estado,
            Estado del pedido, Estado del pago, Stato, Stato ordine, Stato pagamento, Situação, Status do pedido, Status do pagamento,
            Bestelstatus, Orderstatus, Betaalstatus
        """,
        "refunded": """
            Erstattungsbetrag, Erstattet, Montant remboursé, Remboursé, Importe reembolsado, Importo rimborsato, Valor reembolsado,
            Terugbetaald bedrag
        """,
    },
    "products": {
        "sku": _SKUS,
        "name": f"{_PRODUCTS}, Name, Nom, Nombre, Nome, Naam",
        "department": "Abteilung, Rayon, Departamento, Sección, Reparto, Seção, Afdeling",
        "category": "Kategorie, Warengruppe, Produktkategorie, Catégorie, Categoría, Categoria, Categorie",
        "brand": "Marke, Hersteller, Marque, Marca, Marchio, Merk",
        "price": "Preis, Verkaufspreis, Prix, Prix de vente, Precio, Prezzo, Preço, Prijs, Verkoopprijs",
        "launch_date": """
            Einführungsdatum, Markteinführung, Erscheinungsdatum, Erschienen am, Date de lancement, Date de sortie, Fecha de lanzamiento,
            Data di lancio, Data lancio, Data de lançamento, Introductiedatum, Lanceringsdatum
        """,
    },
    "service_interactions": {
        "external_id": """
            Ticketnummer, Ticket-Nr., Vorgangsnummer, Vorgangs-ID, Interaktions-ID, Kontakt-ID, Numéro de ticket, ID d'interaction,
            Número de ticket, ID de interacción, Numero ticket, ID interazione, Número do ticket, ID da interação, Ticketnr, Interactie-ID
        """,
        "type": """
            Art, Typ, Anfrageart, Kontaktart, Interaktionsart, Interaktionstyp, Type d'interaction, Tipo, Tipo de interacción,
            Tipo di interazione, Tipo de interação, Soort, Interactietype
        """,
        "occurred_at": f"""
            {_DAYS}, Erstellt am, Kontaktdatum, Interaktionsdatum, Créé le, Date d'interaction, Fecha de creación, Fecha de interacción,
            Data di creazione, Data interazione, Data de criação, Data da interação, Aangemaakt op, Interactiedatum
        """,
        "sku": _SKUS,
        "channel": "Kanal, Canal, Canale, Kanaal",
        "subject": "Betreff, Thema, Objet, Sujet, Asunto, Oggetto, Assunto, Onderwerp",
        "message": "Nachricht, Kommentar, Commentaire, Mensaje, Comentario, Messaggio, Commento, Mensagem, Comentário, Bericht",
        "resolution": """
            Lösung, Lösungsstatus, Bearbeitungsstatus, Status, Résolution, Statut, Statut de résolution, Resolución, Estado,
            Estado de resolución, Risoluzione, Stato, Stato risoluzione, Resolução, Estado da resolução, Oplossing, Oplossingsstatus
        """,
        "resolved_at": "Gelöst am, Résolu le, Fecha de resolución, Data di risoluzione, Data de resolução, Opgelost op",
        "satisfaction": """
            Zufriedenheit, Zufriedenheitswert, Bewertung, Note de satisfaction, Satisfacción, Puntuación de satisfacción,
            Valoración, Soddisfazione, Valutazione, Satisfação, Avaliação, Tevredenheid
        """,
    },
    "visits": {
        "external_id": """
            Sitzungs-ID, Sitzungsnummer, Besuchs-ID, ID de session, Identifiant de session, ID de sesión, ID sessione, ID da sessão,
            Sessie-ID
        """,
        "occurred_at": f"{_DAYS}, Besuchsdatum, Date de visite, Fecha de visita, Data visita, Data da visita, Bezoekdatum",
        "pages": """
            Seiten, Seitenaufrufe, Aufgerufene Seiten, Pages vues, Páginas vistas, Páginas, Pagine viste, Pagine, Paginaweergaven
        """,
        "seconds": """
            Sekunden, Verweildauer, Besuchsdauer, Secondes, Durée, Temps passé, Segundos, Tiempo, Duración, Secondi, Tempo trascorso,
            Durata, Tempo gasto, Duração, Seconden, Duur
        """,
        "referrer": "Quelle, Herkunft, Provenance, Fuente, Fonte, Origem, Bron",
    },
}


def names_of(file_type: str, field: str) -> list[str]:
    """Return the names of a field's column in the other languages."""
    names = COLUMN_NAMES.get(file_type, {}).get(field) or IN_ALL_FILES.get(field, "")
    return [name.strip() for name in names.split(",")]
