"""Find whose fault a refusal is: the recipient's address, the sender's account, or something that passes.

Doubt is never about the address. Source: RFC 5321, 4.2 (reply codes), RFC 2034, 4 (the enhanced code stands right after the reply code, in
each line), RFC 3463 and RFC 5248 (enhanced codes), RFC 3464, 2.3.6 (replies in reports), Microsoft's 5.7.5xx to 5.7.7xx.
"""

from __future__ import annotations

import re
from functools import cache

from marketing.channels.receipts import ReceiptKind
from marketing.channels.refusal_texts import BLOCKED, NO_MAILBOX, OF_THE_SENDER, WORDINGS, Topic

ENHANCED = re.compile(r"#?([245])\.(\d{1,3})\.(\d{1,3})(?=\s|$|[-:;,])")
REPLY_CODE = re.compile(r"(?<![\w.+#-])([45]\d\d)(?:[ -]|$)(?=\D|[45]\.\d|$)")
"""A reply code in a report, such as `smtp; 550 5.1.1 …` or `mx.example said: 550-No such user`."""
REPEATED_CODE = re.compile(r"\n\s*[245]\.\d{1,3}\.\d{1,3}(?=\s)")
ADDRESS = re.compile(r"<[^<>/\s]*>|[^\s<>\"'(),;:=\[\]]+@[^\s<>\"'(),;:\[\]]+")

NO_MAILBOX_CODES = frozenset({"1.1", "1.2", "1.3", "1.6", "1.10"})
SENDER_CODES = frozenset(
    {"1.7", "1.8", "1.90", "7.3", "7.8", "7.9", "7.11", "7.13", "7.14", "7.57", "7.60", "7.64"}
    | {"7.232", "7.233", "7.235", "7.236", "7.501", "7.502", "7.503", "7.705", "7.708", "7.750"}
)
MAILBOX_CODES = frozenset({"2.1", "2.2", "2.3", "2.4"})
DOMAIN_CODES = frozenset({"7.20", "7.21", "7.22", "7.23", "7.24", "7.25", "7.26", "7.27", "7.515"})
"""DKIM, SPF and DMARC (RFC 7372), reverse DNS, and a domain without mail (RFC 7505)."""
PASSING_SUBJECTS = frozenset({"3", "4"})
SECURITY = "7"
AUTHENTICATION_WANTED = frozenset({530, 534, 535, 538})


def kind_of_reply(code: int, text: str, *, sender: str = "", recipient: str = "") -> ReceiptKind:
    """Return the kind of a refusal by a mail server, with the addresses of its transaction.

    BOUNCED_HARD is proven to be about the recipient's address, ACCOUNT about the sender; FAILED is anything that is not understood.
    """
    status = _status(code, text)
    topic = topic_of(text)
    if code in AUTHENTICATION_WANTED or (status in SENDER_CODES and topic != Topic.BLOCKED):
        return ReceiptKind.ACCOUNT
    if status in DOMAIN_CODES:
        return ReceiptKind.BLOCKED
    if topic is None and _is_no_mailbox(text, status):
        topic = Topic.NO_MAILBOX
    match topic:
        case Topic.SENDER:
            return ReceiptKind.ACCOUNT
        case Topic.RATE if code < 500:
            return ReceiptKind.FAILED
        case Topic.RATE:
            is_of_mailbox = status.startswith("2.")
            return ReceiptKind.BOUNCED_SOFT if is_of_mailbox else ReceiptKind.ACCOUNT
        case Topic.BLOCKED:
            return ReceiptKind.BLOCKED
        case Topic.MAILBOX:
            return ReceiptKind.BOUNCED_SOFT
        case Topic.NO_MAILBOX if code >= 500:
            return _about_recipient(text, sender, recipient)
    if _matches(BLOCKED, text):
        return ReceiptKind.BLOCKED
    kind = _kind_of_status(status) if code >= 500 else ReceiptKind.FAILED
    if kind == ReceiptKind.BOUNCED_HARD:
        return _about_recipient(text, sender, recipient)
    return kind


def kind_of_report(text: str, status: str = "") -> ReceiptKind:
    """Return the kind of a final bounce that a provider reports, from the reply that it quotes, if any, and its enhanced code.

    A reply that proves nothing is FAILED; where the provider quotes none, its report alone makes a hard bounce.
    """
    reply = cut_reply_code(text)
    code, words = reply or (400 if (status or text).lstrip("#").startswith("4.") else 500, text)
    if not ENHANCED.match(words.lstrip()):
        words = f"{status} {words}"
    if topic_of(words) == Topic.RATE:
        return ReceiptKind.BOUNCED_SOFT
    kind = kind_of_reply(code, words)
    if kind == ReceiptKind.FAILED and code < 500:
        return ReceiptKind.BOUNCED_SOFT
    return kind if reply or kind != ReceiptKind.FAILED else ReceiptKind.BOUNCED_HARD


def cut_reply_code(text: str) -> tuple[int, str] | None:
    """Return the code of the reply that a text quotes, and the words after it; None for text without one."""
    found = REPLY_CODE.search(text)
    return (int(found[1]), text[found.end() :]) if found else None


def topic_of(text: str) -> Topic | None:
    """Return what a refusal is about where its words leave no doubt."""
    words = _words(text)
    return next((topic for topic, patterns in WORDINGS if _compiled(patterns).search(words)), None)


def is_address_fault(text: str) -> bool:
    """Return whether a stored error says that a recipient's address is none."""
    return text.startswith(("Not an address for mail", "Not a number for messages"))


def _status(code: int, text: str) -> str:
    """Return subject and detail of the enhanced code, "" where there is none or it contradicts the reply code."""
    found = ENHANCED.match(text.lstrip())
    if found is None or int(found[1]) != code // 100:
        return ""
    return f"{int(found[2])}.{int(found[3])}"


def _is_no_mailbox(text: str, status: str) -> bool:
    """Return whether words say that the address does not exist, and neither other words nor the code say something else."""
    if not _matches(NO_MAILBOX, text):
        return False
    return status in NO_MAILBOX_CODES or not _matches(BLOCKED, text)


def _about_recipient(text: str, sender: str, recipient: str) -> ReceiptKind:
    """Return a hard bounce, unless the refusal names the sender or the sender's address."""
    if _matches(OF_THE_SENDER, text):
        return ReceiptKind.ACCOUNT
    words = text.lower()
    if sender and sender.lower() in words and sender.lower() != recipient.lower():
        return ReceiptKind.FAILED if recipient.lower() in words else ReceiptKind.ACCOUNT
    return ReceiptKind.BOUNCED_HARD


def _kind_of_status(status: str) -> ReceiptKind:
    subject = status.partition(".")[0]
    if status in NO_MAILBOX_CODES:
        return ReceiptKind.BOUNCED_HARD
    if status in MAILBOX_CODES or subject in PASSING_SUBJECTS:
        return ReceiptKind.BOUNCED_SOFT
    return ReceiptKind.BLOCKED if subject == SECURITY else ReceiptKind.FAILED


def _matches(patterns: tuple[str, ...], text: str) -> bool:
    return bool(_compiled(patterns).search(_words(text)))


def _words(text: str) -> str:
    """Return the words of a refusal on one line: an address could be called `user.unknown@relay.example`."""
    return ADDRESS.sub("<>", " ".join(REPEATED_CODE.sub(" ", text).split()))


@cache
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{each})" for each in patterns), re.IGNORECASE)
