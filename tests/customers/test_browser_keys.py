"""A browser key adds events, and changes nothing of a customer that a server has sent unless the call is signed."""

from __future__ import annotations

import json
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from crm.accounts import tokens
from crm.accounts.models import User
from crm.api import ids
from customers import ingest
from customers.models import (
    Consent,
    Customer,
    Identity,
    Interaction,
    Merge,
    Order,
    RefusedId,
    WriteKey,
)
from customers.tracking_api import keys
from tests.customers.test_collect import Source, identify, track
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db

ORDER = {"order_id": "o-1", "total": 49.5, "products": [{"sku": "s1", "price": 49.5}]}


class Site(Source):
    """Send calls as a page of a site with its browser key."""

    def __init__(self) -> None:
        self.key, text = keys.issue_key("page", WriteKey.Kind.BROWSER)
        super().__init__(text)

    def signed(self, call: dict[str, Any]) -> dict[str, Any]:
        signature = keys.sign(str(call["userId"]), keys.secret_of(self.key))
        return {**call, "context": {"userHash": signature}}


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def server() -> Source:
    return Source(keys.issue_key("server")[1])


@pytest.fixture
def ada() -> Customer:
    """Return a customer that the server has sent."""
    return of_server(
        external_id="u1", email="ada@example.com", phone="+4930123456", first_name="Ada"
    )


def of_server(**fields: Any) -> Customer:
    (result,) = ingest.upsert_customers([ingest.clean_customer(fields)], evidence="file")
    return Customer.objects.get(pk=result.pk)


def stored(customer: Customer) -> dict[str, Any]:
    """Return the customer as the database has it, without the traces of activity."""
    row = Customer.objects.filter(pk=customer.pk).values().get()
    return {
        name: value for name, value in row.items() if "last_" not in name and name != "visit_count"
    }


def refused() -> set[tuple[str, str]]:
    """Return field and reason of all that the owner of the keys sees as refused."""
    return {*RefusedId.objects.values_list("field", "reason")}


@pytest.mark.parametrize(
    "traits",
    [
        {"email": "eve@example.com"},
        {"phone": "+4930999999"},
        {"firstName": "Eve", "city": "Paris"},
        {"plan": "gold"},
        {"tags": ["vip"]},
        {"emailOptIn": True},
        {"emailOptOut": True},
        {"unsubscribed": True},
        {"marketing_consent": "yes"},
        {"address": {"city": "Paris"}},
        {"createdAt": "2020-01-01"},
    ],
)
def test_it_changes_no_customer_of_the_server(
    site: Site, ada: Customer, traits: dict[str, Any]
) -> None:
    before = stored(ada)
    answer = site.send(identify(userId="u1", traits=traits))
    assert answer.status_code == 200
    assert stored(ada) == before
    assert not Consent.objects.exists()
    assert refused() >= {("traits", "unsigned")}


@pytest.mark.parametrize(
    "names",
    [
        {"userId": "u1"},
        {"userId": "ada@example.com"},
        {"anonymousId": "a1", "traits": {"email": "ada@example.com"}},
        {"anonymousId": "a1", "traits": {"email": " ADA@Example.com "}},
        {"anonymousId": "a1", "traits": {"phone": "+49 30 123456"}},
        {"userId": "new", "traits": {"email": "ada@example.com"}},
    ],
)
def test_no_name_of_a_customer_opens_the_traits(
    site: Site, ada: Customer, names: dict[str, Any]
) -> None:
    before = stored(ada)
    traits = {**names.pop("traits", {}), "firstName": "Eve", "evil": 1}
    assert site.send(identify(**names, traits=traits)).status_code == 200
    assert site.send({"type": "group", "groupId": "g", **names}).status_code == 200
    assert stored(ada) == before
    assert not Merge.objects.exists()
    identities = ada.identities.exclude(kind=Identity.Kind.ANONYMOUS)
    assert {(each.kind, each.value) for each in identities} <= {
        ("external_id", "u1"),
        ("email", "ada@example.com"),
        ("phone", "+4930123456"),
    }


def test_a_customer_imported_by_address_alone_keeps_it(site: Site) -> None:
    """A user id that is the address finds the customer, and becomes no id of it."""
    ada = of_server(email="ada@example.com")
    before = stored(ada)
    site.send(track(userId="ada@example.com"), identify(userId="u7", traits={"email": ada.email}))
    assert stored(ada) == before
    assert ada.interactions.get().type == "Signed Up"
    assert Customer.objects.get(external_id="u7").email is None


def test_ids_that_lead_nowhere_open_no_customer(site: Site) -> None:
    ada = make_customer(external_id="u1", email="ada@example.com")  # without identities
    before = stored(ada)
    for names in ({"userId": "u1"}, {"userId": "u7"}, {"anonymousId": "a1"}):
        site.send(identify(**names, traits={"email": "ada@example.com", "firstName": "Eve"}))
    site.send(track(userId="ada@example.com"))
    assert stored(ada) == before


KNOWN_AND_UNKNOWN = {
    "ada@example.com": "nobody@example.com",
    "+4930123456": "+4930123457",
    "u1": "u5",
    "bob": "u6",
    "bob@example.com": "nil@example.com",
}


@pytest.mark.parametrize(
    "call",
    [
        {"anonymousId": "a1", "traits": {"email": "ada@example.com"}},
        {"userId": "new", "traits": {"email": "ada@example.com", "emailOptIn": True}},
        {"userId": "new", "traits": {"email": "bob@example.com"}},
        {"userId": "new", "traits": {"phone": "+4930123456", "firstName": "Eve"}},
        {"userId": "u1", "traits": {"firstName": "Eve"}},
        {"userId": "u1", "traits": {"emailOptIn": True}},
        {"userId": "u1", "traits": {"emailOptOut": True}},
        {"userId": "u1", "traits": {"createdAt": "no date", "email": "no e-mail"}},
        {"userId": "ada@example.com", "traits": {"firstName": "Eve"}},
        {"userId": "bob", "traits": {"email": "eve@example.com"}},
        {"type": "group", "userId": "u1", "groupId": "g", "traits": {"size": 5}},
        {"type": "alias", "userId": "new", "previousId": "u1"},
        {"type": "alias", "userId": "u1", "previousId": "new"},
        {"type": "track", "userId": "u1", "event": "Order Completed", "properties": ORDER},
    ],
)
@pytest.mark.parametrize("signs", [False, True])
def test_its_answers_do_not_tell_who_is_a_customer(
    site: Site, ada: Customer, call: dict[str, Any], signs: bool
) -> None:
    """Any visitor could ask the site of a clinic for an address."""
    site.send(identify(userId="bob", traits={"email": "bob@example.com"}))
    asked = json.dumps(identify(**call))
    for known, unknown in KNOWN_AND_UNKNOWN.items():
        asked = asked.replace(f'"{known}"', f'"{unknown}"')
    about_nobody = json.loads(asked)
    if signs and "userId" not in call:
        return
    known, nobody = (
        site.send(site.signed(each) if signs else each).json()
        for each in (identify(**call), about_nobody)
    )
    assert known == nobody


@pytest.mark.parametrize("way", ["file", "identify", "upsert", "patch"])
def test_a_visitor_keeps_no_address_from_its_customer(
    site: Site, server: Source, api: APIClient, way: str
) -> None:
    """A stranger enters addresses and ids of customers that the server sends later."""
    site.send(
        identify(userId="squatter", traits={"email": "ada@example.com", "emailOptOut": True}),
        identify(userId="u1", traits={"email": "eve@evil.example"}),
    )
    fields = {"external_id": "u1", "email": "ada@example.com"}
    ways = {
        "file": lambda: of_server(**fields),
        "identify": lambda: server.send(identify(userId="u1", traits={"email": fields["email"]})),
        "upsert": lambda: api.post("/api/customers", fields),
        "patch": lambda: api.patch("/api/customers/u1", {"email": fields["email"]}, format="json"),
    }
    ways[way]()
    ada = Customer.objects.get(external_id="u1")
    assert (ada.email, ada.from_browser, ada.opted_out_channels) == ("ada@example.com", False, [])
    squatter = Customer.objects.get(external_id="squatter")
    assert (squatter.email, squatter.from_browser) == (None, True)
    assert (
        ingest.upsert_customers(
            [ingest.clean_customer({"email": "ada@example.com", "city": "Bonn"})], evidence="file"
        )[0].pk
        == ada.pk
    )


def test_a_signed_visitor_takes_no_address(site: Site, ada: Customer) -> None:
    site.send(identify(userId="u9", traits={"email": "bob@example.com"}))
    site.send(site.signed(identify(userId="u1", traits={"email": "bob@example.com"})))
    assert Customer.objects.get(external_id="u9").email == "bob@example.com"
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


def test_a_server_keeps_the_address_of_its_customer(server: Source, ada: Customer) -> None:
    server.send(identify(userId="u2", traits={"email": "ada@example.com"}))
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"
    assert Customer.objects.get(external_id="u2").email is None


def test_it_adds_events_of_anybody(site: Site, ada: Customer) -> None:
    answer = site.send(
        track(userId="u1"),
        {"type": "page", "userId": "u1", "name": "Home"},
        {"type": "group", "userId": "u1", "groupId": "g"},
    )
    assert answer.json() == {"success": True}
    assert {*ada.interactions.values_list("type", flat=True)} == {
        "Signed Up",
        "page_viewed",
        "group_joined",
    }


def test_it_sets_traits_of_customers_from_browsers(site: Site) -> None:
    site.send(identify(userId="u9", traits={"email": "eve@example.com", "firstName": "Eve"}))
    site.send(identify(userId="u9", traits={"city": "Paris", "plan": "gold"}))
    eve = Customer.objects.get(external_id="u9")
    assert (eve.email, eve.first_name, eve.city) == ("eve@example.com", "Eve", "Paris")
    assert eve.from_browser


def test_it_changes_no_address_that_a_browser_gave(site: Site) -> None:
    site.send(identify(userId="u9", traits={"email": "eve@example.com", "phone": "+4930123456"}))
    site.send(
        identify(
            userId="u9", traits={"email": "b@example.com", "phone": "+4930999999", "city": "Paris"}
        )
    )
    assert refused() == {("traits.email", "changed"), ("traits.phone", "changed")}
    eve = Customer.objects.get()
    assert (eve.email, eve.phone, eve.city) == ("eve@example.com", "+4930123456", "Paris")


def test_it_opts_nobody_in_and_lets_the_others_out(site: Site) -> None:
    answer = site.send(
        identify(userId="u8", traits={"email": "ann@example.com", "emailOptIn": True}),
        identify(userId="u9", traits={"email": "bob@example.com", "emailOptOut": True}),
    )
    assert [each["path"] for each in answer.json()["ignored"]] == ["batch[0].traits.emailOptIn"]
    assert Consent.objects.get().decision == "opted_out"


def test_its_opt_out_is_of_its_customer_alone(site: Site) -> None:
    traits = {"email": "ann@example.com", "unsubscribed": True}
    site.send(identify(userId="u9", traits=traits))
    assert Customer.objects.get().opted_out_channels == ["email"]
    Customer.objects.all().delete()
    assert of_server(email="ann@example.com").opted_out_channels == []


def test_no_user_id_stands_for_a_public_id(site: Site, api: APIClient, ada: Customer) -> None:
    public_id = ids.encode("cus", ada.pk)
    site.send(identify(userId=public_id, traits={"firstName": "Eve"}))
    assert api.get(f"/api/customers/{public_id}").json()["first_name"] == "Ada"


def test_it_merges_nobody(site: Site, ada: Customer) -> None:
    eve = of_server(external_id="u2")
    site.send(identify(userId="u9", traits={"city": "Paris"}))
    for alias in (("u1", "u2"), ("u9", "u2"), ("u2", "u9")):
        site.send({"type": "alias", "userId": alias[0], "previousId": alias[1]})
    assert RefusedId.objects.get(field="previousId").times == 3
    assert not Merge.objects.exists()
    assert Customer.objects.filter(pk__in=(ada.pk, eve.pk)).count() == 2


def test_it_takes_no_device_of_another_customer(site: Site, ada: Customer) -> None:
    site.send(site.signed(identify(userId="u1", anonymousId="a1")))
    site.send(identify(userId="u9", anonymousId="a1"))
    assert refused() == {("anonymousId", "unsigned")}
    site.send(track(anonymousId="a1"))
    assert ada.interactions.get().type == "Signed Up"


@pytest.mark.parametrize(
    "event", ["Order Completed", "order updated", "Order Refunded", "Order Cancelled"]
)
@pytest.mark.parametrize("signs", [False, True])
def test_its_orders_are_unconfirmed_events(
    site: Site, server: Source, ada: Customer, event: str, signs: bool
) -> None:
    server.send(track("Order Completed", userId="u1", properties={**ORDER, "order_id": "o-0"}))
    call = track(event, userId="u1", properties={**ORDER, "order_id": "o-0"})
    answer = site.send(site.signed(call) if signs else call)
    assert [each["path"] for each in answer.json()["ignored"]] == ["batch[0].event"]
    ada.refresh_from_db()
    assert (ada.total_spend, ada.order_count) == (Decimal("49.5"), 1)
    assert Order.objects.count() == 1
    assert ada.interactions.get(type=event).properties["unconfirmed"] is True


def test_an_order_of_the_server_confirms(site: Site, server: Source, ada: Customer) -> None:
    site.send(track("Order Completed", userId="u1", properties={**ORDER, "total": 9_999}))
    server.send(track("Order Completed", userId="u1", properties=ORDER))
    ada.refresh_from_db()
    assert (ada.total_spend, ada.order_count) == (Decimal("49.5"), 1)


def test_calls_of_a_visitor_keep_the_trust_of_their_key(site: Site, server: Source) -> None:
    """They wait until a trusted call says whose they are, and stay those of a browser."""
    site.send(track("Order Completed", anonymousId="a1", properties=ORDER))
    site.send(track("order_placed", anonymousId="a1", properties={"amount": 5_000}))
    server.send(identify(userId="u1", anonymousId="a1"))
    assert not Order.objects.exists()
    assert Interaction.objects.get().properties["unconfirmed"] is True


@pytest.mark.parametrize(
    "event", ["order_placed", "message_clicked", "message_converted", "unsubscribed"]
)
def test_it_records_no_event_of_kindling(site: Site, ada: Customer, event: str) -> None:
    answer = site.send(track(event, userId="u1", properties={"amount": 5_000}))
    assert [each["path"] for each in answer.json()["ignored"]] == ["batch[0].event"]
    assert not ada.interactions.exists()


def test_amounts_in_its_events_are_marked(site: Site, server: Source, ada: Customer) -> None:
    site.send(track("Donated", userId="u1", properties={"value": "12.50", "unconfirmed": False}))
    site.send(track("Waved", userId="u1", properties={"to": "Bob", "often": True}))
    server.send(track("Paid", userId="u1", properties={"value": 3}))
    marks = {each.type: each.properties.get("unconfirmed") for each in ada.interactions.all()}
    assert marks == {"Donated": True, "Waved": None, "Paid": None}


def test_a_signed_call_changes_its_customer(site: Site, ada: Customer) -> None:
    traits = {"email": "new@example.com", "phone": "+4930999999", "emailOptIn": True}
    answer = site.send(site.signed(identify(userId="u1", traits=traits)))
    assert answer.json() == {"success": True}
    ada.refresh_from_db()
    assert (ada.email, ada.phone) == ("new@example.com", "+4930999999")
    assert Consent.objects.get().decision == "opted_in"


def test_a_signature_may_stand_in_three_places(site: Site, ada: Customer) -> None:
    signature = keys.sign("u1", keys.secret_of(site.key))
    for place in (
        {"userHash": signature},
        {"context": {"user_hash": signature.upper()}},
        {"integrations": {"Kindling": {"userHash": signature}}},
    ):
        call = identify(userId="u1", traits={"city": "Paris"}, **place)
        assert site.send(call).json() == {"success": True}


@pytest.mark.parametrize("signature", ["", "x", "é", "0" * 64, None, 5, ["a"], {"a": 1}])
def test_a_wrong_signature_changes_nothing(site: Site, ada: Customer, signature: Any) -> None:
    before = stored(ada)
    call = identify(userId="u1", traits={"city": "Paris"}, context={"userHash": signature})
    answer = site.send(call)
    assert answer.status_code == 200
    assert {each["path"] for each in answer.json().get("ignored", [])} <= {"batch[0].userHash"}
    assert ("traits", "unsigned") in refused()
    assert stored(ada) == before


def test_a_signature_is_for_its_user_and_its_key(site: Site, ada: Customer) -> None:
    before = stored(ada)
    of_another = site.signed(identify(userId="u2"))["context"]
    of_another_key = Site().signed(identify(userId="u1"))["context"]
    for context in (of_another, of_another_key):
        site.send(identify(userId="u1", traits={"city": "Paris"}, context=context))
    assert stored(ada) == before


def test_a_signed_alias_merges_no_customer_of_the_server(site: Site, ada: Customer) -> None:
    of_server(external_id="u2")
    site.send(identify(userId="u9", traits={"city": "Paris"}))
    site.send(site.signed({"type": "alias", "userId": "u1", "previousId": "u2"}))
    assert refused() == {("previousId", "unsigned")}
    site.send(site.signed({"type": "alias", "userId": "u1", "previousId": "u9"}))
    assert Merge.objects.get().survivor_id == ada.pk


def test_whatever_a_server_sends_closes_a_customer(
    site: Site, server: Source, api: APIClient
) -> None:
    ways = {
        "file": lambda: of_server(external_id="u9"),
        "track": lambda: server.send(track(userId="u9")),
        "identify": lambda: server.send(identify(userId="u9")),
        "upsert": lambda: api.post("/api/customers", {"external_id": "u9"}),
        "patch": lambda: api.patch("/api/customers/u9", {"city": "Rome"}, format="json"),
        "order": lambda: api.post(
            "/api/orders", {"id": "1", "customer_id": "u9", "amount": "5"}, format="json"
        ),
        "visit": lambda: api.post(
            "/api/visits", {"customer_id": "u9", "occurred_at": "2026-01-01T00:00:00Z"}
        ),
    }
    for name, send in ways.items():
        Order.objects.all().delete()
        Customer.objects.all().delete()
        site.send(identify(userId="u9", traits={"city": "Rome"}))
        assert Customer.objects.get().from_browser
        send()
        site.send(identify(userId="u9", traits={"city": "Paris"}))
        assert Customer.objects.get().city == "Rome", name


def test_a_server_key_does_what_it_did(server: Source, ada: Customer) -> None:
    of_server(external_id="u2")
    server.send(
        identify(userId="u1", traits={"email": "new@example.com", "emailOptIn": True}),
        {"type": "alias", "userId": "u1", "previousId": "u2"},
        track("Order Completed", userId="u1", properties=ORDER),
    )
    ada.refresh_from_db()
    assert (ada.email, ada.total_spend) == ("new@example.com", Decimal("49.5"))
    assert Merge.objects.exists()


def test_a_stock_client_gets_no_error(site: Site, ada: Customer) -> None:
    """Clients of browsers drop a batch that gets a 400, and never send it again."""
    context = {"library": {"name": "analytics.js"}, "locale": "fr-FR", "page": {"url": "https://x"}}
    shared = {
        "anonymousId": "a1",
        "userId": "u1",
        "context": context,
        "integrations": {"All": True},
    }
    answer = site.send(
        identify(**shared, messageId="m1", traits={"email": "eve@example.com"}),
        track("Order Completed", **shared, messageId="m2", properties=ORDER),
        {"type": "alias", **shared, "previousId": "u2", "messageId": "m3"},
        {"type": "page", **shared, "messageId": "m4", "properties": {"path": "/"}},
    )
    assert answer.status_code == 200
    assert [each["path"] for each in answer.json()["ignored"]] == ["batch[1].event"]
    ada.refresh_from_db()
    assert (ada.language, ada.email) == ("", "ada@example.com")


def test_each_key_has_a_limit_of_its_own(site: Site, settings: Settings) -> None:
    settings.API_CALLS_PER_MINUTE = {**settings.API_CALLS_PER_MINUTE, "ingest": 2}
    statuses = [site.send(track(userId="u1")).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert Site().send(track(userId="u1")).status_code == 200


def test_the_kind_of_a_key_shows_everywhere(staff: User, staff_client: Client) -> None:
    out = StringIO()
    call_command("write_key", "App", "--browser", stdout=out)
    text, secret = out.getvalue().split()
    assert keys.find_key(text).kind == "browser"  # type: ignore[union-attr]

    made = staff_client.post(
        "/admin/customers/writekey/add/", {"name": "Shop", "kind": "browser"}, follow=True
    ).content.decode()
    assert made.count("<code>") == 2
    assert secret not in str(WriteKey.objects.values())

    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(staff)[1]}")
    issued = client.post("/api/write-keys", {"name": "Site", "kind": "browser"}).json()
    assert {"key", "secret", "kind"} <= issued.keys()
    listed = client.get("/api/write-keys?kind=browser").json()["results"]
    assert [each["name"] for each in listed] == ["Site", "Shop", "App"]
    assert "key" not in listed[0]
    revoked = client.post(f"/api/write-keys/{issued['id']}/revoke").json()
    assert revoked["revoked_at"]
    assert keys.find_key(issued["key"]) is None


def test_a_server_key_in_a_page_becomes_a_browser_key(staff_client: Client, ada: Customer) -> None:
    key, text = keys.issue_key("shop")
    action = {"action": "make_browser_keys", "_selected_action": [key.pk], "confirmed": "yes"}
    shown = staff_client.post("/admin/customers/writekey/", action, follow=True).content.decode()
    key.refresh_from_db()
    assert key.kind == "browser"
    assert keys.secret_of(key) in shown
    Source(text).send(identify(userId="u1", traits={"city": "Paris"}))
    ada.refresh_from_db()
    assert ada.city == ""
