"""Preview a message on the screen, or send it as a test."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Max, Min
from django.utils.translation import gettext as _

from customers import consent
from customers.models import Customer
from customers.models.consent import Channel
from marketing.channels import Message, PermanentError, Receipt, SmsLength, connect, measure_sms
from marketing.content import build, checks, liquid
from marketing.content.checks import Finding
from marketing.content.context import customer_context, shared_context
from marketing.content.render import Rendered, Renderer, Tracking, tracking_for
from marketing.models import CampaignTemplate, Sender
from marketing.models.template import Content

NO_TRACKING = Tracking(unsubscribe=f"{settings.SITE_URL}/u/preview/")
"""Of messages that nobody received: the link leads to a page that says so."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A message as one customer would get it, its findings, and its variables that no recipient can have."""

    subject: str
    preheader: str
    html: str
    text: str
    link: str
    unknown: list[str]
    findings: list[Finding]
    customer: Customer | None
    sms: SmsLength | None


def preview(template: CampaignTemplate, customer: Customer | None = None) -> Preview:
    """Render for the customer, or for any one when None is given; nothing is tracked.

    Raises ContentError when the template cannot be read or rendered.
    """
    recipient = customer or any_customer()
    context = customer_context(recipient or Customer())
    rendered = untracked(template, context)
    sms_text = _as_sent(template, context).text if template.channel == Channel.SMS else ""
    return Preview(
        subject=rendered.subject,
        preheader=_preheader(template, context),
        html=rendered.html,
        text=rendered.text,
        link=rendered.link,
        unknown=checks.unknown_in(template),
        findings=checks.check(template, rendered, sms_text=sms_text),
        customer=recipient,
        sms=measure_sms(sms_text) if template.channel == Channel.SMS else None,
    )


def untracked(content: Content, recipient: Mapping[str, Any]) -> Rendered:
    """Return a template or version as the recipient would get it, with its own links. Raises ContentError."""
    return Renderer(content, campaign_name=_("Preview")).render(recipient, NO_TRACKING)


def _as_sent(template: CampaignTemplate, recipient: Mapping[str, Any]) -> Rendered:
    """Return the message with links as long as those of a real one."""
    tracked = build.links_of(template)
    renderer = Renderer(template, campaign_name=_("Preview"), tracked=tracked)
    return renderer.render(recipient, tracking_for(0))


def _preheader(template: CampaignTemplate, context: dict[str, Any]) -> str:
    source = liquid.expand_placeholders(template.preheader)
    compiled = liquid.compile_template(source, html=False)
    return liquid.render(compiled, {**shared_context(_("Preview")), **context})


def send_test(
    template: CampaignTemplate, *, sender: Sender, to_address: str, customer: Customer | None = None
) -> Receipt:
    """Send what preview() shows to one address, marked as a test; it counts nowhere.

    Raises ContentError as preview() does, and a SendError when it did not leave: a suppressed address gets no tests either.
    """
    if sender.channel != template.channel:
        raise PermanentError(_("This sender does not send messages of this channel."))
    if consent.blocks(sender.channel, to_address):
        raise PermanentError(_("This address is suppressed: nothing is sent to it."))
    seen = preview(template, customer)
    message = Message(
        key=f"test_{uuid.uuid4().hex}",
        to_address=to_address,
        to_name="",
        from_address=sender.from_address,
        from_name=sender.from_name,
        reply_to=sender.reply_to,
        subject=_("[Test] %s") % seen.subject,
        html=seen.html,
        text=seen.text,
        link=seen.link,
    )
    with connect(sender) as connection:
        return connection.send(message)


def any_customer() -> Customer | None:
    """Return a random customer with an e-mail address, or None while there is none.

    A random key and the next row from there: no scan, whatever the number of customers.
    """
    reachable = Customer.objects.filter(email__isnull=False)
    ends = reachable.aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is None:
        return None
    start = random.randint(ends["first"], ends["last"])  # noqa: S311
    return reachable.filter(pk__gte=start).order_by("pk").first()
