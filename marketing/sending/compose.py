"""The message to one recipient: its variant's content rendered, from the sender, with an unsubscribe link."""

from __future__ import annotations

from crm.api import ids
from customers.models.customer import full_name
from marketing.channels import Message
from marketing.content import Renderer, person_context, tracking_for
from marketing.messages.plan import ClaimedMessage, SendPlan
from marketing.models import TemplateVersion


class Composer:
    """Composes the messages of one plan; compiles the content of a variant at its first message."""

    def __init__(self, plan: SendPlan) -> None:
        self._plan = plan
        self._compiled: dict[int, Renderer] = {}

    def compose(self, claimed: ClaimedMessage) -> Message:
        """Return the message. Raises ContentError when its content cannot be rendered for the recipient."""
        plan, customer = self._plan, claimed.customer
        version = plan.variants.get(claimed.variant, plan.version)
        tracking = tracking_for(claimed.pk)
        context = {**person_context(customer), **claimed.context}
        content = self._renderer(version).render(context, tracking)
        claimed.links = content.links
        return Message(
            key=message_key(claimed.pk),
            to_address=claimed.address,
            to_name=full_name(customer["first_name"], customer["last_name"]),
            from_address=plan.sender.from_address,
            from_name=plan.sender.from_name,
            reply_to=plan.reply_to,
            subject=content.subject,
            html=content.html,
            text=content.text,
            headers=unsubscribe_headers(tracking.unsubscribe),
            link=content.link,
        )

    def _renderer(self, version: TemplateVersion) -> Renderer:
        if version.pk not in self._compiled:
            links = list(version.links.order_by("position").values_list("url", flat=True))
            self._compiled[version.pk] = Renderer(
                version, campaign_name=self._plan.name, tracked=links
            )
        return self._compiled[version.pk]


def message_key(execution_id: int) -> str:
    """Return the name of a message at providers, the same on every attempt."""
    return ids.encode("msg", execution_id)


def unsubscribe_headers(url: str) -> dict[str, str]:
    """Return the headers of one-click unsubscription (RFC 8058, which builds on RFC 2369)."""
    return {
        "List-Unsubscribe": f"<{url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
