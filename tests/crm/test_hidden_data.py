"""Masked personal data stands on no page and in no response or file, and 500 requests do not recover it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from itertools import product
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import escape
from rest_framework.test import APIClient

from analytics.admin import results
from crm import masking, roles
from crm.accounts import tokens
from crm.accounts.middleware import SEE_PERSONAL_DATA
from crm.accounts.models import User
from crm.adminkit import display
from crm.api import ids
from crm.events import outbox
from crm.events.models import DeadLetter, MarketingEvent, WebhookDelivery, WebhookEndpoint
from crm.roles import Role
from customers import consent
from customers.api.customers import CustomerViewSet
from customers.ingest import clean_service, record_service
from customers.models import (
    Customer,
    ImportJob,
    LikelyDuplicate,
    Segment,
    SegmentTrigger,
    Visit,
)
from customers.models.collect import WaitingMessage
from customers.segments.language import event_types, personal
from customers.segments.membership.refresh import refresh
from customers.timeline import NewInteraction, record_interactions
from marketing.models import Campaign, CampaignExecution
from tests.crm import endpoints
from tests.factories.accounts import in_role
from tests.factories.customers import make_customer, make_order, make_product
from tests.factories.marketing import make_campaign, make_execution, make_run, make_template

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 1, 1, 10, tzinfo=UTC)
EMAIL, PHONE, BIRTHDAY = "zqvexler@quuxmail.example", "+4915550199887", date(1987, 11, 23)
AGE = (datetime.now(UTC).date() - BIRTHDAY).days * 4 // 1461
STREET, COMPLAINT, ANSWER = "Wombat Alley", "xyzzy knee pain", "plughanswer"
VALUES = {
    "email": (EMAIL, "zqvexler"),
    "phone": (PHONE, PHONE[1:], "5550199887"),
    "name": ("Zyphrelle", "zyphrelle", "Quorrimore", "quorrimore"),
    "date of birth": (
        str(BIRTHDAY),
        *(date_format(BIRTHDAY, style) for style in ("DATE_FORMAT", "j M Y", "SHORT_DATE_FORMAT")),
    ),
    "attribute": (STREET, "918273"),
    "property": (ANSWER, "736451"),
    "text": (COMPLAINT, "frobnicated-evidence"),
}


def compare(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def all_of(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"operator": "AND", "conditions": list(conditions)}


def answered(operator: str, value: Any, name: str = "answer") -> dict[str, Any]:
    where = [compare(name, operator, value)]
    return {"event": "form_sent", "operator": ">=", "value": 1, "where": where}


STORED = all_of(
    compare("email", "in", [EMAIL, "other@quuxmail.example"]),
    compare("phone", "starts_with", PHONE),
    compare("first_name", "=", "Zyphrelle"),
    compare("name", "contains", "Quorrimore"),
    compare("date_of_birth", "between", [str(BIRTHDAY), str(BIRTHDAY)]),
    compare("date_of_birth", "after", "1987-11-22"),
    compare("attributes.street", "=", STREET),
    compare("attributes.salary", ">=", 918273),
    answered("=", ANSWER),
    answered("<=", 736451, "salary"),
    {**answered("=", ANSWER), "aggregate": "sum:salary", "value": 736451},
)


@pytest.fixture
def person() -> Customer:
    """Create a customer whose personal data stands wherever the product stores it, also in rules."""
    customer = make_customer(
        email=EMAIL,
        phone=PHONE,
        first_name="Zyphrelle",
        last_name="Quorrimore",
        date_of_birth=BIRTHDAY,
        external_id=EMAIL,
        attributes={"street": STREET, "salary": 918273},
        country="DE",
        city="Bremen",
    )
    other = make_customer(email=f"alias.{EMAIL}", phone=PHONE, last_name="Quorrimore")
    LikelyDuplicate.objects.create(customer=customer, other=other, reason="name_and_phone")
    make_order(customer, 42, products=[make_product()], attributes={"to": STREET})
    link = f"https://shop.example/?email={EMAIL}"
    record_interactions(
        [
            NewInteraction(customer.pk, "form_sent", NOW, {"answer": ANSWER, "salary": 736451}),
            NewInteraction(customer.pk, "page_viewed", NOW, {"url": link, "title": ANSWER}),
            NewInteraction(customer.pk, "message_clicked", NOW, {"link": link, "first": "true"}),
        ]
    )
    sent = {"customer_id": ids.encode("cus", customer.pk), "occurred_at": NOW.isoformat()}
    record_service([clean_service({**sent, "subject": COMPLAINT, "message": STREET})])
    Visit.objects.create(
        customer=customer,
        occurred_at=NOW,
        external_id="v1",
        url=link,
        title=f"Order of {COMPLAINT}",
    )
    consent.opt_in(customer.pk, "email", "frobnicated-evidence")
    consent.suppress("sms", PHONE, "manual", "Zyphrelle called")
    WaitingMessage.objects.create(anonymous_id="anon", message={"traits": {"email": EMAIL}})
    ImportJob.objects.create(
        kind="customers", name="people.csv", unread_cells={"phone": 1}, error=f"“{EMAIL}”"
    )
    outbox.emit("form.sent", customer_id=customer.pk, data={"email": EMAIL, "answer": ANSWER})
    webhook = WebhookEndpoint.objects.create(name="Shop", url="https://shop.example/", secret="")
    WebhookDelivery.objects.create(
        endpoint=webhook,
        event_id=MarketingEvent.objects.latest("position").event_id,
        type="form.sent",
        body=f'{{"email": "{EMAIL}"}}',
        error=f"refused {EMAIL}",
    )
    DeadLetter.objects.create(subscriber="x", position=1, type="form_sent", error=f"no {EMAIL}")
    segment = Segment.objects.create(name="Chosen", slug="chosen", rules=STORED)
    SegmentTrigger.objects.create(
        segment=segment,
        event="form_sent",
        where=[compare("answer", "=", ANSWER)],
        action=SegmentTrigger.Action.REEVALUATE,
    )
    refresh(segment)
    body = "<p>{{ customer.first_name }} {{ customer.last_name }} {{ customer.email }}</p>"
    draft = make_campaign(
        name="Draft",
        rules=STORED,
        type="triggered",
        trigger_event="form_sent",
        trigger_where=[compare("answer", "=", ANSWER)],
        template=make_template(body=body, subject="{{ customer.attributes.street }}"),
    )
    draft.segments.add(segment)
    run = make_run(make_campaign(name="Sent", rules=STORED, state="running"))
    make_execution(run, customer, error=f"550 {EMAIL} unknown", state="failed", links=[link])
    return customer


def everything_but_personal_data() -> User:
    """Return a user of a site's own role, with every permission of the table but one."""
    user = in_role()
    names = {each for line in roles.MATRIX for each in line.permissions} - {SEE_PERSONAL_DATA}
    group, _created = Group.objects.get_or_create(name="Everything else")
    group.permissions.set(
        Permission.objects.filter(codename__in=[name.partition(".")[2] for name in names])
    )
    user.groups.set([group])
    return user


WHO = {
    "analyst": lambda: in_role(Role.ANALYST),
    "everything else": everything_but_personal_data,
}


@pytest.fixture(params=WHO)
def masked_user(request: Any) -> User:
    return WHO[request.param]()


def content_of(response: Any) -> str:
    """Return the text of a response; of a spreadsheet, that of its parts."""
    body = response.getvalue() if response.streaming else response.content
    if body[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(body)) as parts:
            return "".join(parts.read(name).decode() for name in parts.namelist())
    return body.decode(errors="replace")


def revealed(response: Any) -> list[str]:
    """Return the kinds of personal data that a response reveals."""
    text = content_of(response)
    return [kind for kind, values in VALUES.items() if any(value in text for value in values)]


def pages_of_the_admin() -> Iterator[str]:
    for model, shown in admin.site._registry.items():
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{base}_changelist")
        for row in model._default_manager.all()[:1]:
            for page in ("change", "history", "delete"):
                yield reverse(f"{base}_{page}", args=[row.pk])
        for pattern in shown.urls:
            keys = re.findall(r"<(?:\w+:)?(\w+)>", str(pattern.pattern))
            row = model._default_manager.first()
            if pattern.name and len(keys) == 1 and row and "stream" not in pattern.name:
                yield reverse(f"admin:{pattern.name}", args=[row.pk])
            elif pattern.name and not keys:
                yield reverse(f"admin:{pattern.name}")
    campaign = Campaign.objects.earliest("pk")
    for name, address, _fill in results.PAGES:
        yield reverse(f"admin:analytics_{name}", args=[campaign.pk] if "<" in address else [])
    customer, segment = Customer.objects.earliest("pk"), Segment.objects.get()
    explain = reverse("admin:customers_segment_explain")
    yield f"{explain}?segment={segment.pk}&customer={ids.encode('cus', customer.pk)}"
    yield f"{reverse('admin:customers_segment_compare')}?first={segment.pk}&second={segment.pk}"


def paths_of_the_api(person: Customer) -> Iterator[str]:
    execution = CampaignExecution.objects.get()
    named = {
        "customers": ids.encode("cus", person.pk),
        "segments": "chosen",
        "campaigns": ids.encode("cmp", execution.run.campaign_id),
        "executions": ids.encode("msg", execution.pk),
        "orders": person.orders.get().external_id,
        "templates": ids.encode("tpl", execution.run.campaign.template_id),
        "imports": ids.encode("imp", ImportJob.objects.get().pk),
        "webhooks": ids.encode("whk", WebhookEndpoint.objects.get().pk),
    }
    for endpoint in endpoints.every():
        area = next((part for part in endpoint.path.split("/") if part in named), "")
        path = re.sub(r"{(?:id|segment_id)}", named.get(area, "none"), endpoint.path, count=1)
        path = path.replace("{status}", "draft")
        if endpoint.method == "GET" and "{" not in path and "realtime" not in path:
            yield path


def test_no_response_has_masked_data(person: Customer, masked_user: User) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(masked_user)[1]}")
    found = {}
    answered = 0
    for path, query in product(paths_of_the_api(person), ("", "?format=csv", "?format=jsonl")):
        response = client.get(path + query)
        answered += response.status_code == 200
        assert response.status_code < 500, path
        if kinds := revealed(response):
            found[path + query] = kinds
    assert (found, answered > 100) == ({}, True)


def test_no_page_has_masked_data(person: Customer, masked_user: User) -> None:
    client = Client()
    client.force_login(masked_user)
    found, shown = {}, 0
    for page in {*pages_of_the_admin(), reverse("admin:index")}:
        response = client.get(page, follow=True)  # also to where a page has moved
        assert response.status_code < 500, page
        shown += response.status_code == 200
        if kinds := revealed(response):
            found[page] = kinds
    assert (found, shown > 60) == ({}, True)


# probing

RIGHT_AND_WRONG = {
    "email": (EMAIL, "zzvexler@quuxmail.example"),
    "phone": (PHONE, "+4915550199886"),
    "name": ("Zyphrelle", "Zyphrolle"),
    "date of birth": ("1987-11-23", "1987-11-24"),
    "attribute": (STREET, "Wombat Alleq"),
    "property": (ANSWER, "plughanswes"),
}
FIELDS = {
    "email": "email",
    "phone": "phone",
    "name": "first_name",
    "date of birth": "date_of_birth",
    "attribute": "attributes.street",
}
VOLATILE = re.compile(
    r'"(sql_)?ms": ?\d+|csrfmiddlewaretoken" value="\w+"|nonce="[^"]+"|\b(seg|cmp|trg|cus)_\w{8}\b'
    r"|\b\d+ ms|[\d.]+ seconds|<time.*?</time>|\d{4}-\d\d-\d\dT[\d:.]+|•••\d\d"
)


@dataclass
class Attacker:
    """Asks one question at many doors, and compares the answers to a right guess with those to a wrong one."""

    user: User
    person: Customer

    def __post_init__(self) -> None:
        self.api, self.browser = APIClient(), Client()
        self.api.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(self.user)[1]}")
        self.browser.force_login(self.user)
        self.calls = 0

    def doors(self, kind: str, guess: str) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Yield the requests that could confirm a guess, by name."""
        for name, rule in self.rules(kind, guess):
            for path, body in (
                ("/api/customers/preview", {"rules": all_of(rule), "exact": True}),
                ("/api/segments", {"name": "Probe", "rules": all_of(rule)}),
                ("/api/campaigns", {"name": "Probe", "rules": all_of(rule)}),
            ):
                yield f"{path} {name}", partial(self.api.post, path, body, format="json")
            given = {"rules": json.dumps(all_of(rule))}
            page = reverse("admin:customers_segment_preview")
            yield f"{page} {name}", partial(self.browser.post, page, given)
        if kind == "property":
            where = {"event": "form_sent", "where": [compare("answer", "=", guess)]}
            trigger = {"type": "triggered", "name": "Probe", "trigger": where}
            yield "triggered", partial(self.api.post, "/api/campaigns", trigger, format="json")
            path = "/api/segments/chosen/triggers"
            given = {**where, "action": "reevaluate"}
            yield path, partial(self.api.post, path, given, format="json")
        field = FIELDS.get(kind, "email")
        for path, query in (
            ("/api/customers", "search"),
            ("/api/customers", "email"),
            ("/api/customers", "external_id"),
            ("/api/customers", field),
            ("/api/orders", "search"),
            ("/api/orders", "customer"),
            ("/api/visits", "search"),
            ("/api/visits", "customer"),
            ("/api/interests", "customer"),
            ("/api/service-interactions", "search"),
            ("/api/service-interactions", "customer"),
            ("/api/suppressions", "search"),
            ("/api/likely-duplicates", "search"),
        ):
            yield f"{path}?{query}=", partial(self.api.get, path, {query: guess})
        for path in (
            "customers/{}",
            "customers/{}/timeline",
            "suppressions/{}",
            "customers/{}/360",
        ):
            yield path, partial(self.api.get, f"/api/{path}".format(guess))
        for path, body in (
            ("segments/listed/customers", {"customers": [guess]}),
            ("ai/segment-from-text", {"description": f"customers whose {field} is {guess}"}),
            ("ai/segment-from-text", {"description": f"customers with {guess}"}),
            ("customers", {"email": guess, "city": "Bremen"}),
            ("customers", {"external_id": guess, "city": "Bremen"}),
            ("customers", {"external_id": "P-1", "phone": guess, "email": "p@x.example"}),
            ("customers/batch", {"customers": [{"email": guess}]}),
            ("orders", {"id": "P-1", "customer_id": guess, "amount": 1}),
            ("orders/batch", {"orders": [{"id": "P-1", "customer_id": guess, "amount": 1}]}),
            ("visits", {"id": "P-1", "customer_id": guess, "occurred_at": NOW.isoformat()}),
            ("interests", {"customer_id": guess, "category": "Tea"}),
            ("events/publish", {"type": "probe.sent", "customer": guess}),
            (f"templates/{self.template}/preview", {"customer": guess}),
            ("campaign-responses", {"campaign": "Sent", "customer_id": guess, "type": "open"}),
        ):
            yield (
                f"POST {path} {[*body]}",
                partial(self.api.post, f"/api/{path}", body, format="json"),
            )
        for model in ("customers_customer", "customers_order", "customers_visit",
                      "customers_serviceinteraction", "customers_consent", "customers_pushsubscription",
                      "customers_suppression", "marketing_campaignexecution"):  # fmt: skip
            page = reverse(f"admin:{model}_changelist")
            for query in ("q", "email", "email__startswith", "customer__email", "external_id",
                          f"{field}__gte", f"customer__{field}__startswith"):  # fmt: skip
                yield f"{page}?{query}=", partial(self.browser.get, page, {query: guess})
        for name, query in (
            ("admin:customers_segment_explain", {"segment": self.segment, "customer": guess}),
            ("admin:customers_segment_suggest", {"field": field, "q": guess}),
            ("admin:customers_segment_suggest",
             {"event": "form_sent", "property": "answer", "q": guess}),
            ("admin:autocomplete", {"term": guess, "app_label": "customers",
                                    "model_name": "order", "field_name": "customer"}),
            ("admin:search", {"s": guess, "extended": 1}),
        ):  # fmt: skip
            yield f"{name} {[*query]}", partial(self.browser.get, reverse(name), query)
        described = {"description": f"customers with {guess}"}
        page = reverse("admin:customers_segment_describe")
        yield page, partial(self.browser.post, page, described)

    def rules(self, kind: str, guess: str) -> Iterator[tuple[str, dict[str, Any]]]:
        if kind == "property":
            yield "where", answered("=", guess)
            yield "prefix", answered("starts_with", guess)
            yield "sum", {**answered("is_set", None), "aggregate": "sum:salary", "value": 736451}
        elif kind == "date of birth":
            for operator in ("on", "before", "after"):
                yield operator, compare("date_of_birth", operator, guess)
            yield "age", compare("age", ">=", 38 if guess == RIGHT_AND_WRONG[kind][0] else 39)
        else:
            for operator in ("=", "starts_with", "in"):
                value = [guess] if operator == "in" else guess
                yield operator, compare(FIELDS[kind], operator, value)

    @property
    def segment(self) -> int:
        return Segment.objects.get(slug="chosen").pk

    @property
    def template(self) -> str:
        return ids.encode("tpl", CampaignExecution.objects.get().run.campaign.template_id)

    def ask(self, request: Callable[[], Any], guess: str) -> tuple[int, str]:
        """Return the answer to a request, without what it repeats of the guess and what no guess decides."""
        self.calls += 1
        with transaction.atomic():
            response = request()
            transaction.set_rollback(True)
        text = content_of(response)
        spelled = {guess, quote(guess), quote_plus(guess), quote(quote_plus(guess)), escape(guess)}
        for written in sorted({*spelled, *re.findall(r"\w{5,}", guess)}, key=len, reverse=True):
            text = text.replace(written, "GUESS")
        return response.status_code, VOLATILE.sub("", text)

    def confirmed(self, kind: str) -> Iterator[str]:
        """Yield the doors that answer a right guess unlike a wrong one."""
        right, wrong = RIGHT_AND_WRONG[kind]
        for (name, ask_right), (_name, ask_wrong) in zip(
            self.doors(kind, right), self.doors(kind, wrong), strict=True
        ):
            if self.ask(ask_right, right) != self.ask(ask_wrong, wrong):
                yield f"{kind}: {name}"


@pytest.mark.parametrize("kind", RIGHT_AND_WRONG)
def test_no_door_confirms_a_guess(person: Customer, kind: str) -> None:
    Segment.objects.create(name="Listed", slug="listed", kind="static")
    for user in (in_role(Role.ANALYST), everything_but_personal_data()):
        attacker = Attacker(user, person)
        assert list(attacker.confirmed(kind)) == []
        assert attacker.calls < 500


# binary search


@dataclass(frozen=True)
class Hidden:
    """A masked value among ordered ones, the field of rules that compares it, and the columns of lists that could."""

    value: Any
    among: list[Any]
    rule: Callable[[Any], dict[str, Any]]
    columns: tuple[str, ...] = ()
    written: str = ""


def below(values: list[str], prefix_of: Callable[[str], dict[str, Any]]) -> Callable[[str], Any]:
    """Return rules for "begins like one of the values below this one", all of the same length."""

    def rule(value: str) -> dict[str, Any]:
        taken = values[: values.index(value)]
        conditions = [prefix_of(each) for each in [*taken, *["~" * len(value)] * len(values)]]
        return {"operator": "OR", "conditions": conditions[: len(values)]}

    return rule


def letters(value: str, place: int, letters: str, field: str, *columns: str) -> Hidden:
    """Return the search for one letter of a text of which the attacker knows those before it."""
    values = [value[:place] + letter for letter in letters]
    if field.startswith("where."):
        name = field.removeprefix("where.")
        rule = below(values, lambda begins: answered("starts_with", begins, name))
    else:
        rule = below(values, lambda begins: compare(field, "starts_with", begins))
    return Hidden(
        value[: place + 1], values, rule, columns, written=re.escape(value[:place]) + ".|~+"
    )


ALPHABET, DIGITS = "abcdefghijklmnopqrstuvwxyz", "0123456789"
SEARCHED = {
    "email": letters(EMAIL, 1, ALPHABET, "email", "email", "customer__email"),
    "phone": letters(PHONE, 12, DIGITS, "phone", "phone", "customer__phone"),
    "name": letters("Zyphrelle", 2, ALPHABET, "first_name", "first_name", "customer__first_name"),
    "birthday": Hidden(
        str(BIRTHDAY),
        [f"1987-{month:02}-23" for month in range(1, 13)],
        lambda day: compare("date_of_birth", "before", day),
        ("date_of_birth", "customer__date_of_birth"),
    ),
    "age": Hidden(
        AGE,
        [*range(20, 60)],
        lambda age: compare("age", "<", age),
    ),
    "address": letters(STREET, 1, ALPHABET, "attributes.street", "attributes__street"),
    "attribute": Hidden(
        918273,
        [*range(918_250, 918_300)],
        lambda number: compare("attributes.salary", "<", number),
        ("attributes__salary", "customer__attributes__salary"),
    ),
    "event property": letters(ANSWER, 2, ALPHABET, "where.answer", "properties__answer"),
    "number in an event": Hidden(
        736451,
        [*range(736_430, 736_470)],
        lambda number: answered("<", number, "salary"),
        ("properties__salary",),
    ),
    "sum over events": Hidden(
        736451,
        [*range(736_430, 736_470)],
        lambda number: {
            **answered("is_set", None), "aggregate": "sum:salary", "operator": "<", "value": number,
        },
    ),
    "evidence of a consent": letters("frobnicated", 1, ALPHABET, "evidence", "evidence", "consent__evidence"),
    "suppressed number": letters(PHONE, 12, DIGITS, "suppressed", "address", "address__startswith"),
}  # fmt: skip
FILLERS = compare("city", "=", "Fillers")


@dataclass
class Searcher(Attacker):
    """Halves the values that are left by each answer, at one door after the other."""

    def found(self, hidden: Hidden) -> Iterator[tuple[str, Any]]:
        """Yield each door with the value to which its answers lead, or None where both ends are answered alike."""
        for name, request in self.searched_doors(hidden):
            low, high = 0, len(hidden.among) - 1
            never = self.seen(request, hidden, hidden.among[0])
            if self.seen(request, hidden, hidden.among[-1]) == never:
                yield name, None
                continue
            while low < high:
                middle = (low + high + 1) // 2
                if self.seen(request, hidden, hidden.among[middle]) == never:
                    low = middle
                else:
                    high = middle - 1
            yield name, hidden.among[low]

    def seen(self, request: Callable[[Any], Any], hidden: Hidden, value: Any) -> Any:
        status, text = self.ask(partial(request, value), str(value))
        return status, re.sub(f"{hidden.written}|GUESS", "", text)

    def searched_doors(self, hidden: Hidden) -> Iterator[tuple[str, Callable[[Any], Any]]]:
        """Yield requests that ask for customers with a value below one, alone or beside nine others."""
        page, describe = (
            reverse(f"admin:customers_segment_{name}") for name in ("preview", "describe")
        )

        def shapes(value: Any) -> dict[str, dict[str, Any]]:
            rule = hidden.rule(value)
            return {
                "alone": all_of(rule),
                "with nine fillers": {"operator": "OR", "conditions": [rule, FILLERS]},
                "negated": {"operator": "AND", "conditions": [rule], "negate": True},
                "nested": all_of(
                    FILLERS, all_of({"operator": "OR", "conditions": [rule, FILLERS]})
                ),
            }

        for shape in shapes(hidden.among[0]):

            def body(value: Any, shape: str = shape) -> dict[str, Any]:
                return {"rules": shapes(value)[shape], "exact": True}

            yield (
                f"preview {shape}",
                lambda value, body=body: self.api.post(
                    "/api/customers/preview", body(value), format="json"
                ),
            )
            yield (
                f"admin preview {shape}",
                lambda value, body=body: self.browser.post(
                    page, {"rules": json.dumps(body(value)["rules"])}
                ),
            )
        yield (
            "preview by GET",
            lambda value: self.api.get(
                "/api/customers/preview", {"rules": json.dumps(all_of(hidden.rule(value)))}
            ),
        )
        for path in ("segments", "campaigns"):
            yield (
                path,
                lambda value, path=path: self.api.post(
                    f"/api/{path}",
                    {"name": "Probe", "rules": all_of(hidden.rule(value))},
                    format="json",
                ),
            )
        yield (
            "words",
            lambda value: self.browser.post(
                describe,
                {"description": f"customers younger than {value} or with less than {value}"},
            ),
        )
        lists = ("customers_customer", "customers_consent", "customers_suppression")
        for model, column in product(lists, hidden.columns):
            listed = reverse(f"admin:{model}_changelist")
            yield (
                f"{listed}?{column}__lt",
                lambda value, listed=listed, column=column: self.browser.get(
                    listed, {f"{column}__lt": value}
                ),
            )
        for path, column in product(
            ("customers", "orders", "suppressions", "events"), hidden.columns
        ):
            for lookup in ("__lt", "_before", "_max", ""):
                yield (
                    f"/api/{path}?{column}{lookup}",
                    lambda value, path=path, name=column + lookup: self.api.get(
                        f"/api/{path}", {name: value}
                    ),
                )


@pytest.fixture
def fillers(person: Customer) -> None:
    for _each in range(9):
        make_customer(city="Fillers")


@pytest.mark.parametrize("kind", SEARCHED)
def test_binary_search_recovers_no_masked_value(person: Customer, fillers: None, kind: str) -> None:
    attacker = Searcher(in_role(Role.ANALYST), person)
    found = dict(attacker.found(SEARCHED[kind]))
    assert {door for door, value in found.items() if value == SEARCHED[kind].value} == set()
    assert attacker.calls < 500


@pytest.mark.parametrize("kind", [*SEARCHED][:10])
def test_binary_search_works_where_nothing_is_masked(
    person: Customer, fillers: None, kind: str
) -> None:
    """The attack itself is no dummy."""
    permitted = Searcher(in_role(Role.MARKETER), person)
    [ask] = [
        ask for door, ask in permitted.searched_doors(SEARCHED[kind]) if door == "preview alone"
    ]
    hidden = SEARCHED[kind]

    def is_below(value: Any) -> bool:
        sample = ask(value).json()["sample"]
        return any(each["external_id"] == EMAIL for each in sample)

    first_above = bisect_left(hidden.among, True, key=is_below)
    assert hidden.among[first_above - 1] == hidden.value


def test_stored_rules_on_masked_data_are_applied(person: Customer) -> None:
    user = everything_but_personal_data()
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(user)[1]}")
    assert client.post("/api/segments/chosen/refresh").status_code == 200
    assert client.patch("/api/segments/chosen", {"name": "New"}, format="json").status_code == 200
    preview = client.post(
        f"/api/templates/{ids.encode('tpl', CampaignExecution.objects.get().run.campaign.template_id)}/preview",
        {"customer": ids.encode("cus", person.pk)},
        format="json",
    )
    assert (preview.status_code, revealed(preview)) == (200, [])
    segment = Segment.objects.get(slug="chosen")
    assert (segment.name, segment.rules, segment.size) == ("New", STORED, 1)


# order and small numbers


def test_lists_are_not_ordered_by_masked_data(person: Customer) -> None:
    first, last = (make_customer(last_name=name) for name in ("Aaa", "Zzz"))
    client = Client()
    client.force_login(in_role(Role.ANALYST))
    page = reverse("admin:customers_customer_changelist")

    def rows(user: Client, order: str) -> list[Any]:
        return [each.pk for each in user.get(page, {"o": order}).context["cl"].result_list]

    assert rows(client, "1") == rows(client, "-1")
    permitted = Client()
    permitted.force_login(in_role(Role.SUPPORT))
    assert rows(permitted, "1").index(first.pk) < rows(permitted, "1").index(last.pk)
    api = APIClient()
    api.force_authenticate(in_role(Role.ANALYST))
    assert api.get("/api/customers", {"ordering": "email"}).status_code == 400
    assert api.get("/api/segments", {"size_min": 1}).status_code == 403


def test_lists_are_not_searched_by_masked_columns(person: Customer) -> None:
    """Titles of pages name people and their troubles, as addresses do."""
    api = APIClient()
    api.force_authenticate(in_role(Role.ANALYST))
    for path, text in (("visits", COMPLAINT), ("service-interactions", COMPLAINT)):
        right, wrong = (api.get(f"/api/{path}", {"search": each}) for each in (text, "nothing"))
        assert (right.status_code, right.json()) == (wrong.status_code, wrong.json())
    browser = Client()
    browser.force_login(in_role(Role.ANALYST))
    page = reverse("admin:customers_visit_changelist")
    assert browser.get(page, {"title__startswith": "Order"}).status_code == 400


def test_a_long_file_is_masked_to_its_end(person: Customer, monkeypatch: Any) -> None:
    monkeypatch.setattr(CustomerViewSet, "rows_at_once", 1)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(in_role(Role.ANALYST))[1]}")
    text = content_of(client.get("/api/customers?format=csv"))
    assert (text.count("\n"), EMAIL in text) == (3, False)


@pytest.mark.parametrize(
    ("number", "shown", "counted"),
    [(0, "fewer than 10", None), (9, "fewer than 10", None), (10, "10", 10), (27, "20", 20)],
)
def test_small_numbers_are_not_told(number: int, shown: str, counted: int | None) -> None:
    assert (display.people(number), masking.people(number)) == (str(number), number)
    with masking.hidden():
        assert (display.people(number), masking.people(number)) == (shown, counted)


def test_an_analyst_gets_no_small_number(person: Customer) -> None:
    for _each in range(11):
        make_customer(city="Hamburg")
    segment = Segment.objects.get()
    api, browser = APIClient(), Client()
    analyst = in_role(Role.ANALYST)
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(analyst)[1]}")
    browser.force_login(analyst)

    def preview(city: str) -> dict[str, Any]:
        rules = all_of(compare("city", "=", city))
        body = {"rules": rules, "exact": True}
        answer: dict[str, Any] = api.post("/api/customers/preview", body, format="json").json()
        return answer

    few, many = preview("Bremen"), preview("Hamburg")
    assert (few["count"], few["sample"], few["percentage"]) == (None, [], 0.0)
    assert (many["count"], len(many["sample"])) == (10, 10)
    assert api.get("/api/segments/chosen").json()["size"] is None
    overlap = api.get("/api/segments/chosen/overlap", {"with": "chosen"}).json()
    assert {*overlap.values()} == {None}
    given = {"rules": json.dumps(all_of(compare("city", "=", "Bremen")))}
    shown = browser.post(reverse("admin:customers_segment_preview"), given).content.decode()
    assert "fewer than 10" in shown
    listed = browser.get(reverse("admin:customers_segment_changelist")).content.decode()
    assert "fewer than 10" in listed
    compared = (
        f"{reverse('admin:customers_segment_compare')}?first={segment.pk}&second={segment.pk}"
    )
    assert "fewer than 10" in browser.get(compared).content.decode()
    steps = {"step": ["form_sent", "page_viewed"], "since": "2025-12-01", "until": "2026-02-01"}
    funnel = api.get("/api/analytics/funnel", steps).json()["steps"]
    assert [each["count"] for each in funnel] == [None, None]
    permitted = APIClient()
    permitted.force_authenticate(in_role(Role.MARKETER))
    assert permitted.get("/api/segments/chosen").json()["size"] == segment.size


def test_the_store_of_an_event_is_as_masked_in_rules_as_on_the_timeline() -> None:
    visited = event_types.find("store_visited")
    assert visited
    assert personal.is_personal_property(visited, "store")
    ordered = event_types.find("order_placed")
    assert ordered
    assert not personal.is_personal_property(ordered, "store")
