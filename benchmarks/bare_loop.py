"""The reference of sending: a plain loop without crash safety."""

from __future__ import annotations

import smtplib
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

from django.db import connection

from crm.api import ids
from marketing.content import Renderer, customer_context, tracking_for
from marketing.models import CampaignExecution, CampaignRun
from marketing.sending.compose import unsubscribe_headers

A_BATCH = 20


def send_all(run: CampaignRun, port: int) -> int:
    """Send messages in batches of 20 on one connection; return how many were sent."""
    links = list(run.version.links.order_by("position").values_list("url", flat=True))
    renderer = Renderer(run.version, campaign_name=run.campaign.name, tracked=links)
    sent = 0
    with smtplib.SMTP("127.0.0.1", port) as server:
        while batch := _claim(run):
            for execution in batch:
                _send(server, run, renderer, execution)
            _record(batch)
            sent += len(batch)
    return sent


def _claim(run: CampaignRun) -> list[CampaignExecution]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE marketing_campaignexecution SET state = 'sending', sending_at = now(), lease = gen_random_uuid()
            WHERE id IN (
                SELECT id FROM marketing_campaignexecution
                WHERE run_id = %s AND state = 'pending' ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
            )
            RETURNING id
            """,
            [run.pk, A_BATCH],
        )
        claimed = [row[0] for row in cursor.fetchall()]
    return list(CampaignExecution.objects.filter(pk__in=claimed).select_related("customer"))


def _send(
    server: smtplib.SMTP,
    run: CampaignRun,
    renderer: Renderer,
    execution: CampaignExecution,
) -> None:
    tracking = tracking_for(execution.pk)
    content = renderer.render(customer_context(execution.customer), tracking)
    message = MIMEMultipart("alternative")
    message["Message-ID"] = f"<{ids.encode('msg', execution.pk)}@shop.example>"
    message["Subject"] = content.subject
    message["From"] = run.sender.from_address
    message["To"] = execution.address
    for name, value in unsubscribe_headers(tracking.unsubscribe).items():
        message[name] = value
    message.attach(MIMEText(content.text, "plain", "utf-8"))
    message.attach(MIMEText(content.html, "html", "utf-8"))
    server.sendmail(run.sender.from_address, [execution.address], message.as_string())


def _record(batch: list[CampaignExecution]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE marketing_campaignexecution SET state = 'sent', sent_at = now(), lease = NULL WHERE id = ANY(%s)",
            [[each.pk for each in batch]],
        )
