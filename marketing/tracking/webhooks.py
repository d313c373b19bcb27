"""Where providers tell what became of messages. Only what is signed with a sender's own secret is believed."""

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
def told(request: HttpRequest, provider: str, sender: str = "") -> HttpResponse:
    """Take in what a provider tells. Without a sender it is for those whose secret fits. A GET answers that somebody is here."""
    channel = providers().get(provider)
    if channel is None or not channel.reports_delivery:
        raise Http404
    if request.method != "POST":
        return HttpResponse(content_type="text/plain")
    told = []
    for candidate in _senders(provider, sender):
        try:
            told.append((candidate, _read(channel, candidate, request)))
        except BadSignature:
            continue
        except ValueError as error:
            logger.warning("%s told what cannot be read: %s", candidate, type(error).__name__)
            return HttpResponse("This cannot be read.", status=400, content_type="text/plain")
    if not told:
        return HttpResponse("No signature that fits.", status=403, content_type="text/plain")
    receipts.take_in_all(told)
    return HttpResponse(content_type="text/plain")


def _read(channel: Provider, sender: Sender, request: HttpRequest) -> list[ReceiptEvent]:
    try:
        return channel.receipts(sender, request)
    except Unreadable as error:
        raise BadSignature from error


def _senders(provider: str, public_id: str) -> list[Sender]:
    senders = Sender.objects.filter(provider=provider).order_by("pk")
    if not public_id:
        return list(senders)
    pk = ids.decode("snd", public_id)
    return [] if pk is None else list(senders.filter(pk=pk))
