"""The public links of a message. Tokens are signed and say which message; anything else is a 404."""

from __future__ import annotations

import base64
import html
from urllib.parse import urlsplit

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from crm.api import ids
from customers import consent, events
from marketing.content import liquid
from marketing.content.context import customer_context, shared_context
from marketing.models import CampaignExecution, TrackedLink
from marketing.tracking import tokens
from marketing.tracking.record import Happening, record
from marketing.tracking.tokens import Purpose

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


@require_safe
@never_cache
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """The pixel; asking for it is an open."""
    execution_id, _ = _read(Purpose.OPEN, token)
    if request.method == "GET":
        record([Happening(execution_id, events.MESSAGE_OPENED, timezone.now())])
    return HttpResponse(PIXEL, content_type="image/gif")


@require_safe
@never_cache
def clicked(request: HttpRequest, token: str) -> HttpResponse:
    """On to the address that stood in the message, and to no other."""
    execution_id, position = _read(Purpose.CLICK, token)
    execution = _message(execution_id)
    address = _address(execution, position)
    if request.method == "GET":
        record([Happening(execution_id, events.MESSAGE_CLICKED, timezone.now(), link=address)])
    response = HttpResponseRedirect(address)
    response["Referrer-Policy"] = "no-referrer"
    return response


@csrf_exempt  # mail programs post here without a page before it (RFC 8058); the token is the proof
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """A page that asks; a POST unsubscribes at once (RFC 8058), or takes it back when it says `subscribe`.

    A GET changes nothing, because scanners follow every link.
    """
    execution_id, _ = _read(Purpose.UNSUBSCRIBE, token)
    execution = _message(execution_id)
    if request.method == "POST":
        if "subscribe" in request.POST:
            _subscribe_again(execution)
        else:
            record([Happening(execution_id, events.UNSUBSCRIBED, timezone.now())])
        execution.customer.refresh_from_db(fields=["opted_out_channels"])
    channel = execution.run.campaign.channel
    subscribed = channel not in execution.customer.opted_out_channels
    context = {"subscribed": subscribed, "changed": request.method == "POST", "channel": channel}
    return render(request, "public/unsubscribe.html", context)


def _subscribe_again(execution: CampaignExecution) -> None:
    evidence = f"unsubscribe page of {ids.encode('msg', execution.pk)}"
    consent.opt_in(execution.customer_id, execution.run.campaign.channel, evidence)


def _read(purpose: Purpose, token: str) -> tuple[int, int]:
    read = tokens.read(purpose, token)
    if read is None:
        raise Http404
    return read


def _message(execution_id: int) -> CampaignExecution:
    execution = (
        CampaignExecution.objects.select_related("customer", "run__campaign")
        .filter(pk=execution_id)
        .first()
    )
    if execution is None:
        raise Http404
    return execution


def _address(execution: CampaignExecution, position: int) -> str:
    """The link of the message as its recipient got it: entities resolved, Liquid rendered."""
    link = TrackedLink.objects.filter(version=execution.run.version_id, position=position).first()
    if link is None:
        raise Http404
    source = liquid.compile_template(html.unescape(link.url), html=False)
    campaign = execution.run.campaign
    context = shared_context(campaign.name) | customer_context(execution.customer)
    address = liquid.render(source, context).strip()
    if address.startswith("//"):
        address = f"https:{address}"
    if urlsplit(address).scheme not in {"http", "https"}:
        raise Http404
    return address
