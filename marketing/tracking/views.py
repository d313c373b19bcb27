"""The public links of a message. Their tokens are signed and name the message; any other token is a 404."""

from __future__ import annotations

import base64

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from customers.timeline import types
from marketing.content import Purpose, UtmTags, read_token
from marketing.models import CampaignExecution, FormerMessage, TrackedLink
from marketing.tracking import click_filter, double_opt_in, former_messages, preferences
from marketing.tracking.bots import why_bot
from marketing.tracking.engagement import MessageEvent, record

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


@require_safe
@never_cache
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """Return the pixel, and record an open, by a recipient or a bot."""
    execution_id, _ = _read(Purpose.OPEN, token)
    execution = CampaignExecution.objects.filter(pk=execution_id).first()
    if request.method == "GET" and execution:
        bot = _why_bot(request, execution)
        kind = types.MESSAGE_OPENED_BY_MACHINE if bot else types.MESSAGE_OPENED
        record([MessageEvent(execution_id, kind, timezone.now())])
    return HttpResponse(PIXEL, content_type="image/gif")


@require_safe
@never_cache
def clicked(request: HttpRequest, token: str) -> HttpResponse:
    """Redirect to the address of the link in the message, and to no other."""
    execution_id, position = _read(Purpose.CLICK, token)
    execution, former = _message(execution_id)
    if position == click_filter.TRAP:
        address = settings.SITE_URL
    elif former:
        address = _tagged(former_messages.address_of(former, position), execution)
    else:
        assert execution
        address = _tagged(_address(execution, position), execution)
    if request.method == "GET" and execution:
        click_filter.record_hit(
            execution,
            position=position,
            link=address,
            bot=_why_bot(request, execution),
        )
    response = HttpResponseRedirect(address)
    response["Referrer-Policy"] = "no-referrer"
    return response


@csrf_exempt  # mail programs post here without a page before it (RFC 8058); the token is the proof
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Show the preference centre; a POST by none of its buttons unsubscribes at once (RFC 8058).

    A GET changes nothing, because scanners follow every link.
    """
    execution_id, _ = _read(Purpose.UNSUBSCRIBE, token)
    execution, former = _message(execution_id)
    if execution is None:
        assert former
        return _unsubscribe_former(request, former)
    done = preferences.apply(execution, request.POST) if request.method == "POST" else ""
    if former and done in preferences.LEFT:
        former_messages.opt_out(former)
    with translation.override(preferences.language_of(execution.customer)):
        return render(request, "public/preferences.html", preferences.page(execution, done))


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe_of_preview(request: HttpRequest) -> HttpResponse:
    """Say that the link of a preview or test message unsubscribes no customer."""
    context = {
        "title": gettext("This is a preview"),
        "text": gettext(
            "In a sent message, this link opens the recipient's preferences. Nothing was changed."
        ),
    }
    return render(request, "public/message.html", context)


@csrf_exempt  # the token in the mail is the proof
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Confirm a subscription (double opt-in): a page asks, a POST confirms."""
    pending = double_opt_in.pending(*_read(Purpose.CONFIRM, token))
    if pending is None:
        raise Http404
    if request.method == "POST":
        double_opt_in.confirm(pending)
    with translation.override(preferences.language_of(pending.customer)):
        context = {"confirmed": request.method == "POST"}
        return render(request, "public/confirm.html", context)


def _read(purpose: Purpose, token: str) -> tuple[int, int]:
    read = read_token(purpose, token)
    if read is None:
        raise Http404
    return read


def _why_bot(request: HttpRequest, execution: CampaignExecution) -> str:
    return why_bot(
        request.headers.get("User-Agent", ""),
        headers=request.headers,
        address=request.META["REMOTE_ADDR"],
        at=timezone.now(),
        delivered_at=execution.delivered_at or execution.sent_at or execution.sending_at,
    )


def _unsubscribe_former(request: HttpRequest, former: FormerMessage) -> HttpResponse:
    """Unsubscribe the address of a message whose customer was deleted; without a customer there is nothing to choose from."""
    if request.method == "POST":
        former_messages.opt_out(former)
    context = {"done": "left" if request.method == "POST" else "", "subscribed": True}
    return render(request, "public/preferences.html", context)


def _message(execution_id: int) -> tuple[CampaignExecution | None, FormerMessage | None]:
    """Return the message, or of a deleted one the message in its place and what is known of it. Raises Http404."""
    execution = (
        CampaignExecution.objects.select_related("customer", "run__campaign", "run__version")
        .filter(pk=execution_id)
        .first()
    )
    if execution:
        return execution, None
    former = former_messages.find(execution_id)
    if former is None:
        raise Http404
    successor = former_messages.successor_of(former)
    return successor, former


def _address(execution: CampaignExecution, position: int) -> str:
    """Return the address of the link as its recipient got it: the message's own, or one of its version."""
    address = (execution.links or {}).get(str(position))
    if address is None:
        known = TrackedLink.objects.filter(version=execution.version, position=position)
        address = known.values_list("url", flat=True).first()
    if address is None:
        raise Http404
    return address


def _tagged(address: str, execution: CampaignExecution | None) -> str:
    if address.startswith("//"):
        address = f"https:{address}"
    if execution is None:
        return address
    return UtmTags.of(execution.run.campaign).tag(address, execution.variant)
