"""Read replies to text messages: an opt-out or opt-in in the words that people use, or a sentence that a user has to judge.

Source: 47 CFR 64.1200(a)(10) ("stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe", and any reasonable words), the keywords
of Twilio (https://help.twilio.com/articles/223134027), Vonage, Sinch and Bird, and of carriers and regulators by country: CASL and CNIL
(ARRET, STOP), Colombia (BAJA), Mexico and Spain (ALTO, BAJA, PARAR), Brazil (PARAR, SAIR), Sweden (STOPP, AVREGISTRERA), Poland, Czechia …
"""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby

from rapidfuzz.distance import DamerauLevenshtein

from marketing.channels.receipts import ReceiptKind

LONGEST = 1_600
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc\u00b4`]")
_ACCENTS = re.compile("[\u0300-\u036f]")
_NOT_WORDS = re.compile(r"[\W_]+")
_NUMBERS = re.compile(r"\b\d+\b")


def _plain(text: str) -> str:
    """Return the words of a text in lower case, without accents, apostrophes and numbers; a stop sign is a word."""
    marked = unicodedata.normalize("NFKD", text.casefold().replace("🛑", " stop "))
    plain = _ACCENTS.sub("", _APOSTROPHES.sub("", marked))
    return unicodedata.normalize("NFC", _NOT_WORDS.sub(" ", _NUMBERS.sub(" ", plain))).strip()


STOP = frozenset(
    _plain(
        """
    stop stopp stopall stoppall stopit stpo sotp stop2end stop2quit remove delete
    unsubscribe unsub unsubscribed unsubscribeall cancel end quit revoke optout optmeout optedout
    arret arreter arretez arretezdenvoyer stoppez desabonner desabonnement desabonnez annuler desinscription desinscrire
    abmelden abbestellen abmeldung aufhoren schluss austragen
    alto baja darsedebaja parar pare basta cancelar desuscribir desuscribirme detener salir nomas
    sair descadastrar cancele cancela
    ferma fermare annulla cancella cancellami disiscrivi disiscrivimi stopsms
    afmelden uitschrijven stoppen
    avregistrera avsluta sluta avanmal stoppa avmeld avslutt afmeld frameld framelding
    lopeta peru seis
    rezygnuje rezygnacja koniec wypisz anuluj odhlasit odhlas zrusit leiratkozas leiratkozom dezabonare
    iptal iptalet diakopi
    стоп отписаться отписка отпишите отмена зупинити відписатися спри
    διακοπη ςτοπ στοπ
    停止 td 退订 退訂 取消 取消订阅 取消訂閱 配信停止 解除 중지 수신거부 거부 해지
    ايقاف إيقاف الغاء إلغاء توقف הסר הסירו להסרה berhenti huy dừng
    """
    ).split()
)
"""Words that opt out as a whole reply, without spaces and accents."""

START = frozenset(
    """
    start startall unstop yes subscribe optin optmein resume
    """.split()  # noqa: SIM905
)
"""Words that opt in again as a whole reply, where the customer opted out."""

FILLERS = frozenset(
    """
    please pls plz plse kindly thanks thank thx ty you now immediately asap all everything sms mms text texts message messages msg msgs
    alerts notifications promos promo promotions offers ads me us hi hello hey ok okay sir madam the these those your any further future
    bitte danke jetzt sofort alle nachrichten werbung s sil il vous te plait svp stp merci pub publicite les tout
    por favor porfa gracias ya mensajes
    per favore grazie subito messaggi obrigado obrigada mensagens alsjeblieft aub bedankt alles tack snalla takk tak kiitos prosze
    """.split()  # noqa: SIM905
)
"""Words around a keyword that change nothing."""

POLITE = FILLERS - frozenset(
    """
    me us the these those your any all sms mms text texts message messages msg msgs further future alerts notifications promos promo
    promotions offers ads pub publicite werbung nachrichten mensajes messaggi mensagens
    """.split()  # noqa: SIM905
)

FILLERS_OF_STOP = frozenset(
    """
    it this that just must texting messaging sending contacting writing spamming bothering emailing calling to from us mailing
    right away at once forever reply fuck fucking fuckin off damn bloody goddamn hell ffs
    """.split()  # noqa: SIM905
)

_MESSAGES = r"(texts?|messages?|sms|msgs?|ads|promos)"
_FROM_LIST = (
    r"( (from|off|out)( of)?( (your|the|this|all|any|these))*"
    rf"( (contact|mailing|marketing|phone|sms|text))?( (lists?|database|system|contacts|{_MESSAGES}))?)?"
)
_SENTENCES = (
    (
        r"(do not|dont|never|no) (ever )?(text|message|msg|sms|contact|send|write|spam)( to)?( me| us| this number)?"
        rf"( (any )?{_MESSAGES})?( again| anymore| any more| any longer| ever| ever again)?"
    ),
    rf"(remove|take|delete|drop|get) (me|us|my number|this number|my phone|this phone)( number)?{_FROM_LIST}",
    (
        r"(i )?(want|would like|wish|need|d like|id like|im asking|ask)( you)? to"
        r" (opt out|unsubscribe|stop|be removed|cancel|quit|revoke)( (my )?consent)?"
        rf"( (from )?(these|your|this|the|all)( (list|{_MESSAGES}))?)?"
    ),
    (
        rf"(i )?(do not|dont|no longer) (want|wish|need)( to (get|receive))?( (your|these|any|more|any more))* {_MESSAGES}"
        r"( (from )?(you|anymore|any more|again))?"
    ),
    r"(i )?(revoke|withdraw) (my )?(consent|permission)",
    rf"(no more|enough) {_MESSAGES}( from you)?",
    rf"(unsubscribe|opt out|opt) (me|us|my number|this number)( out)?{_FROM_LIST}",
    rf"cancel (my |this |the )?(subscription|{_MESSAGES})",
    r"(keine|nie wieder) (sms|nachrichten|werbung)( mehr)?",
    r"plus (de|d) (sms|messages?|pub)",
    r"no (quiero|deseo) (mas|recibir)( mas)?( (mensajes|sms))?",
    r"nao (quero|desejo) (mais|receber)( mais)?( (mensagens|sms))?",
    r"basta (sms|messaggi)",
    r"leave me (alone|in peace)",
    r"(ne )?menvoyez plus( (rien|de|d))?( (sms|messages?|pub))?",
    r"no me (envi(en|es|e)|mand(en|es|e)|escrib(an|as|a)) mas( (mensajes|sms))?",
    r"nao me (envi(em|e)|mand(em|e)) mais( (mensagens|sms))?",
    r"(schreib(t|en sie)? )?(mir )?(bitte )?nicht mehr schreiben|schreib(t|en sie)? mir( bitte)? nicht mehr",
    r"stuur (mij|me) geen( (berichten|sms))? meer",
    r"non (mandate|inviate|scrivete)mi piu( (messaggi|sms))?",
    r"skicka inte( fler)?( (sms|meddelanden))?",
    r"(больше )?не (пишите|присылаите|отправляите|звоните)( мне)?( больше)?( (смс|sms|сообщения))?",
)
SENTENCES = re.compile("|".join(_SENTENCES))
"""Sentences that leave no doubt, as a whole reply."""

CLEAR_WORDS = frozenset(
    """
    stop stopp stopall stopit unsubscribe unsub optout arret stoppez desabonner abmelden abbestellen afmelden avregistrera
    """.split()  # noqa: SIM905
)
"""Words that opt out as a clause of their own, whatever follows it: “STOP!!! I mean it”."""
CLAUSE_END = re.compile(r"[.!,;:\n–—]|\s-\s")
SIGNATURE = re.compile(
    r"\s*\b(?:(?:sent|send) (?:from|via|by) (?:my|outlook|yahoo|samsung|mail)\b|get outlook for|von meinem \S+ gesendet|gesendet mit|"
    r"envoyé (?:de|depuis) (?:mon|outlook)|enviado (?:desde|do|a partir do) (?:mi|meu)|inviato da(?:l mio)? |"
    r"verstuurd vanaf |skickat från ).*",
    re.IGNORECASE | re.DOTALL,
)
"""What phones add to a reply that went by e-mail."""

HINTS = re.compile(
    r"\b(stop\w*|unsub\w*|opt(ing|ed)? ?(me )?out|quit|cancel\w*|revok\w*|end|remove (me|my)|take me off|delete me|no more"
    r"|(do not|dont) (text|contact|send|message)|not interested|wrong (number|person)|leave me|go away|spam\w*|harass\w*|lawyer|illegal"
    r"|consent|arret\w*|abmelden|baja|parar|sair|sluta|avregistrera)\b"
)
"""Words in a longer reply that may be meant as an opt-out: a user has to read it."""


def read_reply(text: str) -> ReceiptKind | None:
    """Return the wish in a reply: an opt-out, an opt-in, UNCLEAR_REPLY for a sentence that may be an opt-out, or None for any other."""
    written = SIGNATURE.sub("", text[:LONGEST])
    words = [word for word, _repeated in groupby(_plain(written).split())]
    first_clause = "".join(_plain(CLAUSE_END.split(written.strip(), maxsplit=1)[0]).split())
    if _is_opt_out(words) or first_clause in CLEAR_WORDS or _is_misspelled(words):
        return ReceiptKind.UNSUBSCRIBED
    if "".join(words) in START:
        return ReceiptKind.SUBSCRIBED
    return ReceiptKind.UNCLEAR_REPLY if HINTS.search(" ".join(words)) else None


def _is_opt_out(words: list[str]) -> bool:
    """Return whether a reply is a keyword, spelled with spaces or with words around it that change nothing, or a plain sentence."""
    if "".join(words) in STOP or SENTENCES.fullmatch(" ".join(_without(words, POLITE))):
        return True
    rest = _without(words, FILLERS)
    if {"stop", "stopp", "quit"} & set(rest):
        rest = _without(rest, FILLERS_OF_STOP)
    return bool(rest) and ("".join(rest) in STOP or all(word in STOP for word in rest))


def _is_misspelled(words: list[str]) -> bool:
    """Return whether a reply is “unsubscribe” with a letter wrong, missing or too many."""
    found = "".join(_without(words, POLITE))
    return DamerauLevenshtein.distance(found, "unsubscribe", score_cutoff=1) <= 1


def _without(words: list[str], fillers: frozenset[str]) -> list[str]:
    return [word for word in words if word not in fillers]
