"""The fields of files about past campaigns."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from customers import clean
from customers.ingest import OF_CUSTOMER, Code, Field, Text
from marketing.past_campaigns import words

HOLDOUT = "holdout"
"""The variant of the holdout group."""

_IDS_OF_CAMPAIGNS = (
    *("Kampagnen-ID", "Kampagnennummer", "Kampagne ID", "ID de campagne", "Identifiant campagne", "ID de campaña"),
    *("ID campaña", "ID campagna", "ID da campanha", "Campagne-ID"),
)  # fmt: skip
_NAMES_OF_CAMPAIGNS = (
    *("Kampagne", "Kampagnenname", "Name der Kampagne", "Campagne", "Nom de la campagne", "Campaña"),
    *("Nombre de la campaña", "Campagna", "Nome della campagna", "Campanha", "Nome da campanha", "Campagnenaam"),
)  # fmt: skip
_CAMPAIGN = Field(
    _("Campaign: ID or name"),
    Text(200),
    ("campaign", *_IDS_OF_CAMPAIGNS, "campaign_name", *_NAMES_OF_CAMPAIGNS),
)
_VARIANT = Field(_("Variant, or holdout"), Text(100), ("group", "test_group", "arm", "treatment"))

CAMPAIGN: dict[str, Field] = {
    "campaign_id": Field(
        _("Campaign ID"), Text(200), ("id", "campaign", "external_id", *_IDS_OF_CAMPAIGNS)
    ),
    "name": Field(_("Name"), Text(200), ("campaign_name", "title", *_NAMES_OF_CAMPAIGNS)),
    "description": Field(
        _("Description"),
        Text(2_000),
        (
            *(
                "target_audience",
                "audience",
                "objective",
                "notes",
                "Zielgruppe",
                "Beschreibung",
                "Audience cible",
            ),
            *("Público objetivo", "Pubblico", "Pubblico target", "Público-alvo", "Doelgroep"),
        ),
    ),
    "channel": Field(
        _("Channel"),
        words.channel,
        ("medium", "marketing_channel", "Kanal", "Canal", "Canale", "Kanaal"),
    ),
    "start_date": Field(
        _("Start"),
        clean.moment,
        (
            *(
                "start",
                "started_at",
                "sent_at",
                "launch_date",
                "Startdatum",
                "Beginn",
                "Date de début",
            ),
            *("Fecha de inicio", "Data di inizio", "Data inizio", "Data de início"),
        ),
    ),
    "end_date": Field(
        _("End"),
        clean.moment,
        (
            *("end", "ended_at", "finished_at", "Enddatum", "Ende", "Date de fin", "Fecha de fin"),
            *("Data di fine", "Data fine", "Data de término", "Data de fim", "Einddatum"),
        ),
    ),
    "budget": Field(_("Budget"), clean.amount, ("cost", "Presupuesto", "Orçamento")),
    "tags": Field(_("Tags"), clean.tags, ("campaign_type", "type", "tag")),
}

TARGET: dict[str, Field] = {
    "campaign_id": _CAMPAIGN,
    "customer_id": OF_CUSTOMER,
    "variant": _VARIANT,
}

RESPONSE: dict[str, Field] = {
    "response_id": Field(
        _("Response ID"),
        Code(200),
        (
            *(
                "id",
                "Reaktions-ID",
                "Antwort-ID",
                "Response-ID",
                "ID de réponse",
                "ID de respuesta",
            ),
            *("ID risposta", "ID da resposta", "Reactie-ID"),
        ),
    ),
    "campaign_id": _CAMPAIGN,
    "customer_id": OF_CUSTOMER,
    "type": Field(
        _("Sent, open, click, visit, purchase, unsubscribe, or another response"),
        words.response,
        (
            *(
                "response",
                "response_type",
                "event",
                "Reaktion",
                "Reaktionstyp",
                "Antwort",
                "Antworttyp",
                "Art der Reaktion",
            ),
            *(
                "Type de réponse",
                "Réponse",
                "Tipo de respuesta",
                "Respuesta",
                "Tipo di risposta",
                "Risposta",
            ),
            *("Tipo de resposta", "Resposta", "Reactietype", "Reactie"),
        ),
    ),
    "occurred_at": Field(
        _("When"),
        clean.moment,
        (
            *(
                "date",
                "timestamp",
                "response_date",
                "redemption_date",
                "responded_at",
                "Datum",
                "Reaktionsdatum",
            ),
            *(
                "Antwortdatum",
                "Date de réponse",
                "Fecha de respuesta",
                "Fecha",
                "Data risposta",
                "Data di risposta",
            ),
            *("Data da resposta", "Data", "Reactiedatum"),
        ),
    ),
    "variant": _VARIANT,
    "revenue": Field(_("Revenue"), clean.amount, ("amount", "value")),
}
