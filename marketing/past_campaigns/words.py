"""The words of other systems for the channel of a campaign and the type of a response, in six languages.

After the fields of Salesforce, HubSpot and Klaviyo, and the files of shops. A word that no table has stays as it is written.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from customers import clean
from customers.models.consent import Channel

OTHER = "other"
"""A response of another type, under its own word: it stands on the timeline, and no figure counts it."""
TYPES = ("sent", "open", "click", "visit", "purchase", "unsubscribe")

_CHANNELS: dict[str, str] = {
    Channel.EMAIL: """
        email, emails, e mail, e mails, emailing, e mailing, email marketing, e mail marketing, newsletter, newsletters,
        email newsletter, e mail newsletter, courriel, courriels, courrier électronique, correo, correo electrónico,
        posta elettronica, correio eletrónico, correio eletrônico, nieuwsbrief, infolettre, boletín, bollettino, boletim
    """,
    Channel.SMS: "sms, mms, sms mms, text, texts, text message, text messages, textnachricht, mensaje de texto, sms marketing",
    Channel.WHATSAPP: "whatsapp, whats app, whatsapp message, whatsapp business",
    Channel.PUSH: """
        push, web push, app push, mobile push, browser push, push notification, push notifications, push nachricht,
        push benachrichtigung, notification push, notifications push, notificación push, notifica push, notificação push, pushmelding
    """,
    Channel.SOCIAL: """
        social, social media, social network, social networks, soziale medien, réseaux sociaux, médias sociaux, redes sociales,
        redes sociais, sociale media
    """,
    Channel.WEBHOOK: "webhook",
    "TV": "tv, television, televisión, televisione, televisão, televisie, télévision, fernsehen, tv spot, tv werbung",
    "Radio": "radio, rádio, hörfunk, radio spot, radiowerbung",
    "Print": "print, print ad, print ads, printwerbung, presse, prensa, stampa, imprensa, imprimé",
    "Direct mail": "direct mail, directmail, postal mail, briefpost, postwurf, courrier, correo postal, direktwerbung",
}
_RESPONSES: dict[str, str] = {
    "sent": """
        sent, send, delivered, received, target, targeted, contacted, none, no response, no reply, no action, ignored, not responded,
        not opened, unopened, gesendet, versendet, versandt, zugestellt, empfangen, keine, keine reaktion, keine antwort, ignoriert,
        envoyé, livré, reçu, aucune, aucune réponse, sans réponse, ignoré, enviado, entregado, recibido, sin respuesta, ninguna,
        ignorado, inviato, consegnato, ricevuto, nessuna, nessuna risposta, ignorato, entregue, recebido, sem resposta, nenhuma,
        verzonden, afgeleverd, ontvangen, geen, geen reactie, genegeerd
    """,
    "open": """
        open, opens, opened, opening, viewed, view, read, seen, email open, email opened, message opened, geöffnet, öffnung, gelesen,
        gesehen, ouvert, ouverture, lu, vu, abierto, apertura, leído, visto, aperto, letto, aberto, abertura, lido, geopend, gelezen
    """,
    "click": """
        click, clicks, clicked, clicked link, link clicked, click through, clickthrough, email click, email clicked, geklickt, klick,
        angeklickt, cliqué, clic, clique, clicado, cliccato, clicou, geklikt, klik
    """,
    "visit": """
        visit, visits, visited, website visit, site visit, store visit, besuch, besucht, visite, visité, visita, visitado, visitato,
        bezoek, bezocht
    """,
    "purchase": """
        purchase, purchases, purchased, buy, bought, order, ordered, placed order, sale, converted, conversion, convert, redeemed,
        redemption, gekauft, kauf, bestellt, bestellung, konvertiert, eingelöst, achat, acheté, commande, commandé, converti, compra,
        comprado, pedido, convertido, acquisto, acquistato, ordine, convertito, encomenda, aankoop, gekocht, besteld, geconverteerd
    """,
    "unsubscribe": """
        unsubscribe, unsubscribes, unsubscribed, opt out, optout, opted out, unsub, complaint, complained, spam, spam complaint,
        marked as spam, spam report, reported spam, abgemeldet, abmeldung, abbestellt, widerrufen, désabonné, désabonnement,
        désinscrit, désinscription, baja, dado de baja, disiscritto, disiscrizione, cancelou a subscrição,
        descadastrado, descadastro, uitgeschreven, afgemeld, uitschrijving
    """,
}


def _key(written: str) -> str:
    return re.sub(r"[\W_]+", " ", written).strip().casefold()


def _by_word(table: dict[str, str]) -> dict[str, str]:
    return {_key(word): str(name) for name, words in table.items() for word in words.split(",")}


_CHANNEL, _RESPONSE = _by_word(_CHANNELS), _by_word(_RESPONSES)


def channel(value: object) -> str:
    """Return a channel of Kindling or a known medium; any other as it is written, of at most 50 characters."""
    written = " ".join(clean.text(value, longest=50).split())
    return _known(_CHANNEL, written)


def response(value: object) -> str:
    """Return one of TYPES; any other response as it is written, of at most 100 characters."""
    written = " ".join(clean.text(value, longest=100).split())
    return _known(_RESPONSE, written)


def _known(table: dict[str, str], written: str) -> str:
    """Return what a word means, or the word. Raises ValueError for one that stands for no value."""
    meant = table.get(_key(written), written)
    if meant is written and clean.is_null(written):
        raise ValueError(_("“%s” stands for no value.") % written)
    return meant
