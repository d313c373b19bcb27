"""Double opt-in: a pending customer gets an e-mail with a signed link, and is subscribed on confirming it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from customers import consent
from customers.consent import is_suppressed
from customers.models import Consent
from customers.models.consent import Channel
from marketing.channels import Message, SendError, connect
from marketing.content import Purpose, signed_url
from marketing.models import Sender
from marketing.sending.sender_accounts import default_sender
from marketing.tracking import preferences

logger = logging.getLogger(__name__)


def confirmation_url(request: Consent) -> str:
    """Return the link that confirms a request; it holds for the address to which it is sent."""
    return signed_url(Purpose.CONFIRM, request.pk, _fingerprint(request.customer.email))


def pending(consent_id: int, fingerprint: int) -> Consent | None:
    """Return the request that a link confirms.

    None where a newer decision than its own confirmation exists, or where the customer has another address by now.
    """
    request = Consent.objects.select_related("customer").filter(pk=consent_id).first()
    if request is None or request.decision != consent.PENDING:
        return None
    if _fingerprint(request.customer.email) != fingerprint:
        return None
    newer = request.customer.consents.filter(
        channel=request.channel, topic=request.topic, pk__gt=request.pk
    )
    return None if newer.exclude(evidence=_evidence(request)).exists() else request


def confirm(request: Consent) -> None:
    """Opt the customer in, with the request as evidence; a repeated confirmation changes nothing."""
    customer = request.customer_id
    if consent.undecided([customer], request.channel, consent.OPTED_IN):
        consent.opt_in(customer, request.channel, _evidence(request))


def send_requests(customer_ids: Sequence[int]) -> None:
    """E-mail the pending ones of the customers a link to confirm, from the default sender.

    A failed e-mail is logged: the customer stays pending until the next sign-up.
    """
    requests = _pending_requests(customer_ids)
    if not requests:
        return
    sender = default_sender()
    with connect(sender) as connection:
        for request in requests:
            try:
                connection.send(_mail(request, sender))
            except SendError as error:
                logger.warning("request to confirm #%s: %s", request.pk, type(error).__name__)


def _pending_requests(customer_ids: Iterable[int]) -> list[Consent]:
    newest = (
        Consent.objects.filter(customer__in=customer_ids, channel=Channel.EMAIL, topic="")
        .order_by("customer", "-decided_at", "-pk")
        .distinct("customer")
    )
    requests = (
        Consent.objects.filter(pk__in=newest.values("pk"), decision=consent.PENDING)
        .filter(~is_suppressed(Channel.EMAIL, "customer__email"), customer__email__isnull=False)
        .select_related("customer")
    )
    erased = consent.erased_among(each.customer.email for each in requests)
    return [each for each in requests if each.customer.email not in erased]


def _mail(request: Consent, sender: Sender) -> Message:
    customer = request.customer
    with translation.override(preferences.language_of(customer)):
        context = {
            "first_name": customer.first_name,
            "site_name": settings.SITE_NAME,
            "url": confirmation_url(request),
        }
        return Message(
            key=f"confirm_{request.pk}",
            to_address=customer.email or "",
            to_name=customer.name,
            from_address=sender.from_address,
            from_name=sender.from_name,
            reply_to=sender.reply_to,
            subject=_("Please confirm your subscription"),
            html=render_to_string("email/confirm.html", context),
            text=render_to_string("email/confirm.txt", context),
        )


def _fingerprint(email: str | None) -> int:
    """Return 16 bits that differ between the addresses that a customer has one after the other."""
    folded = (email or "").casefold().encode()
    return int.from_bytes(hashlib.blake2b(folded, digest_size=2).digest())


def _evidence(request: Consent) -> str:
    return f"confirmed by the link of request #{request.pk}"
