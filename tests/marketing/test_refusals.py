"""A refusal is the recipient's fault only where it proves that the address does not exist."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.channels import AccountError, PermanentError, ReceiptKind
from marketing.channels.http import refused
from marketing.channels.refusals import cut_reply_code, kind_of_reply, kind_of_report

REPLIES = Path(__file__).with_name("refusals.tsv")
SENDER, RECIPIENT = "hello@shop.example", "ada@example.com"


def replies() -> list[tuple[ReceiptKind, int, str]]:
    """Return kind, code and text of the replies in refusals.tsv, in which a backslash and n are a line break."""
    rows = [line.split("\t") for line in REPLIES.read_text().splitlines()]
    return [
        (ReceiptKind(kind), int(reply[:3]), reply[4:].replace("\\n", "\n")) for kind, reply in rows
    ]


@pytest.mark.parametrize(("kind", "code", "text"), replies())
def test_a_refusal_has_the_kind_of_its_cause(kind: ReceiptKind, code: int, text: str) -> None:
    assert kind_of_reply(code, text, sender=SENDER, recipient=RECIPIENT) == kind


@pytest.mark.parametrize(
    ("report", "status", "kind"),
    [
        ("smtp; 550 5.1.1 <ada@example.com>: user unknown", "", "bounced_hard"),
        ("host mx.example.com[192.0.2.1] said: 550-5.1.1 No such user (in reply to RCPT TO)", "5.1.1", "bounced_hard"),
        ("5.1.1 does not exist", "", "bounced_hard"),
        ("The recipient is invalid", "5.1.1", "bounced_hard"),
        ("", "", "bounced_hard"),
        ("550 5.4.1 Recipient address rejected: Access denied. [AM7EUR06FT011.example]", "5.4.1", "bounced_hard"),
        ("smtp;550 Requested action not taken", "5.0.0", "failed"),
        ("550 Message refused", "5.2.1", "bounced_soft"),
        ("552 too large", "5.3.4", "bounced_soft"),
        ("554 5.4.4 Unable to route: host not found", "", "bounced_soft"),
        ("smtp; 421 4.7.0 Try again", "", "bounced_soft"),
        ("4.2.2", "", "bounced_soft"),
        ("4.4.7 Message expired", "4.4.7", "bounced_soft"),
        ("smtp; 550 5.7.1 rate limit exceeded, slow down", "", "bounced_soft"),
        ("smtp; 550 5.7.26 unauthenticated mail is prohibited", "5.7.26", "blocked"),
        ("550 no", "5.7.26", "blocked"),
        ("smtp; 550 5.1.8 Bad sender's system address", "", "account"),
        ("550 5.7.1 Relaying denied", "", "account"),
        ("500 messages of 300 recipients were dropped", "", "failed"),
    ],
)  # fmt: skip
def test_a_report_has_the_kind_of_its_reply(report: str, status: str, kind: str) -> None:
    assert kind_of_report(report, status) == kind


@given(st.text(), st.from_regex(r"[245]\.[0-7]\.\d{1,3}|"))
def test_a_report_in_any_words_has_a_kind(report: str, status: str) -> None:
    kind_of_report(report, status)


@given(st.integers(400, 599), st.sampled_from(["smtp; ", "host said: ", ""]))
def test_the_code_of_a_quoted_reply_is_cut(code: int, before: str) -> None:
    assert cut_reply_code(f"{before}{code}-5.1.1 Sorry") == (code, "5.1.1 Sorry")
    assert cut_reply_code(f"{before}[192.0.2.{code}] Sorry") is None


@given(st.integers(400, 599), st.text())
def test_a_reply_in_any_words_has_a_kind(code: int, text: str) -> None:
    kind = kind_of_reply(code, text, sender=SENDER, recipient=RECIPIENT)
    assert code >= 500 or kind != ReceiptKind.BOUNCED_HARD


@pytest.mark.parametrize("code", ["5.1.1", "5.1.10", "5.1.3"])
def test_a_code_counts_at_its_place_alone(code: str) -> None:
    assert kind_of_reply(550, f"{code} Sorry") == ReceiptKind.BOUNCED_HARD
    for text in (f"Sorry (host [{code}.7])", f"Sorry, {code}", f"x{code} Sorry"):
        assert kind_of_reply(550, text) == ReceiptKind.FAILED


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (403, "The from address does not match a verified Sender Identity."),
        (401, "Maximum credits exceeded"),
        (400, "'from' parameter is not a valid address. please check documentation"),
        (400, "Domain shop.example is not allowed to send: sandbox subdomains are for test purposes only."),
        (400, "Email address is not verified. The following identities failed the check in region EU-WEST-1: a@shop.example"),
        (400, "Sending paused for this account."),
        (400, "Daily message quota exceeded"),
        (400, "Your account is suspended. Contact support."),
        (400, "Sending domain is not verified"),
        (422, "The 'From' address you supplied is not a Sender Signature on your account."),
        (429, "You have reached your daily sending quota."),
    ],
)  # fmt: skip
def test_a_provider_that_refuses_the_sender_blames_the_account(status: int, text: str) -> None:
    assert isinstance(refused(status, text), AccountError)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, "'to' parameter is not a valid address. please check documentation"),
        (422, "Provide either TextBody or HtmlBody."),
        (400, "Message blocked by our spam filter"),
    ],
)
def test_a_refused_message_of_a_provider_blames_nobody(status: int, text: str) -> None:
    error = refused(status, text)
    assert isinstance(error, PermanentError)
    assert not error.address_is_bad
