"""The walk of a rule from the builder to its event, as docs/architecture.md describes it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crm.events.models import MarketingEvent
from customers import tasks
from customers.models import Segment
from customers.timeline import types
from tests.factories.customers import make_customer

ROOT = Path(__file__).resolve().parents[2]
MOST_FILES = 20
AROUND_EVERY_REQUEST = (
    *("crm/accounts/", "crm/headers", "crm/health", "crm/client_address", "crm/absolute_urls"),
    *("crm/api/slashes", "crm/api/body_limits", "crm/api/places", "crm/masking"),
    "crm/site",  # the frame of every page: tabs, titles
)

pytestmark = pytest.mark.django_db


def test_a_rule_passes_at_most_20_files(staff_client: Client) -> None:
    make_customer(total_spend=500, city="Paris")
    rules = {
        "operator": "AND",
        "conditions": [
            {"field": "total_spend", "operator": ">", "value": 100},
            {"field": "city", "operator": "=", "value": "Paris"},
            {"event": "order_placed", "operator": "=", "value": 0, "within_days": 30},
        ],
    }
    form = {"name": "Big", "slug": "big", "kind": "dynamic", "rules": json.dumps(rules)}
    preview = reverse("admin:customers_segment_preview")
    staff_client.post(preview, {"rules": form["rules"]})  # imports and caches

    passed = _files_of(lambda: _build_and_refresh(staff_client, form))

    event = MarketingEvent.objects.get(type=types.SEGMENT_ENTERED)
    assert event.subject == "big"
    assert len(passed) <= MOST_FILES, passed


def _build_and_refresh(client: Client, form: dict[str, Any]) -> None:
    inlines = {
        f"{name}-{form}_FORMS": 0
        for name in ("memberships", "triggers")
        for form in ("TOTAL", "INITIAL")
    }
    answer = client.post(reverse("admin:customers_segment_add"), {**form, **inlines})
    assert answer.status_code == 302
    tasks.refresh_segments([Segment.objects.get(slug=form["slug"]).pk])


def _files_of(work: Any) -> list[str]:
    """Return the project's files that run during the work, without what is around every request."""
    files: dict[str, None] = {}

    def note(frame: FrameType, event: str, _argument: object) -> None:
        path = frame.f_code.co_filename
        if event == "call" and path.startswith(f"{ROOT}/") and "/.venv/" not in path:
            files[path.removeprefix(f"{ROOT}/")] = None

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return [
        file for file in files if not file.startswith(("tests/", "conftest", *AROUND_EVERY_REQUEST))
    ]
