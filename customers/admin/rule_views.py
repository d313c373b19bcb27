"""Requests of the rule builder: preview rules, suggest values, and read a description."""

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

from crm.accounts import audit
from crm.adminkit import display
from crm.api import places
from crm.statement_timeout import QueryTimeout
from customers.models import Segment
from customers.segments import (
    NO_ONE,
    DescriptionTooLong,
    Progress,
    RuleError,
    continue_preview,
    describe,
    membership_diff,
    start_preview,
    suggest_property_values,
    suggest_values,
    understand,
    users_of,
    validate_rules,
)


def preview_rules(request: HttpRequest) -> HttpResponse:
    """Render the sentence and the audience of `rules`, or their errors. With a `segment`, also the change of its members.

    While a count goes on, the page sends back its `progress`, and gets the next one until the count is exact.
    """
    audit.leave_out()
    segment = _segment(request.POST.get("segment", ""))
    given = request.POST.get("progress", "")
    try:
        seen = _seen(request.POST.get("rules", ""), segment, given)
    except places.NoPlace as full:
        seen = {"errors": [{"path": "", "message": str(full.detail)}]}
    is_step = given and "seen" in seen and seen["seen"].progress
    name = "preview_progress" if is_step else "preview"
    return render(request, f"admin/customers/segment/{name}.html", seen)


def suggest(request: HttpRequest) -> JsonResponse:
    """Return values that contain `q`: of a `field`, or of the `property` of an `event`."""
    containing = request.GET.get("q", "").replace("\0", "")[:100]
    if event := request.GET.get("event"):
        found = suggest_property_values(event, request.GET.get("property", ""), containing)
    else:
        found = suggest_values(request.GET.get("field", ""), containing)
    return JsonResponse({"results": [asdict(each) for each in found]})


def user_links(users: list[Model]) -> list[dict[str, str]]:
    """Return kind, name and page of each object that uses a segment."""
    return [
        {"kind": capfirst(str(user._meta.verbose_name)), "name": str(user), "url": _page_of(user)}
        for user in users
    ]


def _segment(given: str) -> Segment | None:
    return Segment.objects.filter(pk=given).first() if given.isascii() and given.isdigit() else None


def _seen(written: str, segment: Segment | None, progress: str) -> dict[str, Any]:
    try:
        rules = validate_rules(json.loads(written), of=segment)
        so_far = Progress.from_text(progress) if progress else None
    except RuleError as refused:
        return {"errors": refused.errors}
    except (ValueError, RecursionError) as error:
        return {"errors": [{"path": "", "message": _("This is not JSON: %s") % error}]}
    try:
        seen = continue_preview(rules, so_far) if so_far else start_preview(rules)
    except QueryTimeout:
        return {
            "errors": [{"path": "", "message": _("Counting takes too long. Simplify the rules.")}]
        }
    if so_far and seen.progress:
        return {"seen": seen}
    shown = display.people(seen.count.number)
    return {"seen": seen, "shown": shown, "sentence": describe(rules), **_change(segment, rules)}


def _change(segment: Segment | None, rules: dict[str, Any]) -> dict[str, Any]:
    if segment is None or segment.kind == Segment.Kind.STATIC or segment.rules == rules:
        return {}
    users = user_links(users_of(segment))
    try:
        change = asdict(membership_diff(segment, rules))
        shown = {name: display.people(number) for name, number in change.items()}
        return {"users": users, "change": shown, "is_changed": True}
    except QueryTimeout:
        return {"users": users, "is_changed": True}


def _page_of(user: Model) -> str:
    try:
        return reverse(
            f"admin:{user._meta.app_label}_{user._meta.model_name}_change", args=[user.pk]
        )
    except NoReverseMatch:
        return ""


def from_text(request: HttpRequest) -> JsonResponse:
    """Return the rules that `description` means; without rules if nothing was understood, 400 if it is too long."""
    audit.leave_out()
    try:
        understood = asdict(understand(request.POST.get("description", "").replace("\0", "")))
    except DescriptionTooLong as refused:
        return JsonResponse({"explanation": str(refused)}, status=400)
    except places.NoPlace as full:
        return JsonResponse({"explanation": str(full.detail)}, status=400)
    if understood["rules"] == NO_ONE:
        understood["rules"] = None
        understood["explanation"] += " " + _("The rules stay as they are.")
    return JsonResponse(understood)
