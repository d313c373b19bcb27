"""Words by which products and people name consent: in headers, as patterns, and in cells, as whole values.

Headers and cells are folded to words in lower case without accents: "HasOptedOutOfEmail" → "has opted out of email". Sources: exports and
import templates of listmonk, Mailchimp, HubSpot, Klaviyo, Shopify, WooCommerce, Brevo, Mautic, ActiveCampaign, SendGrid, Mailjet, Constant
Contact, Campaign Monitor, Customer.io, Braze, Iterable, Intercom, Salesforce, Zoho, Pipedrive, MailerLite, Kit, Omnisend, Drip, Cordial,
Twilio Segment, OneSignal, Keap, AWeber, Freshsales, Dynamics 365, CiviCRM, Odoo, SuiteCRM, Ghost, Substack, Wix, Squarespace and
PrestaShop.
"""

from __future__ import annotations

import re


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word.strip() for line in lines for word in line.split(","))


ELSEWHERE = _any(
    r"\bsubscription (plan|id|type|start|end|price|amount|tier|level|renew|expir|interval|product|item|name|cost|value|billing|payment)",
    r"\b(active|paid|paying|stripe|premium|plan|current) subscriptions?\b",
    r"^subscribers?( (id|number|key|count|rating|hash|name))?$",
    r"\bmarketing (channel|source|campaign|budget|team|owner|cloud|automation|persona|manager|qualified|region|code|medium|name|cost)",
    r"\b(utm|track|tracking|cookies?|analytics|profiling|geo|terms|conditions|tos|agb|privacy)\b",
    r"\b(emails?|messages?|campaigns?) (bounced|delivered|opened|clicked|sent|received)$",
)
"""Headers that state nothing about messages: paid plans, attribution, cookies, terms, counts of e-mails."""

DETAIL = _any(
    r"\b(reason|ip|source|method|campaign|title|url|comments?|notes?|other|type|id|by|mode|message|basis|version|agent|provider)\b",
    r"\b(count|number of|total|times|anzahl|nombre|numero|rate|grund|motif|motivo|reden|orsak|soft|bounces|complaints)\b",
    r"\b(consent|opt ?in|opt ?out) (text|form|wording|country|language)\b",
    r"reason$",
)
"""Headers that describe consent without stating it: the IP address of an opt-in, the reason of an opt-out."""

PARTIAL = _any(r"\b(topics?|groups?|list ids|message types?|categor(y|ies)|preferences)\b")
"""Headers of consent to a part of the messages, which says nothing about the channel."""

DATE = _any(
    r"\b(at|time|timestamp|date|datetime|when|since|on|ts|updated|changed|modified)\b",
    r"datum\b|\b(zeitpunkt|am|seit|fecha|desde|data|quando|heure|depuis|dato|tidpunkt|sedan|sinds|op)\b",
)
OPTED_IN_DATE = _any(
    r"subscri|opt(ed|s)? ?in|confirm|abonn|inscri|iscri|ingeschreven|aangemeld|prenumer"
)

SIGN_UP = _any(r"inscri|iscri", r"\bsubscription\b")
"""Dates of an account, a paid plan or a newsletter: *subscription date*, *date d'inscription*, *data di iscrizione*."""

HAS_MAIL = _any(r"mail|courriel|correo|e ?post\b|^subscriber$")
"""Headers of a column of addresses; without one, an opt-out that names no channel concerns all of them."""
MAIL = r"e ?mail|mailing|courriel|correo|e ?post\b"
NEWSLETTER = r"newsletter|nieuwsbrief|nyhetsbrev|boletin|infolettre"
CHANNELS = (
    ("whatsapp", _any(r"whats ?app", r"\bwa\b")),
    ("sms", _any(r"sms", r"\b(mms|txt|texts?|texting|text messag\w*|mobile (marketing|message)\w*)\b")),
    ("push", _any(r"push")),
    ("none", _any(r"fax", r"\b(postal|post|direct mail|letters?|print|brief(post)?|courrier|correo postal)\b")),
    ("email", _any(MAIL, NEWSLETTER, r"\bmail\b")),
    (
        "voice",
        _any(
            r"\b(phone|mobile|cell|handy|movil|calls?|calling|telephone|telefon\w*|anrufe?n?|appel\w*|llamar?\w*|chiamar?\w*)\b",
            r"\b(ligar|ligacoes|voice|bellen|samtal|ringa?)\b|donot(call|phone)",
        ),
    ),
)  # fmt: skip
"""The channel that a header names; by "none" nothing is sent from here. Do-not-call entries concern texts, too (47 CFR 64.1200(e))."""

EVERY_CHANNEL = _any(
    r"\b(do|does|did) ?no?t ?(contact|market|disturb|solicit)",
    r"\bdont ?(contact|disturb)",
    r"\b(dnc|dnd|no contact|has opted out solicit)\b",
    r"\b(nicht kontaktieren|ne pas (contacter|demarcher|deranger)|no (contactar|molestar)|non contattare)\b",
    r"\b(nao (contatar|contactar|perturb\w*)|niet (benaderen|contacteren|storen)|kontakta (inte|ej)|robinson\w*|werbesperre)\b",
)

REFUSES = _any(
    EVERY_CHANNEL.pattern,
    r"unsub",
    r"\bopt(ed|s|ing)? ?outs?",
    r"opted ?out",
    r"\b((do|does|did) ?no?t|(do|does|did)n t) ?(allow )?(bulk ?)?(call|phone|e ?mail|mail|text|sms|send|want|wish|write)",
    r"\bdont ?(call|e ?mail|mail|text|send)",
    r"\bno (bulk )?(e ?mails?|sms|marketing|newsletters?|mailings?|ads|advertising|permission|consent)\b",
    r"\bdne\b",
    r"block(ed)? ?list|black ?list|deny ?list|\bblocked\b",
    r"suppress",
    r"bounc",
    r"complain|\bspam",
    r"\bcleaned\b|\bclean (time|campaign|date)",
    r"\be ?mails? (is )?(on hold|disabled|invalid|undeliverable|inactive)",
    r"\b(undeliverable|unreachable|invalid e ?mail)",
    r"\bexclu(ded?|sion) from",
    r"\bopt ?in pending|pending (opt ?in|confirmation)|\bunconfirmed",
    r"\bstop (time|status|date|sms|e ?mail|pub)",
    r"(consent|permission) (revoked|withdrawn|denied|refused)|revoked|withdrawn",
    r"abgemeldet|abmeld|abbestell|widerspr|widerruf|gesperrt|sperrliste|ausgetragen|beschwerde",
    r"\bkeine?n? (werbung|e ?mails?|newsletter|mails?|mailings?|sms)|\bnicht (anrufen|mailen)|(mail|newsletter|versand|kontakt) ?sperre",
    r"desabonn|desinscri|\bne pas (appeler|envoyer)|liste noire|\brefus|plainte|bloctel",
    r"\bbaja\b|desuscri|\bno (llamar|enviar|desea|quiere)|lista negra|rebotad|quejas?\b|bloquead",
    r"disiscri|\bnon (chiamare|inviare|desidera)|lista nera|revocat|opposizione|rimbalz",
    r"descadastr|cancel\w* (inscricao|assinatura)|\bnao (ligar|enviar|quer|deseja)",
    r"uitgeschreven|uitschrijv|afgemeld|\bniet (bellen|mailen)|zwarte lijst|geblokkeerd",
    r"avregistrer|avanmal|avprenumerer|\b(ej|inget|inga) (mail|e ?post|nyhetsbrev|newsletter|utskick|sms|reklam)|sparrad|svartlist|studsat",
    r"\bpas de (newsletter|infolettre|e ?mails?|sms|pub)|\bsin (newsletter|boletin|correos|publicidad|sms)",
    r"\b(senza|niente) (newsletter|e ?mail|sms|pubblicita)|\bsem (newsletter|boletim|e ?mails?|sms|publicidade)",
    r"\bgeen (nieuwsbrief|newsletter|e ?mails?|mails?|mailings?|sms|reclame)",
)

WANTS = _any(
    r"subscri",
    r"\bopt(ed|s|ing)? ?ins?\b|optin",
    r"consent",
    r"\baccepts? ?(e ?mail|sms|marketing|newsletter|text|whats ?app|push|promo)",
    NEWSLETTER,
    r"\bmarketing (permission|opt|status|e ?mails?|sms|allowed|accepted|communication|ok|agree|contact)",
    r"\b(e ?mail|sms|whats ?app|push|text) (list )?(marketing|status|state|permissions?|allowed|ok)\b",
    r"\bpermissions?\b",
    r"mailing ?list",
    r"\bcan (be )?(e ?mail|contact|text|sms)",
    r"\b(wants?|receives?|agree[sd]?|allows?|allowed) (to )?(e ?mails?|sms|marketing|newsletters?|offers|contact|texts?|promo\w*)",
    r"\b(contactable|mailable|marketable)\b",
    r"\bok to (e ?mail|mail|contact|text|sms|send)|\bsend (me )?(e ?mails?|sms|newsletters?|offers|marketing|promo\w*)",
    r"einwillig|zustimm|zugestimmt|angemeldet|werbeerlaubnis|erlaubnis|abonn",
    r"\binscrit|inscription|\bconsentement|\baccepte( |$)|\baccord\b",
    r"consentimiento|suscri|\bautoriza|\bacepta|\bpermiso",
    r"consenso|iscritt|iscrizione|\bautorizz|\baccett",
    r"consentimento|\binscricao|\bassinante|\baceita",
    r"toestemming|ingeschreven|aangemeld|inschrijv",
    r"samtyck|prenumer|\bgodkann",
)

NEGATES = _any(
    r"\b(not|never|without|kein\w*|nicht|ohne|pas|sans|sin|sem|senza|niente|niet|geen|inte|inget|inga)\b"
)
"""Words in a header of a consent that may turn its cells around; *no*, *nein* and their like also name the answers: "Newsletter yes/no"."""

SMELLS = _any(
    r"\bopt\b",
    r"marketing",
    r"\b(gdpr|dsgvo|rgpd|lgpd|lopd|avg)\b",
    r"legal basis",
    r"\b(werbung|publicidad|pubblicita|publicidade|reklame?)\b",
    r"\bpromotional (e ?mails?|messages|offers|texts?|sms)\b",
    r"nyhedsbrev|samtykke|uutiskirje|suostumus|\bzgod[ay]\b|wypisan|souhlas|odhlasen|подписк|отписа|рассылк|согласи|订阅|退订",
    r"\b(communication|contact|e ?mail|message) preferences?\b",
)
"""Headers that may be about consent, and say too little to be understood."""

LISTED = frozenset({"consent", "consents", "permissions"})
"""Headers of lists of channels, or of one answer: the cells decide."""
STATUS = _any(
    r"^((contact|member|list|subscriber|customer|person|user|lead|kunden?|e ?mail list) ?)?"
    r"(status|state|stato|estado|statut|zustand|tillstand|situacao)$"
)
"""Headers of many meanings, of which the cells decide."""

YES = _words(
    "yes,y,true,t,1,on,x,checked,granted,given,consented,agreed,accepted,allowed",
    "ja,wahr,j,oui,o,vrai,si,s,verdadero,vero,sim,v,verdadeiro,sann,waar",
)
NO = _words(
    "no,n,false,f,0,off,unchecked,denied,refused,declined,rejected,not granted,not given",
    "nein,falsch,non,faux,nao,falso,nej,falskt,nee,onwaar",
)
OPTED_IN = _words(
    "subscribed,subscribe,allow,opted in,opt in,optin,optedin,confirmed opt in,single opt in,double opt in",
    "explicit,express,express consent,explicit consent,consent given,has consent",
    "angemeldet,abonniert,eingewilligt,abonne,abonnee,inscrit,inscrite,suscrito,suscrita,inscrito,inscrita,iscritto,iscritta",
    "ingeschreven,aangemeld,prenumererar,prenumerant",
)
OPTED_OUT = _words(
    "unsubscribed,unsubscribe,opted out,opt out,optout,optedout,globally unsubscribed,user unsubscribed,manually unsubscribed,unsub",
    "blocklisted,blacklisted,blocklist,blacklist,blocked,suppressed,user suppressed,cleaned,removed",
    "bounced,bounce,hard bounce,hard bounced,hardbounce,undeliverable,invalid email,invalid",
    "complained,complaint,spam,spam complaint,spam report,marked as spam,reported as spam,abuse,junk",
    "do not contact,do not email,do not allow,do not send,do not mail,do not call,do not disturb,dnc,dnd,non marketable",
    "consent withdrawn,withdrawn,revoked,consent revoked",
    "abgemeldet,abbestellt,ausgetragen,gesperrt,widersprochen,widerrufen,nicht kontaktieren",
    "desabonne,desabonnee,desinscrit,desinscrite,ne pas contacter,baja,de baja,dado de baja,dada de baja,no contactar",
    "desuscrito,desuscrita,disiscritto,disiscritta,cancellato,non contattare,revocato",
    "descadastrado,descadastrada,cancelado,cancelled,nao contatar,uitgeschreven,afgemeld,niet benaderen,geblokkeerd",
    "avregistrerad,avanmald,avprenumererad,sparrad,kontakta inte,kontakta ej",
)
NOT_YET = _words(
    "not subscribed,non subscribed,nonsubscribed,not opted in,no consent",
    "pending,pending confirmation,unconfirmed,not confirmed,awaiting confirmation,confirmation pending,opt in pending",
    "transactional,non marketing contact,no permission,no marketing,not consented,archived,inactive,temp hold,disabled",
    "nicht angemeldet,non abonne,no suscrito,non iscritto,nao inscrito,niet ingeschreven",
)
"""No opt-in, which is no opt-out by the person either."""
NOTHING = _words(
    "null,none,nil,na,n a,nan,undefined,unknown,not set,unset,no permissions set,not specified,never",
    "never subscribed,did not subscribe,no decision,undecided,not asked",
    "0000 00 00,0000 00 00 00 00 00,unbekannt,inconnu,desconocido",
    "active,enabled,aktiv,actif,activo,attivo,ativo,actief,valid,confirmed,single,double",
    "implicit,implied,implied consent,legitimate interest,marketing contact,unengaged marketable,unchanged",
    "soft bounce,soft bounced,ok,deliverable,new",
)
"""Cells that state neither: an opt-in is never guessed, and a person who was never asked decided nothing."""
