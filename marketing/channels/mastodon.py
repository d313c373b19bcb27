"""Post to an account of Mastodon, or of a server with its API.

Source: https://docs.joinmastodon.org/methods/statuses/#create
"""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from django.utils.translation import gettext_lazy as _

from crm.outbound.session import Session
from customers.models import consent
from marketing.channels.base import (
    Account,
    Connection,
    Message,
    Provider,
    Receipt,
    Setting,
    TransientError,
)
from marketing.channels.http import as_send_errors, check

LONGEST = 500
COUNTED_AS = 23
VISIBILITIES = ("public", "unlisted", "private")


class Mastodon(Provider):
    name = "mastodon"
    label = _("Mastodon")
    serves = frozenset({consent.Channel.SOCIAL})
    idempotent = True
    settings = (
        Setting("url", _("Server"), help="https://mastodon.social", is_target=True),
        Setting("token", _("Access token"), secret=True, help=_("With the scope write:statuses.")),
        Setting(
            "visibility",
            _("Visibility"),
            required=False,
            help=_("public, unlisted or private; empty: public."),
        ),
    )

    def validate(self, sender: Account) -> dict[str, str]:
        problems = super().validate(sender)
        url = urlsplit(sender.setting("url"))
        if "url" not in problems and (url.scheme not in {"http", "https"} or not url.hostname):
            problems["url"] = str(_("This is no web address: https://mastodon.social"))
        if (sender.setting("visibility") or VISIBILITIES[0]) not in VISIBILITIES:
            problems["visibility"] = str(_("It is public, unlisted or private."))
        return problems

    def remarks(self, message: Message) -> list[str]:
        length = _length(message.text)
        if length <= LONGEST:
            return []
        return [
            str(_("%(length)s characters; most servers take %(most)s."))
            % {"length": length, "most": LONGEST}
        ]

    def connect(self, sender: Account) -> MastodonConnection:
        return MastodonConnection(sender)


class MastodonConnection(Connection):
    def __init__(self, sender: Account) -> None:
        token = sender.setting("token")
        self._url = urljoin(sender.setting("url"), "/api/v1/statuses")
        self._visibility = sender.setting("visibility") or VISIBILITIES[0]
        self._session = Session("mastodon", account=sender.public_id, secrets=[token])
        self._session.headers["Authorization"] = f"Bearer {token}"

    def send(self, message: Message) -> Receipt:
        body = {"status": message.text, "visibility": self._visibility}
        headers = {"Idempotency-Key": message.key}
        with as_send_errors(idempotent=True):
            response = self._session.post(self._url, data=body, headers=headers)
        check(response)
        try:
            post = response.json()
            return Receipt(provider_id=str(post["id"]), url=str(post.get("url") or ""))
        except (ValueError, KeyError, TypeError) as error:
            raise TransientError("The answer is not Mastodon's.") from error

    def close(self) -> None:
        self._session.close()


def _length(text: str) -> int:
    """Return the length as Mastodon counts it: every web address is 23 characters long."""
    words = text.split(" ")
    links = [word for word in words if word.startswith(("http://", "https://"))]
    return len(text) - sum(map(len, links)) + COUNTED_AS * len(links)
