"""Looking at a message before it is sent: on the screen, or in one's own inbox."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass

from django.db.models import Max, Min
from django.utils.translation import gettext as _

from customers.consent import suppressions
from customers.models import Customer
from marketing.channels import registry
from marketing.channels.base import Message, PermanentError, Receipt
from marketing.content import variables
from marketing.content.context import customer_context
from marketing.content.render import Renderer, Tracking
from marketing.models import Sender
from marketing.models.template import Content

NO_TRACKING = Tracking(links={}, unsubscribe="#unsubscribe")


@dataclass(frozen=True, slots=True)
class Preview:
    """A message as one customer would get it, and the variables in it that nobody can have."""

    subject: str
    html: str
    text: str
    unknown: list[str]
    customer: Customer | None


def preview(content: Content, customer: Customer | None = None) -> Preview:
    """Render for the customer, or for any one when None is given; nothing is tracked.

    Raises ContentError when the content is not Liquid or cannot be rendered.
    """
    recipient = customer or any_customer()
    renderer = Renderer(content, campaign_name=_("Preview"))
    rendered = renderer.render(customer_context(recipient or Customer()), NO_TRACKING)
    return Preview(
        subject=rendered.subject,
        html=rendered.html,
        text=rendered.text,
        unknown=variables.unknown([content.subject, content.body, content.plain_text]),
        customer=recipient,
    )


def send_test(
    content: Content, *, sender: Sender, to_address: str, customer: Customer | None = None
) -> Receipt:
    """Send what preview() shows to one address, marked as a test; it counts nowhere.

    Raises ContentError as preview() does, and a SendError when it did not leave: a suppressed address gets no tests either.
    """
    if suppressions.blocks(sender.channel, to_address):
        raise PermanentError(_("This address is suppressed: nothing is sent to it."))
    seen = preview(content, customer)
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
    )
    with registry.get(sender.provider).connect(sender) as connection:
        return connection.send(message)


def any_customer() -> Customer | None:
    """A random customer with an e-mail address; None while there is none.

    A random key and the next row from there: no scan, whatever the number of customers.
    """
    reachable = Customer.objects.filter(email__isnull=False)
    ends = reachable.aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is None:
        return None
    start = random.randint(ends["first"], ends["last"])  # noqa: S311
    return reachable.filter(pk__gte=start).order_by("pk").first()
