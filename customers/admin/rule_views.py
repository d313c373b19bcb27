"""What the builder asks while a rule is written: who it would be, and which values there are."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from customers.models import Segment
from customers.segments import suggestions
from customers.segments.language import validate
from customers.segments.language.describe import sentence
from customers.segments.language.rules import RuleError
from customers.segments.membership.membership_diff import effect
from customers.segments.preview.count import preview
from customers.segments.sql.statement_timeout import TookTooLong


def look(request: HttpRequest) -> HttpResponse:
    """What is written in `rules`, in words and people; or where it does not fit. With a `segment`, also who would come and go."""
    segment = _segment(request.POST.get("segment", ""))
    return render(
        request,
        "admin/customers/segment/preview.html",
        _seen(request.POST.get("rules", ""), segment),
    )


def suggest(request: HttpRequest) -> JsonResponse:
    """Values that contain `q`: of a `field`, or of the `property` of an `event`."""
    containing = request.GET.get("q", "").replace("\0", "")[:100]
    if event := request.GET.get("event"):
        found = suggestions.of_property(event, request.GET.get("property", ""), containing)
    else:
        found = suggestions.of_field(request.GET.get("field", ""), containing)
    return JsonResponse({"results": [asdict(each) for each in found]})


def user_links(users: list[Model]) -> list[dict[str, str]]:
    """What counts on a segment: what it is, its name, and where its page is."""
    return [
        {"kind": capfirst(str(user._meta.verbose_name)), "name": str(user), "url": _page_of(user)}
        for user in users
    ]


def _segment(given: str) -> Segment | None:
    return Segment.objects.filter(pk=given).first() if given.isascii() and given.isdigit() else None


def _seen(written: str, segment: Segment | None) -> dict[str, Any]:
    try:
        rules = validate.check(json.loads(written), of=segment)
    except RuleError as refused:
        return {"errors": refused.errors}
    except (ValueError, RecursionError) as error:
        return {"errors": [{"path": "", "message": _("This is not JSON: %s") % error}]}
    return {"seen": preview(rules), "sentence": sentence(rules), **_change(segment, rules)}


def _change(segment: Segment | None, rules: dict[str, Any]) -> dict[str, Any]:
    if segment is None or segment.kind == Segment.Kind.STATIC or segment.rules == rules:
        return {}
    users = user_links(validate.users_of(segment))
    try:
        return {"users": users, "effect": effect(segment, rules), "is_changed": True}
    except TookTooLong:
        return {"users": users, "is_changed": True}


def _page_of(user: Model) -> str:
    try:
        return reverse(
            f"admin:{user._meta.app_label}_{user._meta.model_name}_change", args=[user.pk]
        )
    except NoReverseMatch:
        return ""
