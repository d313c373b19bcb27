"""The data of the editor of workflows, and its saves."""

from __future__ import annotations

import json
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.accounts.current_user import user_of
from crm.events.models import WebhookEndpoint
from customers.admin.rule_language import WORDS as RULE_WORDS
from customers.admin.rule_language import language
from customers.models import Segment, Topic
from customers.segments import event_types
from marketing import workflows
from marketing.models import CampaignTemplate, Sender, Workflow

LARGEST_DRAFT = 500_000
"""Characters of a draft as JSON."""


def data(request: HttpRequest, workflow: Workflow, *, can_save: bool) -> dict[str, Any]:
    """Return what static/kindling/workflow/start.js reads."""
    draft = workflows.shown(workflow.draft)
    found = {
        "definition": draft,
        "description": workflows.description(),
        "words": WORDS,
        "words_of": workflows.in_words(draft),
        "choices": _choices(workflow),
        "links": _links(request),
    }
    if not can_save:
        return found
    return found | {
        "save": reverse("admin:marketing_workflow_draft", args=[workflow.pk]),
        "seen": _stamp(workflow),
        "problems": workflows.problems(workflow.draft, workflow),
        "language": language(),
        "rule_words": RULE_WORDS,
        "suggest": reverse("admin:customers_segment_suggest"),
    }


def save(request: HttpRequest, workflow: Workflow) -> HttpResponse:
    """Save the posted draft, complete or not, and return its problems and words; 409 where another user has saved since `seen`."""
    written = request.POST.get("definition", "")
    try:
        definition = json.loads(written) if len(written) <= LARGEST_DRAFT else None
    except ValueError:
        definition = None
    if not isinstance(definition, dict) or "\\u0000" in written:
        return JsonResponse({"message": _("The draft cannot be read.")}, status=400)
    with transaction.atomic():
        locked = Workflow.objects.select_for_update(of=("self",)).get(pk=workflow.pk)
        if request.POST.get("seen") != _stamp(locked):
            message = _("%(user)s has changed the draft. Reload the page.")
            by = locked.draft_by or _("Another user")
            return JsonResponse({"message": message % {"user": by}}, status=409)
        workflows.save_draft(locked, definition, by=user_of(request))
    return JsonResponse(
        {
            "problems": workflows.problems(definition, locked),
            "words": workflows.in_words(definition),
            "seen": _stamp(locked),
        }
    )


def _stamp(workflow: Workflow) -> str:
    return workflow.updated_at.isoformat()


def _choices(workflow: Workflow) -> dict[str, list[dict[str, str]]]:
    """Return the names that settings choose from, by kind."""
    segments = Segment.objects.order_by("name")
    return {
        "template": [
            {"value": each.name, "label": each.name, "channel": each.channel, "link": _change(each)}
            for each in CampaignTemplate.objects.order_by("name")
        ],
        "sender": [
            {"value": each.name, "label": each.name, "channel": each.channel, "link": _change(each)}
            for each in Sender.objects.order_by("name")
        ],
        "topic": [_choice(each.slug, each.name) for each in Topic.objects.order_by("name")],
        "segment": [_choice(each.slug, each.name) for each in segments],
        "static_segment": [
            _choice(each.slug, each.name) for each in segments if each.kind == Segment.Kind.STATIC
        ],
        "workflow": [
            _choice(each.slug, each.name)
            for each in Workflow.objects.exclude(pk=workflow.pk).order_by("name")
        ],
        "webhook": [
            _choice(name, name)
            for name in WebhookEndpoint.objects.order_by("name").values_list("name", flat=True)
        ],
        "event": [
            _choice(each.name, str(each.label).capitalize()) for each in event_types.in_use()
        ],
        "property": [
            _choice(name, name)
            for name in sorted({each.name for event in event_types.in_use() for each in event.properties})
        ],
        "date": [
            _choice("date_of_birth", _("Date of birth")),
            _choice("registered_at", _("Registration")),
        ],
    }  # fmt: skip


def _links(request: HttpRequest) -> dict[str, str]:
    """Return where the user makes a new template, segment and sender."""
    kinds = {
        "template": "marketing.add_campaigntemplate",
        "segment": "customers.add_segment",
        "sender": "marketing.add_sender",
    }
    return {
        kind: reverse(f"admin:{right.replace('.add_', '_')}_add")
        for kind, right in kinds.items()
        if request.user.has_perm(right)
    }


def _choice(value: str, label: str) -> dict[str, str]:
    return {"value": value, "label": label}


def _change(row: Model) -> str:
    return reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[row.pk])


WORDS: dict[str, str | Promise | dict[str, str | Promise]] = {
    "add": gettext_lazy("Add"),
    "add_condition": gettext_lazy("Condition on the event"),
    "add_goal": gettext_lazy("Goal"),
    "add_rules": gettext_lazy("Rules"),
    "add_step": gettext_lazy("Add a step"),
    "add_tag": gettext_lazy("add a tag"),
    "again_after": gettext_lazy("Again after"),
    "an_event": gettext_lazy("Event"),
    "apart": gettext_lazy("Separate branches: %s"),
    "at": gettext_lazy("At"),
    "before_or_after": gettext_lazy("Before or after"),
    "branch": gettext_lazy("Branch %s"),
    "branches": gettext_lazy("Branches"),
    "choose": gettext_lazy("Type to choose"),
    "close": gettext_lazy("Close"),
    "continue_at": gettext_lazy("Continue at a step"),
    "continues": gettext_lazy("Continues at %s"),
    "copied": gettext_lazy("Copied. Paste it at a +."),
    "copy": gettext_lazy("Copy"),
    "copy_branch": gettext_lazy("Copy with what follows"),
    "days": gettext_lazy("days"),
    "days_after": gettext_lazy("days after"),
    "days_before": gettext_lazy("days before"),
    "delete": gettext_lazy("Delete"),
    "else": gettext_lazy("Else"),
    "end": gettext_lazy("End"),
    "end_here": gettext_lazy("End here"),
    "enter_when": gettext_lazy("Customers enter when"),
    "entry": gettext_lazy("Entry"),
    "every_year": gettext_lazy("Every year"),
    "exit_by": gettext_lazy("Exit by"),
    "faults": gettext_lazy("Problems: %s"),
    "from": gettext_lazy("From"),
    "key": gettext_lazy("Name"),
    "match": gettext_lazy("Must equal the entry event"),
    "match_hint": gettext_lazy("Such as cart_id = {{ entry.cart_id }}"),
    "name": gettext_lazy("Name"),
    "new": gettext_lazy("New"),
    "not_saved": gettext_lazy("Not saved. Check the connection, and change something to try again."),
    "open": gettext_lazy("Open"),
    "paste": gettext_lazy("Paste"),
    "problems": gettext_lazy("Draft saved, problems before publishing: %s"),
    "remove": gettext_lazy("Remove"),
    "remove_goal": gettext_lazy("Remove goal"),
    "remove_rules": gettext_lazy("Remove rules"),
    "rules": gettext_lazy("Rules"),
    "rules_true": gettext_lazy("Rules come true"),
    "saved": gettext_lazy("Draft saved"),
    "saving": gettext_lazy("Saving …"),
    "say_entry": gettext_lazy("Choose when customers enter"),
    "template": gettext_lazy("Template"),
    "to": gettext_lazy("To"),
    "unit": gettext_lazy("Unit"),
    "units": {
        "m": gettext_lazy("minutes"),
        "h": gettext_lazy("hours"),
        "d": gettext_lazy("days"),
        "w": gettext_lazy("weeks"),
    },
    "unnamed": gettext_lazy("without name"),
    "value": gettext_lazy("Value"),
    "weight": gettext_lazy("Weight"),
    "whole": gettext_lazy("For all steps"),
    "within": gettext_lazy("Within"),
    "worth": gettext_lazy("Value from"),
}  # fmt: skip
