"""The preview of a text message counts tracked links with their sent length."""

from __future__ import annotations

import pytest

from marketing.channels import measure_sms
from marketing.content.previews import preview
from tests.factories.customers import make_customer
from tests.factories.marketing import make_template
from tests.marketing.delivery import send_text

pytestmark = pytest.mark.django_db

SALE = (
    "Hello {first_name}, our autumn sale starts today: thirty percent off everything in the shop until Sunday evening. "
    "See https://a.co/s and come by. Bye, Shop"
)


@pytest.mark.parametrize(
    ("body", "segments"),
    [
        (SALE, 2),
        ("See " + "https://shop.example/" + "x" * 200, 1),
        ("{% for i in (1..4) %}https://a.co/{{ i }} {% endfor %}", 2),
        ("Hi {name}, leave: {unsubscribe_url}", 1),
        ("x" * 110 + "{unsubscribe_url}", 2),
    ],
)
def test_the_preview_counts_the_sent_text(
    monkeypatch: pytest.MonkeyPatch, body: str, segments: int
) -> None:
    sent = send_text(monkeypatch, "sms", body)
    seen = preview(make_template(channel="sms", body=body), sent.execution.customer)
    assert seen.sms == measure_sms(sent.text)
    assert seen.sms is not None
    assert seen.sms.segments == segments


def test_the_preview_shows_untracked_links() -> None:
    seen = preview(make_template(channel="sms", body=SALE), make_customer())
    assert "https://a.co/s" in seen.text


def test_a_finding_counts_the_tracked_links() -> None:
    body = "https://a.co/s " * 12
    seen = preview(make_template(channel="sms", body=body), make_customer())
    assert "many_segments" in {each.code for each in seen.findings}
