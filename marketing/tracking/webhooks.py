"""The webhooks to which providers report receipts; each must be signed with a sender's own secret."""

from __future__ import annotations

import logging

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from crm.api import ids
from crm.credentials import Unreadable
from marketing.channels import BadSignature, Provider, ReceiptEvent, providers
from marketing.models import Sender
from marketing.tracking import receipts

logger = logging.getLogger(__name__)


@csrf_exempt  # the provider's signature is the proof
@require_http_methods(["GET", "HEAD", "POST"])
def receive(request: HttpRequest, provider: str, sender: str = "") -> HttpResponse:
    """Record the receipts of a provider; without a sender, for every sender whose secret verifies them. A GET answers 200."""
    known = providers().get(provider)
    if known is None or not known.reports_delivery:
        raise Http404
    if request.method != "POST":
        return HttpResponse(content_type="text/plain")
    verified = []
    for candidate in _senders(provider, sender):
        try:
            verified.append((candidate, _read(known, candidate, request)))
        except BadSignature:
            continue
        except OSError as error:
            logger.warning("%s: a receipt cannot be checked now: %s", candidate, error)
            return HttpResponse(
                "The receipt cannot be checked now.", status=503, content_type="text/plain"
            )
        except ValueError as error:
            logger.warning(
                "%s sent a receipt that cannot be read: %s", candidate, type(error).__name__
            )
            return HttpResponse(
                "The receipt cannot be read.", status=400, content_type="text/plain"
            )
    if not verified:
        return HttpResponse(
            "No sender's secret verifies this.", status=403, content_type="text/plain"
        )
    receipts.record_shared_receipts(verified)
    return HttpResponse(content_type="text/plain")


def _read(provider: Provider, sender: Sender, request: HttpRequest) -> list[ReceiptEvent]:
    try:
        return provider.receipts(sender, request)
    except Unreadable as error:
        raise BadSignature from error


def _senders(provider: str, public_id: str) -> list[Sender]:
    senders = Sender.objects.filter(provider=provider).order_by("pk")
    if not public_id:
        return list(senders)
    pk = ids.decode("snd", public_id)
    return [] if pk is None else list(senders.filter(pk=pk))
