"""A message as it leaves: what is said to this person, by whom, and how to be left alone."""

from __future__ import annotations

from crm.api import ids
from customers.models.customer import full_name
from marketing.channels.base import Message
from marketing.models import CampaignRun
from marketing.sending.claimed_message import Held
from marketing.sending.contents import Contents


class Composer:
    """Composes the messages of one run."""

    def __init__(self, run: CampaignRun) -> None:
        self._sender = run.sender
        self._reply_to = run.campaign.reply_to or run.sender.reply_to
        self._contents = Contents(run)

    def compose(self, execution: Held) -> Message:
        """Raises ContentError when the content cannot be rendered for its recipient."""
        content, tracking = self._contents.render(execution)
        sender, person = self._sender, execution.person
        return Message(
            key=message_key(execution.pk),
            to_address=execution.address,
            to_name=full_name(person["first_name"], person["last_name"]),
            from_address=sender.from_address,
            from_name=sender.from_name,
            reply_to=self._reply_to,
            subject=content.subject,
            html=content.html,
            text=content.text,
            headers=unsubscribe_headers(tracking.unsubscribe),
            link=content.link,
        )


def message_key(execution_id: int) -> str:
    """What names a message to providers on every attempt."""
    return ids.encode("msg", execution_id)


def unsubscribe_headers(url: str) -> dict[str, str]:
    """One-click unsubscription (RFC 8058), which takes List-Unsubscribe (RFC 2369) with it."""
    return {
        "List-Unsubscribe": f"<{url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
