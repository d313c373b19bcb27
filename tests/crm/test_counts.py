"""Counts of customers by rules take a place of the user, and are rounded for users with masked data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from analytics.admin import results
from crm.accounts import tokens
from crm.accounts.models import User
from crm.api import ids, places
from crm.api.places import Places
from customers.models import Customer, Segment
from customers.segments import refresh
from marketing.models import Campaign, Workflow
from tests.crm import endpoints
from tests.crm.test_hidden_data import everything_but_personal_data
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_template
from tests.factories.workflows import define, enroll, make_workflow

pytestmark = pytest.mark.django_db

BREMEN = {
    "operator": "AND",
    "conditions": [{"field": "city", "operator": "=", "value": "Bremen"}],
}
FEW, MORE = 3, 13
"""Numbers of customers; one more of them changes no rounded number."""


def answers(user: User) -> tuple[APIClient, Client]:
    api, browser = APIClient(), Client()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(user)[1]}")
    browser.force_login(user)
    return api, browser


def settle(*people: Customer) -> None:
    """Let customers be members, recipients, and on their way through the workflow."""
    for segment in Segment.objects.filter(kind="dynamic"):
        refresh(segment)
    enroll(Workflow.objects.get(), *people)


@pytest.fixture
def site() -> None:
    """Create what a site has that counts customers."""
    for slug in ("bremen", "too"):
        Segment.objects.create(name=slug, slug=slug, rules=BREMEN)
    make_workflow(define({"pause": {"type": "wait", "for": "1h"}}))
    draft = Workflow.objects.get()
    draft.draft = define({"other": {"type": "wait", "for": "1h"}})
    draft.save()
    campaign = make_campaign(
        template=make_template(body="<p>{{ unsubscribe_url }}</p>"), holdout_percent=0
    )
    campaign.segments.set(Segment.objects.filter(slug="bremen"))


def people(number: int) -> list[Customer]:
    return [make_customer(city="Bremen", country="DE") for _ in range(number)]


Ask = Callable[[], Any]


def doors(api: APIClient, browser: Client) -> Iterator[tuple[str, Ask]]:
    """Yield the requests that count by rules: over the API, and in the admin."""
    segment, campaign = Segment.objects.get(slug="bremen"), Campaign.objects.get()
    cmp, cus = ids.encode("cmp", campaign.pk), ids.encode("cus", Customer.objects.latest("pk").pk)
    for path, body in (
        ("customers/preview", {"rules": BREMEN, "exact": True}),
        ("ai/segment-from-text", {"description": "from Bremen"}),
        (f"campaigns/{cmp}/execute", {"dry_run": True}),
        ("segments/bremen/refresh", {}),
        ("segments/bremen/lookalike", {}),
        ("ai/lookalike-audience", {"base_segment_id": "bremen"}),
        ("events/process", {}),
    ):
        yield (
            f"POST {path}",
            lambda path=path, body=body: api.post(f"/api/{path}", body, format="json"),
        )
    for path, query in (
        ("customers/preview", {"rules": json.dumps(BREMEN)}),
        ("segments/bremen/overlap", {"with": "too"}),
        (f"campaigns/{cmp}/audience", {}),
        (f"customers/{cus}/segments", {}),
    ):
        yield f"GET {path}", lambda path=path, query=query: api.get(f"/api/{path}", query)
    for name, query, args in (
        ("customers_segment_compare", {"first": segment.pk, "second": segment.pk}, []),
        ("customers_segment_explain", {"segment": segment.pk, "customer": cus}, []),
        ("analytics_sample_size", {"base": "bremen"}, []),
        ("analytics_sample_size", {"base": "everybody"}, []),
        ("marketing_campaign_audience", {"reason": ""}, [campaign.pk]),
        ("marketing_campaign_send_now", {}, [campaign.pk]),
    ):
        page = f"{reverse(f'admin:{name}', args=args)}?{urlencode(query)}"
        yield f"GET {name} {query}", lambda page=page: browser.get(page)
    for name, given in (
        ("customers_segment_preview", {"rules": json.dumps(BREMEN), "segment": segment.pk}),
        ("customers_segment_describe", {"description": "customers from Bremen"}),
    ):
        page = reverse(f"admin:{name}")
        yield f"POST {name}", lambda page=page, given=given: browser.post(page, given)


def is_refused(answer: Any) -> bool:
    return answer.status_code == 429 or b"Too many counts" in answer.content


def test_every_count_takes_a_place(
    site: None, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(*people(MORE))
    monkeypatch.setattr(places, "COUNTS", Places(most=2, most_a_user=1))
    for name, ask in doors(*answers(staff)):
        assert not is_refused(ask()), name
        with places.COUNTS.taken_by(staff.pk):
            assert is_refused(ask()), name
        assert not places.COUNTS.are_taken(staff.pk), name


def requests_of(api: APIClient, browser: Client) -> Iterator[tuple[str, Ask]]:
    """Yield every endpoint and page that can be read, and the doors that count."""
    campaign, segment = Campaign.objects.get(), Segment.objects.get(slug="bremen")
    workflow = ids.encode("wfl", Workflow.objects.get().pk)
    named = {
        "segments": "bremen",
        "campaigns": ids.encode("cmp", campaign.pk),
        "workflows": workflow,
        "customers": ids.encode("cus", Customer.objects.latest("pk").pk),
    }
    for endpoint in endpoints.every():
        area = next((part for part in endpoint.path.split("/") if part in named), "")
        path = re.sub(r"{(?:id|segment_id)}", named.get(area, "none"), endpoint.path, count=1)
        path = path.replace("{status}", "draft")
        if endpoint.method == "GET" and "{" not in path and "realtime" not in path:
            yield path, lambda path=path: api.get(path)
    body = {"dry_run": True, "plan": {"pause": "stay"}}
    for given in (body, {"dry_run": True}):
        yield (
            f"publish {given}",
            lambda given=given: api.post(
                f"/api/workflows/{workflow}/publish/", given, format="json"
            ),
        )
    yield from doors(api, browser)
    for name, address, _fill in results.PAGES:
        page = reverse(f"admin:analytics_{name}", args=[campaign.pk] if "<" in address else [])
        yield page, lambda page=page: browser.get(page)
    for model, row in ((Segment, segment), (Campaign, campaign)):
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        for pattern in admin.site._registry[model].urls:
            keys = re.findall(r"<(?:\w+:)?(\w+)>", str(pattern.pattern))
            if pattern.name and len(keys) == 1 and "stream" not in pattern.name:
                page = reverse(f"admin:{pattern.name}", args=[row.pk])
                yield page, lambda page=page: browser.get(page)
        yield (
            reverse(f"{base}_changelist"),
            lambda base=base: browser.get(reverse(f"{base}_changelist")),
        )
    yield "home", lambda: browser.get(reverse("admin:index"))


COUNTED_EXACTLY = re.compile(
    r"/api/(customers|segments/bremen/customers|workflows/wfl_\w+/enrollments)/$|/segment/\d+/change/|/?campaigns?/\w+/audience/"
    r"|GET campaigns/\w+/audience|GET marketing_campaign_audience"
)
"""Lists whose rows the user may see (docs/roles.md)."""
VOLATILE = re.compile(
    r'"\w*ms": ?\d+|csrfmiddlewaretoken" value="\w+"|nonce="[^"]+"|\b(seg|cmp|trg|cus|enr|tpl)_\w{8}\b'
    r"|\b\d+ ms|[\d.]+ seconds|<time.*?</time>|\d{4}-\d\d-\d\dT[\d:.]+|\b\d\d:\d\d\b|#\d+|/\d+/"
    r'|<section class="size-history">.*?</section>',
    re.DOTALL,
)


@pytest.mark.parametrize("number", [FEW, MORE])
def test_one_customer_more_changes_no_answer(site: None, number: int) -> None:
    [other] = people(1)
    settle(*people(number))
    Customer.objects.filter(pk=other.pk).update(city="Rome")
    settle()
    clients = answers(everything_but_personal_data())
    before = {name: seen(ask()) for name, ask in requests_of(*clients)}
    Customer.objects.filter(pk=other.pk).update(city="Bremen")
    settle(other)
    after = {name: seen(ask()) for name, ask in requests_of(*clients)}
    changed = [
        name
        for name, answer in after.items()
        if answer != before[name] and not COUNTED_EXACTLY.search(name)
    ]
    assert "\n".join(changed) == ""


def seen(answer: Any) -> str:
    content = answer.getvalue() if answer.streaming else answer.content
    return f"{answer.status_code} {VOLATILE.sub('', content.decode(errors='replace'))}"
