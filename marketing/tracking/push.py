"""Push subscriptions of browsers: the scripts that a site loads, and the endpoint that they report to.

A signed token names the customer, or the site's write key with the user id of an identify call. A client that knows an endpoint may
unsubscribe it.
"""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from crm.api import ids
from customers import push, tracking_api
from customers.identity import find_one
from customers.models import Customer
from customers.models.consent import Channel
from marketing.channels.webpush import WebPush, application_key
from marketing.content import Purpose, make_token, read_token
from marketing.models import Sender

LARGEST_BODY = 10_000


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """Return the service worker, which the site's own worker imports."""
    context = {"site_url": settings.SITE_URL}
    return render(request, "public/push_worker.js", context, content_type="text/javascript")


@require_safe
def script(request: HttpRequest, sender: str) -> HttpResponse:
    """Return the script with which a page of the site subscribes."""
    found = _sender(sender)
    context = {
        "site_name": settings.SITE_NAME,
        "url": f"{settings.SITE_URL}/push/{sender}/subscriptions/",
        "application_key": application_key(found),
    }
    return render(request, "public/push_subscribe.js", context, content_type="text/javascript")


@csrf_exempt  # a page of another site calls, without a session; the token or the write key is the proof
@require_http_methods(["POST", "OPTIONS"])
def subscriptions(request: HttpRequest, sender: str) -> HttpResponse:
    """Subscribe or unsubscribe a browser; pages of any origin may call."""
    found = _sender(sender)
    response = HttpResponse(status=204) if request.method == "OPTIONS" else _change(request, found)
    response["Access-Control-Allow-Origin"] = "*"
    response["Access-Control-Allow-Headers"] = "Content-Type"
    return response


def token_of(customer: Customer) -> str:
    """Return the token with which a browser subscribes for the customer."""
    return make_token(Purpose.PUSH, customer.pk)


def _change(request: HttpRequest, sender: Sender) -> HttpResponse:
    body = _read(request)
    if body is None:
        return _answer(_("This is not JSON."), 400)
    if isinstance(endpoint := body.get("unsubscribe"), str):
        push.forget(endpoint)
        return HttpResponse(status=204)
    customer = _customer(body)
    if customer is None:
        return _answer(
            _(
                "Unknown customer: send a token, or userId and writeKey, with a browser key also userHash."
            ),
            403,
        )
    given = body.get("subscription")
    given = given if isinstance(given, dict) else {}
    of_browser = given.get("keys")
    of_browser = of_browser if isinstance(of_browser, dict) else {}
    try:
        push.subscribe(
            customer,
            endpoint=str(given.get("endpoint", "")),
            p256dh=str(of_browser.get("p256dh", "")),
            auth=str(of_browser.get("auth", "")),
            application_key=application_key(sender),
            user_agent=request.headers.get("User-Agent", ""),
        )
    except push.Unusable as error:
        return _answer(str(error), 400)
    return HttpResponse(status=201)


def _read(request: HttpRequest) -> dict[str, Any] | None:
    try:
        body = json.loads(request.read(LARGEST_BODY))
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _customer(body: dict[str, Any]) -> Customer | None:
    people = Customer.objects.filter(erased_at=None)
    if isinstance(token := body.get("token"), str):
        read = read_token(Purpose.PUSH, token)
        return people.filter(pk=read[0]).first() if read else None
    user_id, write_key = str(body.get("userId") or "").replace("\x00", ""), body.get("writeKey")
    key = tracking_api.find_key(write_key) if isinstance(write_key, str) else None
    found = find_one(user_id, people) if key and user_id else None
    if key and found and not tracking_api.speaks_for(key, user_id, found, body):
        return None
    return found


def _sender(public_id: str) -> Sender:
    pk = ids.decode("snd", public_id)
    sender = Sender.objects.filter(pk=pk, channel=Channel.PUSH, provider=WebPush.name).first() if pk else None  # fmt: skip
    if sender is None:
        raise Http404
    return sender


def _answer(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain")
