"""Subscriptions of browsers to push messages: taken in, found and forgotten.

`Customer.push_address` is what a message is addressed to. It names the newest subscription of the customer, and stands for all of
them: whoever has two browsers is told in both.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from crm.outbound import guard
from customers.models import Customer, PushSubscription

PREFIX = "push_"
POINT_BYTES = 65
AUTH_BYTES = 16
LONGEST_ENDPOINT = 2_000


class Unusable(ValueError):
    """It is no subscription of a browser."""


@transaction.atomic
def subscribe(
    customer: Customer,
    *,
    endpoint: str,
    p256dh: str,
    auth: str,
    application_key: str,
    user_agent: str = "",
) -> PushSubscription:
    """Keep a browser for a customer; one that was somebody else's is theirs now. Raises Unusable."""
    _check(endpoint, p256dh, auth)
    before = PushSubscription.objects.filter(endpoint=endpoint).values_list("customer", flat=True)
    others = set(before) - {customer.pk}
    subscription, _created = PushSubscription.objects.update_or_create(
        endpoint=endpoint,
        defaults={
            "customer": customer,
            "p256dh": p256dh,
            "auth": auth,
            "application_key": application_key,
            "user_agent": user_agent[:300],
        },
    )
    keep_addresses({customer.pk, *others})
    return subscription


@transaction.atomic
def forget(endpoint: str) -> bool:
    """Keep a browser no longer; False where it was not kept."""
    subscription = PushSubscription.objects.filter(endpoint=endpoint).first()
    if subscription is None:
        return False
    subscription.delete()
    keep_addresses([subscription.customer_id])
    return True


def behind(address: str, application_key: str) -> list[PushSubscription]:
    """The browsers that an address stands for, as far as they were subscribed with this key, the newest first."""
    number = address.removeprefix(PREFIX)
    if not address.startswith(PREFIX) or not number.isdecimal():
        return []
    owner = PushSubscription.objects.filter(pk=int(number)).values("customer")
    theirs = PushSubscription.objects.filter(customer__in=owner, application_key=application_key)
    return list(theirs.order_by("-pk"))


_BROWSERS = ("Edg", "OPR", "SamsungBrowser", "Firefox", "Chrome", "Safari")
"""As they call themselves; those that claim to be another one as well come before it."""
_NAMES = {"Edg": "Edge", "OPR": "Opera", "SamsungBrowser": "Samsung Internet"}
_SYSTEMS = {
    "Android": "Android",
    "iPhone": "iOS",
    "iPad": "iOS",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


def browser_of(subscription: PushSubscription) -> str:
    """Which browser it is, by what it calls itself: "Firefox, Windows"; what it says where nobody knows it."""
    agent = subscription.user_agent
    name = next((_NAMES.get(each, each) for each in _BROWSERS if f"{each}/" in agent), "")
    system = next((label for word, label in _SYSTEMS.items() if word in agent), "")
    return ", ".join(filter(None, (name, system))) or agent[:60]


def keep_addresses(customer_ids: Iterable[int]) -> None:
    """Let the push addresses of these customers follow their subscriptions."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE customers_customer SET push_address = coalesce(
                (SELECT %s || max(id) FROM customers_pushsubscription WHERE customer_id = customers_customer.id), ''
            )
            WHERE id = ANY(%s)
            """,
            [PREFIX, sorted(customer_ids)],
        )


def _check(endpoint: str, p256dh: str, auth: str) -> None:
    url = urlsplit(endpoint)
    if url.scheme != "https" or not url.hostname or len(endpoint) > LONGEST_ENDPOINT:
        raise Unusable(_("The endpoint is no https address."))
    if _is_inside(url.hostname):
        raise Unusable(_("The endpoint is no push service."))
    point = _decoded(p256dh)
    if len(point) != POINT_BYTES or point[0] != 4:
        raise Unusable(_("keys.p256dh is no public key of a browser."))
    if len(_decoded(auth)) != AUTH_BYTES:
        raise Unusable(_("keys.auth is no secret of a browser."))


def _is_inside(host: str) -> bool:
    """Whether it names an address of our own network outright; names that lead there are found out when they are called."""
    try:
        return not settings.OUTBOUND_ALLOW_PRIVATE and not guard.is_public(host)
    except ValueError:
        return False


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
