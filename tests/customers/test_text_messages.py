"""Descriptions of messages, visits and service contacts."""

from __future__ import annotations

import pytest

from tests.customers.text_world import line, read, table

pytestmark = [pytest.mark.usefixtures("text_world"), pytest.mark.django_db]

PHRASES = table(
    """
customers who haven't opened any email in the last 60 days → message_opened = 0 in 60 days where by e-mail
was sent the Summer Sale campaign → message_sent >= 1 where campaign = Summer Sale
converted in the last 30 days → message_converted >= 1 in 30 days
did not click any link in the past month → message_clicked = 0 in 30 days
Customers who contacted support more than twice → service_contact > 2
haven't opened the Summer Sale campaign → message_opened = 0 where campaign = Summer Sale
did not receive Black Friday → message_sent = 0 where campaign = Black Friday
unsubscribed from email → unsubscribed >= 1 where by e-mail
unsubscribed → unsubscribed >= 1
haven't logged in for 30 days → logged_in = 0 in 30 days
customers with a complaint in the last 3 months → service_contact >= 1 in 90 days where type = complaint
no complaints → service_contact = 0 where type = complaint
never contacted support → service_contact = 0
filed at least 2 complaints this year → service_contact >= 2 where type = complaint, occurred_at after 2025-12-31
gave feedback → service_contact >= 1 where type = feedback
logged in at least 3 times this month → logged_in >= 3 where occurred_at after 2026-10-31
received an email in the last week → message_sent >= 1 in 7 days where by e-mail
got an sms this year → message_sent >= 1 where channel = sms, occurred_at after 2025-12-31
clicked a link in Summer Sale → message_clicked >= 1 where campaign = Summer Sale
clicked at least one email since August → message_clicked >= 1 where by e-mail, occurred_at after 2026-07-31
opened more than five emails → message_opened > 5 where by e-mail
no opens in the last 90 days → message_opened = 0 in 90 days
zero clicks this year → message_clicked = 0 where occurred_at after 2025-12-31
opened fewer than 3 emails in 2025 → message_opened < 3 where by e-mail, occurred_at between 2025-01-01, 2025-12-31
not opened Summer Sale or Black Friday → message_opened = 0 where campaign in Summer Sale, Black Friday
complained more than once in the last year → service_contact > 1 in 365 days where type = complaint
users that opened an email in the last 24 hours → message_opened >= 1 in 1 days where by e-mail
customers who were not sent any message in the last week → message_sent = 0 in 7 days
more than 20 page views this month → page_viewed > 20 where occurred_at after 2026-10-31
those who haven't clicked any message in 90 days → message_clicked = 0 in 90 days
visited yesterday → page_viewed >= 1 where occurred_at on 2026-11-20
visited on 2026-11-01 → page_viewed >= 1 where occurred_at on 2026-11-01
visited 3 times this week → page_viewed = 3 where occurred_at after 2026-11-15
converted from Summer Sale → message_converted >= 1 where campaign = Summer Sale
unsubscribed this year → unsubscribed >= 1 where occurred_at after 2025-12-31
contacted support at least twice in the last 6 months → service_contact >= 2 in 180 days
made a complaint last month → service_contact >= 1 where type = complaint, occurred_at between 2026-10-01, 2026-10-31
asked a question in the last 30 days → service_contact >= 1 in 30 days where type = inquiry
opened nothing in 60 days → message_opened = 0 in 60 days
clicked any e-mail this month → message_clicked >= 1 where by e-mail, occurred_at after 2026-10-31
never opened → message_opened = 0
visited more than 3 times last month → page_viewed > 3 where occurred_at between 2026-10-01, 2026-10-31
clicked on Summer Sale or Black Friday → message_clicked >= 1 where campaign in Summer Sale, Black Friday
unsubscribed in the last month → unsubscribed >= 1 in 30 days
complained in the last 30 days → service_contact >= 1 in 30 days where type = complaint
"""
)


@pytest.mark.parametrize(("phrase", "rules"), PHRASES)
def test_a_phrase_is_understood_to_the_last_word(phrase: str, rules: str) -> None:
    understood = read(phrase)

    assert line(understood.rules) == rules
    assert understood.unparsed == []
