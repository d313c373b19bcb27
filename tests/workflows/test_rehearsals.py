"""Walks and back-tests run the engine over the timeline, write nothing, and agree with a plain replay."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from crm import jobs
from crm.api import ids
from customers.models import Customer
from marketing import workflows
from marketing.models import Backtest, FrequencyRule, Workflow
from tests.factories.customers import make_customer
from tests.factories.marketing import make_template
from tests.factories.workflows import define, enroll, happen, make_workflow

pytestmark = pytest.mark.django_db

CART: dict[str, Any] = {"on": "event", "event": "cart_updated", "per": "cart_id"}
BERLIN = {"operator": "AND", "conditions": [{"field": "city", "operator": "=", "value": "Berlin"}]}


def mail(**more: Any) -> dict[str, Any]:
    return {"type": "send", "template": "hello", **more}


def reminder(pause: str = "1h") -> dict[str, Any]:
    """Return the definition of a reminder of a cart that was not checked out, with every kind of effect."""
    steps = {
        "pause": {"type": "wait", "for": pause, "next": "bought"},
        "bought": {
            "type": "wait_for", "event": "checked_out", "match": {"cart_id": "{{ entry.cart_id }}"}, "timeout": "1h",
            "next": {"happened": None, "timed_out": "where"},
        },
        "where": {"type": "split", "branches": [{"name": "berlin", "rules": BERLIN, "next": "tag"}], "next": "mail"},
        "tag": {"type": "update", "add_tags": ["seen"], "next": "say"},
        "say": {"type": "emit", "event": "reminded", "next": "mail"},
        "mail": mail(),
    }  # fmt: skip
    return define(
        steps, entry=CART, exit_when=[{"event": "left_us"}], goal={"event": "checked_out"}
    )


@pytest.fixture
def draft() -> Workflow:
    make_template(name="hello", subject="Cart {{ entry.cart_id }}", body="{{ unsubscribe_url }}")
    return workflows.save_draft(Workflow(name="Cart", slug="cart"), reminder(), by=None)


def rows_of_all_tables() -> dict[str, int]:
    """Return the number of rows of every table, and a checksum of what they say."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        found = {}
        for (name,) in cursor.fetchall():
            if name == "accounts_auditentry":  # each request is in the audit trail
                continue
            cursor.execute(f'SELECT count(*), coalesce(sum(hashtext(t::text)), 0) FROM public."{name}" t')  # fmt: skip
            found[name] = cursor.fetchone()
    return found


Timeline = dict[int, list[tuple[datetime, str, str]]]


def made_up_timeline(people: list[Customer], since: datetime) -> Timeline:
    """Put random events on the timelines of customers; returns them by customer."""
    draw = random.Random(7)
    found: Timeline = {}
    for each in people:
        events = sorted(
            (since + timedelta(minutes=draw.randrange(1, 1_200)), draw.choice(["cart_updated"] * 3 + ["checked_out"] * 6 + ["left_us"] * 2),
             draw.choice("ab"))
            for _event in range(draw.randrange(4, 16))
        )  # fmt: skip
        for at, event, cart in events:
            happen(each, event, at=at, told=False, cart_id=cart)
        found[each.pk] = events
    return found


def replayed(events: list[tuple[datetime, str, str]], until: datetime, pause: timedelta) -> dict[str, str]:  # fmt: skip
    """Return how the passage of each cart ends, step by step in Python."""
    ends: dict[str, str] = {}
    for at, event, cart in events:
        if event != "cart_updated" or cart in ends:
            continue
        exits = min((when for when, kind, _cart in events if kind == "left_us" and when >= at), default=None)  # fmt: skip
        over = at + pause + timedelta(hours=1)
        bought = min(
            (when for when, kind, of in events if kind == "checked_out" and of == cart and at <= when <= over),
            default=None,
        )  # fmt: skip
        decided = over if bought is None else max(bought, at + pause)
        if exits is not None and exits <= min(decided, until):
            ends[cart] = "exited"
        elif decided > until:
            ends[cart] = "under way"
        else:
            ends[cart] = "mailed" if bought is None else "bought"
    return ends


@pytest.mark.parametrize("pause", ["1h", "24h"])
def test_a_back_test_agrees_with_a_plain_replay(draft: Workflow, pause: str) -> None:
    since = timezone.now() - timedelta(days=10)
    people = [make_customer(city=city) for city in ("Berlin", "Rome") for _n in range(10)]
    events = made_up_timeline(people, since)
    until = since + timedelta(minutes=2_600)
    workflows.save_draft(draft, reminder(pause), by=None)
    job = workflows.start_backtest(draft, since=since, until=until, sample=1_000)
    before = rows_of_all_tables()
    jobs.run(job)
    after = rows_of_all_tables()
    job.refresh_from_db()
    assert job.state == "finished", job.error
    changed = {name for name, rows in before.items() if after[name] != rows}
    assert changed == {"marketing_backtest"}

    waits = timedelta(hours=int(pause[:-1]))
    ends = [
        end
        for each in people
        for end in replayed([e for e in events[each.pk] if e[0] < until], until, waits).values()
    ]
    (found,) = job.result
    left = {each["step"]: each["left"] for each in found["steps"]}
    assert found["entered"] == len(ends)
    assert sum(found["messages"].get("email", {}).values()) == ends.count("mailed")
    assert left["bought"].get("happened", 0) == ends.count("bought")
    assert sum(found["exits"].values()) == ends.count("exited")
    assert found["under_way"] == ends.count("under way")
    assert found["goals_anyway"] > 0
    assert {*ends} >= {"mailed", "bought", "exited"}


def test_a_back_test_compares_two_versions_and_takes_a_sample(api: APIClient) -> None:
    make_template(name="hello", body="{{ unsubscribe_url }}")
    FrequencyRule.objects.create(messages=1, days=7, channel="email")
    now = timezone.now()
    people = [make_customer() for _ in range(10)]
    for number, each in enumerate(people):
        happen(each, "cart_updated", at=now - timedelta(days=5), cart_id="c1", told=False)
        happen(each, "cart_updated", at=now - timedelta(days=4), cart_id="c2", told=False)
        happen(each, "left_us", at=now - timedelta(days=3, hours=23 - number), told=False)
    workflow = make_workflow(define({"mail": mail()}, entry=CART), active=False)
    steps = {"rest": {"type": "wait", "for": "20h", "next": "mail"}, "mail": mail()}
    later = define(steps, entry=CART, exit_when=[{"event": "left_us"}])
    workflows.save_draft(workflow, later, by=None)
    url = f"/api/workflows/{ids.encode('wfl', workflow.pk)}/backtest/"
    assert api.get(url).status_code == 404
    body = {"since": (now - timedelta(days=9)).isoformat(), "against": 1, "sample": 4}
    assert api.post(url, body, format="json").status_code == 202
    jobs.run(Backtest.objects.get())
    told = api.get(url).json()
    assert told["state"] == "finished"
    draft, first = told["result"]
    assert (draft["version"], first["version"]) == (None, 1)
    assert first["sample"] == {"customers": 4, "of": 10}
    assert sum(first["messages"]["email"].values()) == 8
    assert first["over_caps"] == {"email": 4}
    assert sum(draft["messages"]["email"].values()) == 4
    assert draft["exits"] == {"event": 4}
    assert len(draft["unknown"]) == 2


def test_a_back_test_needs_a_period_and_a_version(api: APIClient, draft: Workflow) -> None:
    url = f"/api/workflows/{ids.encode('wfl', draft.pk)}/backtest/"
    since = timezone.now().isoformat()
    for body, code in (
        ({"since": since, "until": "2020-01-01T00:00Z"}, 400),
        ({"since": "2020-01-01T00:00Z"}, 400),
        ({"since": since, "version": 7}, 404),
    ):
        assert api.post(url, body, format="json").status_code == code
    assert not Backtest.objects.exists()


def test_a_walk_shows_each_move_and_each_message(api: APIClient, draft: Workflow) -> None:
    ada = make_customer(email="ada@example.com", city="Berlin")
    url = f"/api/workflows/{ids.encode('wfl', draft.pk)}/walk/"
    before = rows_of_all_tables()
    body = {"customer": "ada@example.com", "context": {"cart_id": "c7"}}
    walked = api.post(url, body, format="json").json()
    steps = [f"{each['step']}>{each['branch']}" for each in walked["path"] if each["kind"] == "left"]  # fmt: skip
    assert steps == ["pause>", "bought>timed_out", "where>berlin", "tag>", "say>", "mail>sent"]
    assert walked["state"] == "completed"
    assert [each["subject"] for each in walked["messages"]] == ["Cart c7"]
    hours = [datetime.fromisoformat(each["at"]) for each in walked["path"]]
    assert hours[-1] - hours[0] == timedelta(hours=2)

    bought = {"event": "checked_out", "after_minutes": 30, "properties": {"cart_id": "c7"}}
    other = {**bought, "properties": {"cart_id": "c8"}}
    for happening, branch in ((bought, "happened"), (other, "timed_out")):
        walked = api.post(url, {**body, "happening": [happening]}, format="json").json()
        assert f"bought>{branch}" in [f"{each['step']}>{each['branch']}" for each in walked["path"]]
    left = api.post(url, {**body, "happening": [{"event": "left_us"}]}, format="json").json()
    assert left["path"][-1]["branch"] == "event"
    assert rows_of_all_tables() == before
    ada.refresh_from_db()
    assert ada.tags == []


def test_an_invented_customer_walks(api: APIClient, draft: Workflow) -> None:
    make_customer(city="Berlin")
    url = f"/api/workflows/{ids.encode('wfl', draft.pk)}/walk/"
    before = rows_of_all_tables()
    for invented, branch in (
        ({"email": "eva@example.com", "city": "Berlin", "attributes": {"x": 1}}, "berlin"),
        ({"email": "eva@example.com", "city": "Rome"}, "else"),
    ):
        body = {"invented": invented, "context": {"cart_id": "c1"}}
        walked = api.post(url, body, format="json").json()
        assert ["where", branch] in [[each["step"], each["branch"]] for each in walked["path"]]
        assert len(walked["messages"]) == 1
    nowhere = api.post(url, {"invented": {"city": "Rome"}}, format="json").json()
    assert ["mail", "skipped"] in [[each["step"], each["branch"]] for each in nowhere["path"]]
    assert rows_of_all_tables() == before
    for body in ({}, {"customer": "x", "invented": {}}, {"invented": {}, "happening": [{"event": "order_placed"}]}):  # fmt: skip
        assert api.post(url, body, format="json").status_code == 400
    assert api.post(url, {"customer": "nobody@example.com"}, format="json").status_code == 404


def test_a_rehearsal_cannot_write(draft: Workflow) -> None:
    from django.db import DatabaseError, transaction

    from marketing.workflows import rehearsal

    ada = make_customer()
    with pytest.raises(DatabaseError), transaction.atomic(), rehearsal.nothing_written():
        pass
    rehearsal.shadow()
    with pytest.raises(DatabaseError, match="read-only"), rehearsal.nothing_written():
        Customer.objects.filter(pk=ada.pk).update(city="Rome")
    rehearsal.unshadow()
    enroll(make_workflow(define({"rest": {"type": "wait", "for": "1h"}})), ada)
    assert ada.enrollments.count() == 1


def test_masked_users_do_not_rehearse(draft: Workflow) -> None:
    from crm.roles import Role
    from tests.factories.accounts import in_role

    api = APIClient()
    api.force_authenticate(in_role(Role.ANALYST))
    url = f"/api/workflows/{ids.encode('wfl', draft.pk)}/"
    assert api.post(f"{url}walk/", {"customer": "x"}, format="json").status_code == 403
    assert api.post(f"{url}backtest/", {}, format="json").status_code == 403
    assert api.get(f"{url}backtest/").status_code == 403


def test_a_new_schedule_is_tested_on_the_weeks_before_it_existed() -> None:
    for _ in range(3):
        make_customer()
    entry = {"on": "schedule", "every": "weekly", "weekdays": ["mon"], "at": "10:00"}
    definition = define({"pause": {"type": "wait", "for": "1h"}}, entry=entry, reentry={"after_days": 0})  # fmt: skip
    workflow = workflows.save_draft(Workflow(name="Weekly", slug="weekly"), definition, by=None)
    now = timezone.now()
    begun = workflows.start_backtest(workflow, since=now - timedelta(weeks=4), until=now, sample=10)
    jobs.run(begun)
    begun.refresh_from_db()
    assert list(begun.result[0]["entered_by_day"].values()) == [3, 3, 3, 3]
