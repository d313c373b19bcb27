"""Ctrl+K: find pages and rows that the user may open, and start what is done often."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.dataclasses import SearchResult

from crm import unfold

ROWS = 5
"""Rows of each model that are shown."""
LONGEST = 200

MODELS = {
    "customers.Customer": "person",
    "customers.Segment": "filter_alt",
    "marketing.Campaign": "campaign",
    "marketing.Workflow": "account_tree",
    "marketing.CampaignTemplate": "draft",
}


class Command(NamedTuple):
    """A page on which the user adds a row of a model."""

    title: Promise
    icon: str
    model: str


COMMANDS = (
    Command(gettext_lazy("Import a file"), "upload_file", "customers.ImportJob"),
    Command(gettext_lazy("Create a segment"), "filter_alt", "customers.Segment"),
    Command(gettext_lazy("Create a campaign"), "campaign", "marketing.Campaign"),
    Command(gettext_lazy("Create a workflow"), "account_tree", "marketing.Workflow"),
    Command(gettext_lazy("Create a template"), "draft", "marketing.CampaignTemplate"),
    Command(gettext_lazy("Add a customer"), "person_add", "customers.Customer"),
    Command(gettext_lazy("Add a sender"), "alternate_email", "marketing.Sender"),
    Command(gettext_lazy("Create an API token"), "key", "accounts.ApiToken"),
)


def find(request: HttpRequest, words: str) -> list[SearchResult]:
    """Return what the words name; without words, the commands."""
    words = words.replace("\x00", "").strip()[:LONGEST]
    if not words:
        return list(_commands(request))
    return [
        *(each for each in _commands(request) if _matches(words, each.title)),
        *(each for each in _pages(request) if _matches(words, each.title)),
        *_rows(request, words),
    ]


def _matches(words: str, title: str) -> bool:
    """Return whether each word begins a word of the title."""
    in_title = title.casefold().split()
    return all(any(each.startswith(word) for each in in_title) for word in words.casefold().split())


def _commands(request: HttpRequest) -> Iterator[SearchResult]:
    for title, icon, label in COMMANDS:
        model = apps.get_model(label)
        if admin.site._registry[model].has_add_permission(request):
            yield SearchResult(str(title), _("Command"), _address(model, "add"), icon)


def _pages(request: HttpRequest) -> Iterator[SearchResult]:
    for entry, link in unfold.pages(request):
        yield SearchResult(str(link.title), str(entry.title), reverse(link.url_name), entry.icon)


def _rows(request: HttpRequest, words: str) -> Iterator[SearchResult]:
    """Yield the first rows that each model's list finds, with its rights and its masking."""
    for label, icon in MODELS.items():
        model = apps.get_model(label)
        owner = admin.site._registry[model]
        if not owner.has_view_permission(request) or not owner.get_search_fields(request):
            continue
        found, _doubled = owner.get_search_results(request, owner.get_queryset(request), words)
        newest = owner.get_paginator(request, found.order_by("-pk"), ROWS)
        for row in newest.page(1):
            name = str(capfirst(model._meta.verbose_name))
            yield SearchResult(str(row), name, _address(model, "change", row.pk), icon)


def _address(model: type[Model], page: str, *args: int) -> str:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
    return reverse(name, args=args)
