"""Send a campaign to one customer and follow its links."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from marketing.campaigns import moves
from marketing.channels.base import Message, Receipt
from marketing.channels.simulator import SimulatorConnection
from marketing.models import CampaignExecution
from marketing.sending import turn
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_sender, make_template
from tests.smtp_sink import Sink

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
CLICK = re.compile(r"https?://[^/\s]+(/t/c/[A-Za-z0-9_-]{27})")


@dataclass(frozen=True, slots=True)
class Delivered:
    """A delivered message and the targets of its links."""

    html: str = ""
    text: str = ""
    link: str = ""
    execution: CampaignExecution = field(default_factory=CampaignExecution)

    @property
    def shown_html(self) -> str:
        """Return the HTML without the hidden link and the pixel at its end."""
        return re.sub(
            r'<a href="[^"]*" style="display:none" aria-hidden.*?></a><img [^>]*>', "", self.html
        )

    def clicks(self, part: str = "shown_html") -> list[str]:
        """Return the target of each tracked link of the part, in reading order."""
        return [click(path) for path in CLICK.findall(getattr(self, part))]


def click(path: str) -> str:
    """Click a tracked link; return its target."""
    response = Client(headers={"User-Agent": BROWSER}).get(path)
    assert response.status_code == 302, path
    return str(response.headers["Location"])


def send_email(
    sink: Sink, body: str, *, person: dict[str, Any] | None = None, **template: Any
) -> Delivered:
    """Send an e-mail through the SMTP sink."""
    execution = _send(template=make_template(body=body, **template), person=person)
    message = sink.messages()[-1]
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    assert html
    assert text
    return Delivered(
        html.get_content().replace("\r\n", "\n"),
        text.get_content().replace("\r\n", "\n"),
        execution=execution,
    )


def send_text(
    monkeypatch: pytest.MonkeyPatch,
    channel: str,
    body: str,
    *,
    person: dict[str, Any] | None = None,
    **template: Any,
) -> Delivered:
    """Send a message of another channel through a simulator that records it."""
    sent: list[Message] = []

    def send(self: SimulatorConnection, message: Message) -> Receipt:
        sent.append(message)
        return Receipt(provider_id=message.key)

    monkeypatch.setattr(SimulatorConnection, "send", send)
    execution = _send(
        template=make_template(body=body, channel=channel, body_format="text", **template),
        person={
            "phone": "+491701234567",
            "push_address": "p1",
            "external_id": "c1",
            **(person or {}),
        },
        channel=channel,
        sender=make_sender(provider="simulator", channel=channel),
    )
    return Delivered(text=sent[-1].text, link=sent[-1].link, execution=execution)


def _send(*, person: dict[str, Any] | None, **campaign: Any) -> CampaignExecution:
    make_customer(**{"email": "ada@example.com", "first_name": "Ann", **(person or {})})
    run = moves.launch(make_campaign(**campaign))
    while turn.work_on(run.pk):
        pass
    run.executions.update(sent_at=timezone.now() - timedelta(hours=1))
    execution = run.executions.get()
    assert execution.state == "sent", (execution.skip_reason, execution.error)
    return execution


Sending = Callable[..., Delivered]
