"""The message of the sending benchmarks: a newsletter of 3 KB with tracked links, and its recipients."""

from __future__ import annotations

from django.conf import settings
from django.db import connection

from marketing import campaigns
from marketing.campaigns import runs
from marketing.models import Campaign, CampaignRun, CampaignTemplate, Sender

EVERYONE = {"operator": "AND", "conditions": []}
SUBJECT = "{{ customer.first_name }}, what {{ customer.city }} reads this week"
ARTICLE = """
<tr><td style="padding:16px 24px;font-family:Helvetica,Arial,sans-serif;font-size:15px;line-height:22px;color:#27272a">
<h2 style="margin:0 0 8px;font-size:18px"><a href="https://shop.example/articles/{number}">Story number {number}</a></h2>
<p style="margin:0 0 8px">The kettle sings before the tea is ready, and whoever listens knows when to pour. Dear
{{{{ customer.first_name }}}}, we thought of you in {{{{ customer.city }}}} when we wrote this down.</p>
<p style="margin:0"><a href="https://shop.example/offers/{number}?from=letter">See the offer</a></p>
</td></tr>"""
ARTICLES = 4
LINKS = 2 * ARTICLES
"""Tracked links; the unsubscribe link is not tracked."""
BODY = (
    '<!doctype html><html><head><meta charset="utf-8"><title>Weekly</title></head><body style="margin:0;background:#fafafa">'
    '<table role="presentation" width="600" align="center" style="background:#ffffff">'
    + "".join(ARTICLE.format(number=number) for number in range(1, ARTICLES + 1))
    + "</table><p>You have ordered {{ customer.order_count }} times. "
    '<a href="{{ unsubscribe_url }}">Unsubscribe</a></p></body></html>'
)


def make_people(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_customer (external_id, email, first_name, last_name, city)
            SELECT 'c' || n, 'c' || n || '@example.com', 'First' || n %% 1000, 'Last' || n %% 5000,
                (array['Berlin','London','Paris','Vienna','Oslo'])[1 + n %% 5]
            FROM generate_series(1, %s) n
            """,
            [number],
        )
        cursor.execute("VACUUM (ANALYZE) customers_customer")


def make_campaign(name: str, port: int, **sender: object) -> Campaign:
    """Create a campaign to all customers, by the mail server on a local port."""
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    template = CampaignTemplate.objects.create(name=name, subject=SUBJECT, body=BODY)
    account = Sender.objects.create(name=name, from_address="letter@shop.example", **sender)
    return Campaign.objects.create(name=name, template=template, sender=account, rules=EVERYONE)


def launched(campaign: Campaign) -> CampaignRun:
    """Return the batch of the campaign with its audience, before sending."""
    run = campaigns.launch(campaign)
    while runs.fill(run):
        pass
    return CampaignRun.objects.get(pk=run.pk)


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE customers_customer, marketing_campaign, marketing_campaigntemplate, marketing_sender, "
            "events_marketingevent RESTART IDENTITY CASCADE"
        )
