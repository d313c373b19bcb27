"""Save, find and delete browsers' subscriptions to push messages.

Messages are addressed to `Customer.push_address`. It names the newest subscription of the customer, and stands for all of
them: a customer with two browsers gets the message in both.
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
    """The data is not a push subscription of a browser."""


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
    """Save a browser of a customer, even if it was another customer's before. Raises Unusable."""
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
    """Delete a browser; returns whether it existed."""
    subscription = PushSubscription.objects.filter(endpoint=endpoint).first()
    if subscription is None:
        return False
    subscription.delete()
    keep_addresses([subscription.customer_id])
    return True


def behind(address: str, application_key: str) -> list[PushSubscription]:
    """Return the browsers of an address that subscribed with this key, newest first."""
    number = address.removeprefix(PREFIX)
    if not address.startswith(PREFIX) or not number.isdecimal():
        return []
    owner = PushSubscription.objects.filter(pk=int(number)).values("customer")
    theirs = PushSubscription.objects.filter(customer__in=owner, application_key=application_key)
    return list(theirs.order_by("-pk"))


_BROWSERS = ("Edg", "OPR", "SamsungBrowser", "Firefox", "Chrome", "Safari")
"""Names in user agents; a browser that also claims to be another one comes before it."""
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
    """Return the browser of a user agent, such as "Firefox, Windows", or its beginning."""
    agent = subscription.user_agent
    name = next((_NAMES.get(each, each) for each in _BROWSERS if f"{each}/" in agent), "")
    system = next((label for word, label in _SYSTEMS.items() if word in agent), "")
    return ", ".join(filter(None, (name, system))) or agent[:60]


def keep_addresses(customer_ids: Iterable[int]) -> None:
    """Update the push addresses of these customers from their subscriptions."""
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
        raise Unusable(_("The endpoint is not an https address."))
    if _is_inside(url.hostname):
        raise Unusable(_("The endpoint is not a push service."))
    point = _decoded(p256dh)
    if len(point) != POINT_BYTES or point[0] != 4:
        raise Unusable(_("keys.p256dh is not a public key of a browser."))
    if len(_decoded(auth)) != AUTH_BYTES:
        raise Unusable(_("keys.auth is not a secret of a browser."))


def _is_inside(host: str) -> bool:
    """Return whether a host is an address of our own network; names that resolve to one fail when they are called."""
    try:
        return not settings.OUTBOUND_ALLOW_PRIVATE and not guard.is_public(host)
    except ValueError:
        return False


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
