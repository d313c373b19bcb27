"""Segment triggers in the admin and the API: an event changes a list or re-evaluates its customer."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from crm.events import reader
from customers.models import Customer, Segment, SegmentTrigger
from customers.timeline import NewInteraction, record_interactions
from tests.factories.customers import make_customer

BOOKS = [{"field": "category", "operator": "=", "value": "Books"}]


@pytest.fixture
def readers(db: None) -> Segment:
    return Segment.objects.create(name="Readers", slug="readers", kind=Segment.Kind.STATIC)


def catch_up() -> None:
    reader.drain_all()


def on_list(segment: Segment) -> set[Customer]:
    return set(Customer.objects.filter(memberships__segment=segment))


def do(customer: Customer, event: str, **properties: Any) -> None:
    record_interactions([NewInteraction(customer.pk, event, timezone.now(), properties)])
    catch_up()


@pytest.mark.django_db(transaction=True)
class TestFiring:
    def test_events_add_and_remove_their_customer(self, readers: Segment) -> None:
        ada, eve = make_customer(), make_customer()
        pro = [{"field": "plan", "operator": "=", "value": "pro"}]
        readers.triggers.create(event="signed_up", where=pro, action="add")
        readers.triggers.create(event="cancelled", action="remove")

        do(ada, "signed_up", plan="Pro")
        do(eve, "signed_up", plan="free")
        assert on_list(readers) == {ada}

        do(ada, "cancelled")
        assert on_list(readers) == set()

    def test_an_order_triggers_by_its_contents(self, readers: Segment, api: APIClient) -> None:
        ada, eve = make_customer(external_id="ada"), make_customer(external_id="eve")
        readers.triggers.create(event="order_placed", where=BOOKS, action="add")

        for number, (who, category) in enumerate([("ada", "Books"), ("eve", "Home")]):
            items = [{"product": category, "category": category, "price": "10"}]
            api.post("/api/orders", {"id": str(number), "customer_id": who, "items": items}, "json")
        catch_up()

        assert (on_list(readers), eve.memberships.count()) == ({ada}, 0)

    def test_an_inactive_trigger_does_nothing(self, readers: Segment) -> None:
        readers.triggers.create(event="signed_up", action="add", is_active=False)

        do(make_customer(), "signed_up")

        assert on_list(readers) == set()

    def test_a_trigger_re_evaluates_a_dynamic_segment(self) -> None:
        ada = make_customer(city="Berlin")
        berlin = {"field": "city", "operator": "=", "value": "Berlin"}
        segment = Segment.objects.create(
            name="B", slug="b", rules={"operator": "AND", "conditions": [berlin]}
        )
        segment.triggers.create(event="moved", action="reevaluate")

        do(ada, "moved")

        assert on_list(segment) == {ada}


@pytest.mark.django_db
class TestApi:
    URL = "/api/segments/readers/triggers"

    def test_triggers_are_created_listed_updated_and_deleted(
        self, api: APIClient, readers: Segment
    ) -> None:
        made = api.post(
            self.URL, {"event": "order_placed", "where": BOOKS, "action": "add"}, "json"
        )
        assert made.status_code == 201, made.data
        url = f"{self.URL}/{made.data['id']}"

        assert [each["where"] for each in api.get(self.URL).data["results"]] == [BOOKS]
        assert api.patch(url, {"is_active": False}, "json").data["is_active"] is False
        assert api.delete(url).status_code == 204
        assert not readers.triggers.exists()

    @pytest.mark.parametrize(
        ("given", "path"),
        [
            ({"event": "order_placed", "action": "reevaluate"}, "action"),
            ({"event": "order_placed", "action": "explode"}, "action"),
            ({"event": "?", "action": "add"}, "event"),
            ({"event": "order_placed", "action": "add", "where": "x"}, "where"),
            (
                {"event": "order_placed", "action": "add", "where": [{"field": "colour"}]},
                "where[0].field",
            ),
        ],
    )
    def test_an_invalid_value_is_refused_at_its_path(
        self, api: APIClient, readers: Segment, given: dict[str, Any], path: str
    ) -> None:
        answer = api.post(self.URL, given, "json")

        assert answer.status_code == 400, answer.data
        assert [error["path"] for error in answer.data["errors"]] == [path]

    def test_a_trigger_of_another_segment_is_not_found(
        self, api: APIClient, readers: Segment
    ) -> None:
        other = Segment.objects.create(name="O", slug="o", kind=Segment.Kind.STATIC)
        other.triggers.create(event="signed_up", action="add")
        made = api.get("/api/segments/o/triggers").data["results"][0]["id"]

        assert api.get(f"{self.URL}/{made}").status_code == 404
        assert api.get("/api/segments/nobody/triggers").status_code == 404


@pytest.mark.django_db
class TestAdmin:
    def given(self, segment: Segment, **trigger: str) -> dict[str, str]:
        empty = dict.fromkeys(
            f"{prefix}-{name}_FORMS"
            for prefix in ("triggers", "memberships")
            for name in ("TOTAL", "INITIAL")
        )
        row = {"event": "order_placed", "where": "", "action": "add", "is_active": "on", **trigger}
        return {
            "name": segment.name, "slug": segment.slug, "kind": segment.kind, "description": "",
            "rules": '{"operator": "AND", "conditions": []}',
            **dict.fromkeys(empty, "0"),
            "triggers-TOTAL_FORMS": "1",
            **{f"triggers-0-{name}": value for name, value in row.items()},
        }  # fmt: skip

    def test_a_trigger_is_added_on_the_segment_page(
        self, staff_client: Client, readers: Segment
    ) -> None:
        page = reverse("admin:customers_segment_change", args=[readers.pk])
        where = '[{"field": "category", "operator": "=", "value": "Books"}]'

        answer = staff_client.post(page, self.given(readers, where=where))

        assert answer.status_code == 302, answer.content.decode()[:3000]
        assert SegmentTrigger.objects.get().where == BOOKS

    def test_an_invalid_trigger_shows_an_error(
        self, staff_client: Client, readers: Segment
    ) -> None:
        page = reverse("admin:customers_segment_change", args=[readers.pk])

        answer = staff_client.post(page, self.given(readers, action="reevaluate"))

        assert "it has no rules to re-evaluate" in answer.content.decode()
        assert not SegmentTrigger.objects.exists()
