"""Workflows to start from, each with the messages and the segment that it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.accounts.models import User
from customers.models import Segment
from customers.models.consent import Channel
from customers.segments import refresh, validate_rules
from marketing.content import save_template
from marketing.models import CampaignTemplate, Workflow
from marketing.workflows.moves import free_slug, save_draft

FRAME = Path(__file__).parent / "message.mjml"


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a starter; it becomes a template unless there is one of that name. An SMS has `text` alone."""

    name: str
    text: Sequence[str]
    subject: str = ""
    preheader: str = ""
    heading: str = ""
    button: str = ""
    link: str = "{{ site.url }}"
    reason: str = "You get this because you are a customer of {{ site.name }}."
    channel: str = Channel.EMAIL

    @property
    def body(self) -> str:
        if self.channel != Channel.EMAIL:
            return "\n".join(self.text)
        paragraphs = "\n        ".join(
            each if each.startswith("{%") else f"<mj-text>{each}</mj-text>" for each in self.text
        )
        return Template(_frame()).substitute(
            heading=self.heading, paragraphs=paragraphs, button=self.button, link=self.link, reason=self.reason
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Starter:
    """A workflow to start from: its definition names the templates of `messages` and the `segment` (a name, a slug and rules)."""

    key: str
    name: str | Promise
    about: str | Promise
    icon: str
    definition: Mapping[str, Any]
    messages: Sequence[Message] = ()
    segment: tuple[str, str, Mapping[str, Any]] | None = None


def find_starter(key: str) -> Starter | None:
    """Return the starter of a key."""
    return next((each for each in STARTERS if each.key == key), None)


@transaction.atomic
def start_from(starter: Starter, *, by: User | None) -> Workflow:
    """Return the draft of a new workflow; templates and a segment that it needs are made unless they are there."""
    for message in starter.messages:
        if not CampaignTemplate.objects.filter(name=message.name).exists():
            save_template(_template(message), by=by)
    if starter.segment:
        _make_segment(*starter.segment)
    name = str(starter.name)
    return save_draft(
        Workflow(name=name, slug=free_slug(name), description=str(starter.about)),
        deepcopy(dict(starter.definition)),
        by=by,
    )


def _template(message: Message) -> CampaignTemplate:
    made = CampaignTemplate(name=message.name, channel=message.channel, body=message.body)
    if message.channel == Channel.EMAIL:
        made.subject, made.preheader = message.subject, message.preheader
        made.body_format = CampaignTemplate.BodyFormat.MJML
    return made


def _make_segment(name: str, slug: str, rules: Mapping[str, Any]) -> None:
    if not Segment.objects.filter(slug=slug).exists():
        refresh(Segment.objects.create(name=name, slug=slug, rules=validate_rules({**rules})))


@cache
def _frame() -> str:
    return FRAME.read_text()


def _all(*conditions: Mapping[str, Any]) -> dict[str, Any]:
    return {"operator": "AND", "conditions": [*conditions]}


def _is(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


CART_LINES = (
    '{% for line in entry.lines %}<mj-text>{% if line.image %}<img src="{{ line.image }}" width="72" alt="" /> {% endif %}'
    "<b>{{ line.name }}</b> × {{ line.quantity | default: 1 }}{% if line.price %}, {{ line.price }}{% endif %}"
    "</mj-text>{% endfor %}"
)
HELLO = "Hi {{ customer.first_name | default: 'there' }},"
ORDERED = {"event": "order_placed"}

STARTERS: Sequence[Starter] = (
    Starter(
        "blank",
        _("Blank workflow"),
        _("An entry, and every step of your own."),
        "add",
        {"entry": {"on": "event", "event": "order_placed"}, "start": None, "steps": {}},
    ),
    Starter(
        "welcome",
        _("Welcome series"),
        _("Three mails to new customers; the last one only without an order."),
        "waving_hand",
        {
            "entry": {"on": "segment", "segment": "new-customers"},
            "goal": {"event": "order_placed", "value": "amount", "window_days": 14},
            "start": "hello",
            "steps": {
                "hello": {"type": "send", "template": "Welcome 1: Hello", "next": "two_days"},
                "two_days": {"type": "wait", "for": "2d", "next": "tips"},
                "tips": {"type": "send", "template": "Welcome 2: Three tips", "next": "three_days"},
                "three_days": {"type": "wait", "for": "3d", "next": "ordered"},
                "ordered": {
                    "type": "split",
                    "branches": [
                        {
                            "name": "has ordered",
                            "rules": _all(_is("order_count", ">=", 1)),
                            "next": None,
                        }
                    ],
                    "next": "first_order",
                },
                "first_order": {"type": "send", "template": "Welcome 3: First order", "next": None},
            },
        },
        (
            Message(
                "Welcome 1: Hello",
                (
                    HELLO,
                    "It is good to have you with us. Now and then you hear from us, when there is something worth your time.",
                ),
                "Welcome, {{ customer.first_name | default: 'good to have you' }}",
                "What happens next",
                "Welcome to {{ site.name }}",
                "Look around",
                reason="You get this because you signed up at {{ site.name }}.",
            ),
            Message(
                "Welcome 2: Three tips",
                (
                    HELLO,
                    "Have a look at what is new, tell us what you like, and answer this mail if you need anything: a person reads it.",
                ),
                "Three things to begin with",
                "Five minutes at most",
                "Where to begin",
                "See what is new",
                reason="You get this because you signed up at {{ site.name }}.",
            ),
            Message(
                "Welcome 3: First order",
                (
                    HELLO,
                    "Shipping of your first order is on us until Sunday. You need no code: it is taken off when you pay.",
                ),
                "Your first order ships for free",
                "Until Sunday",
                "Free shipping on your first order",
                "Choose something",
                reason="You get this because you signed up at {{ site.name }}.",
            ),
        ),
        ("New customers", "new-customers", _all(_is("registered_at", "in_last_days", 30))),
    ),
    Starter(
        "abandoned-cart",
        _("Abandoned cart"),
        _("A reminder of each cart an hour after its last change, and another one after two days."),
        "remove_shopping_cart",
        {
            "entry": {"on": "event", "event": "cart_updated", "per": "cart_id"},
            "reentry": {"after_days": 7},
            "goal": {"event": "order_placed", "value": "amount", "window_days": 7},
            "start": "an_hour",
            "steps": {
                "an_hour": {
                    "type": "wait_for",
                    "event": "order_placed",
                    "match": {"cart_id": "{{ entry.cart_id }}"},
                    "timeout": "1h",
                    "next": {"happened": None, "timed_out": "reminder"},
                },
                "reminder": {
                    "type": "send",
                    "template": "Abandoned cart: Reminder",
                    "next": "two_days",
                },
                "two_days": {
                    "type": "wait_for",
                    "event": "order_placed",
                    "match": {"cart_id": "{{ entry.cart_id }}"},
                    "timeout": "2d",
                    "next": {"happened": None, "timed_out": "last"},
                },
                "last": {"type": "send", "template": "Abandoned cart: Last call", "next": None},
            },
        },
        (
            Message(
                "Abandoned cart: Reminder",
                (
                    HELLO,
                    "You left something in your cart. It is still there:",
                    CART_LINES,
                    "{% if entry.total %}<mj-text>Total: <b>{{ entry.total }}</b></mj-text>{% endif %}",
                ),
                "You left something in your cart",
                "It is still there",
                "Still thinking about it?",
                "Go on where you were",
                "{{ entry.url | default: site.url }}",
            ),
            Message(
                "Abandoned cart: Last call",
                (
                    HELLO,
                    "We keep your cart until tomorrow. Is there anything that we can help with? Answer this mail.",
                ),
                "Your cart is kept until tomorrow",
                "A last reminder",
                "Your cart waits until tomorrow",
                "To the cart",
                "{{ entry.url | default: site.url }}",
            ),
        ),
    ),
    Starter(
        "browse-abandonment",
        _("Browse abandonment"),
        _("A mail about a viewed product, four hours later, unless there is an order."),
        "visibility",
        {
            "entry": {"on": "event", "event": "product_viewed"},
            "reentry": {"after_days": 7},
            "exit_when": [ORDERED],
            "goal": {"event": "order_placed", "value": "amount", "window_days": 7},
            "start": "four_hours",
            "steps": {
                "four_hours": {"type": "wait", "for": "4h", "next": "daytime"},
                "daytime": {
                    "type": "wait",
                    "window": {"from": "09:00", "to": "20:00"},
                    "next": "seen",
                },
                "seen": {"type": "send", "template": "Browse: Seen today", "next": None},
            },
        },
        (
            Message(
                "Browse: Seen today",
                (
                    HELLO,
                    "You had a look at {{ entry.name | default: 'something of ours' }}. Here it is again, with all that others say of it.",
                ),
                "{{ entry.name | default: 'What you looked at' }}",
                "In case you want a second look",
                "A second look?",
                "Look again",
                "{{ entry.url | default: site.url }}",
            ),
        ),
    ),
    Starter(
        "review",
        _("Post-purchase review"),
        _("A week after each order: how was it?"),
        "reviews",
        {
            "entry": {"on": "event", "event": "order_placed", "per": "order"},
            "exit_when": [{"event": "order_refunded"}, {"event": "order_cancelled"}],
            "start": "a_week",
            "steps": {
                "a_week": {"type": "wait", "for": "7d", "next": "review"},
                "review": {"type": "send", "template": "Review: How was it", "next": None},
            },
        },
        (
            Message(
                "Review: How was it",
                (
                    HELLO,
                    "A week ago you ordered from us. How was it? Two sentences help others to choose, and us to get better.",
                ),
                "How was your order?",
                "Two sentences are enough",
                "How was it?",
                "Write a review",
            ),
        ),
    ),
    Starter(
        "win-back",
        _("Win-back"),
        _("Two mails to customers without an order for 90 days, the second one with an offer."),
        "restart_alt",
        {
            "entry": {
                "on": "schedule",
                "every": "weekly",
                "weekdays": ["mon"],
                "at": "10:00",
                "audience": _all(
                    _is("order_count", ">=", 1), _is("last_order_at", "inactive_days", 90)
                ),
            },
            "reentry": {"after_days": 180},
            "exit_when": [ORDERED],
            "goal": {"event": "order_placed", "value": "amount", "window_days": 30},
            "holdout_percent": 10,
            "start": "news",
            "steps": {
                "news": {"type": "send", "template": "Win-back 1: What is new", "next": "ten_days"},
                "ten_days": {"type": "wait", "for": "10d", "next": "offer"},
                "offer": {"type": "send", "template": "Win-back 2: Offer", "next": None},
            },
        },
        (
            Message(
                "Win-back 1: What is new",
                (HELLO, "It has been a while. This is what is new since you were here."),
                "It has been a while",
                "What is new since you were here",
                "What is new",
                "Have a look",
            ),
            Message(
                "Win-back 2: Offer",
                (
                    HELLO,
                    "15 % off your next order, until the end of the month. Enter <b>BACK15</b> when you pay.",
                ),
                "15 % off, to have you back",
                "Until the end of the month",
                "We would like to have you back",
                "Use it",
            ),
        ),
    ),
    Starter(
        "birthday",
        _("Birthday"),
        _("A gift at nine in the morning of each birthday."),
        "cake",
        {
            "entry": {"on": "date", "date": "date_of_birth", "at": "09:00", "every_year": True},
            "reentry": {"after_days": 300},
            "goal": {"event": "order_placed", "value": "amount", "window_days": 14},
            "start": "gift",
            "steps": {"gift": {"type": "send", "template": "Birthday: Gift", "next": None}},
        },
        (
            Message(
                "Birthday: Gift",
                (HELLO, "Happy birthday! A gift is waiting with your next order of this month."),
                "Happy birthday, {{ customer.first_name | default: 'to you' }}",
                "A small gift from us",
                "Happy birthday",
                "Get the gift",
            ),
        ),
    ),
    Starter(
        "lead-nurture",
        _("Lead nurture"),
        _("Three mails over two weeks to leads, ended by their first order."),
        "spa",
        {
            "entry": {"on": "segment", "segment": "leads"},
            "exit_when": [ORDERED],
            "goal": {"event": "order_placed", "value": "amount", "window_days": 30},
            "start": "story",
            "steps": {
                "story": {"type": "send", "template": "Leads 1: Our story", "next": "five_days"},
                "five_days": {"type": "wait", "for": "5d", "next": "favourites"},
                "favourites": {"type": "send", "template": "Leads 2: Favourites", "next": "a_week"},
                "a_week": {"type": "wait", "for": "7d", "next": "question"},
                "question": {"type": "send", "template": "Leads 3: A question", "next": None},
            },
        },
        (
            Message(
                "Leads 1: Our story",
                (HELLO, "This is why we do what we do, and for whom."),
                "Why we do this",
                "Two minutes to read",
                "Our story",
                "Read on",
            ),
            Message(
                "Leads 2: Favourites",
                (HELLO, "These are the things that customers come back for."),
                "What others come back for",
                "Five favourites",
                "The favourites",
                "See them",
            ),
            Message(
                "Leads 3: A question",
                (
                    HELLO,
                    "Is there something that keeps you from trying? Answer this mail: we read every one.",
                ),
                "May we ask you something?",
                "One question",
                "A question",
                "Look around",
            ),
        ),
        ("Leads", "leads", _all(_is("lifecycle_status", "=", "lead"))),
    ),
    Starter(
        "replenishment",
        _("Replenishment"),
        _("A reminder 30 days after an order, unless another one has come."),
        "autorenew",
        {
            "entry": {"on": "event", "event": "order_placed", "per": "order"},
            "goal": {"event": "order_placed", "value": "amount", "window_days": 45},
            "start": "a_month",
            "steps": {
                "a_month": {
                    "type": "wait_for",
                    "event": "order_placed",
                    "timeout": "30d",
                    "next": {"happened": None, "timed_out": "again"},
                },
                "again": {"type": "send", "template": "Replenishment: Again", "next": None},
            },
        },
        (
            Message(
                "Replenishment: Again",
                (HELLO, "It has been a month since your order. Is it time for more?"),
                "Time for more?",
                "The same again, with one click",
                "The same again?",
                "Order again",
            ),
        ),
    ),
    Starter(
        "re-permission",
        _("Re-permission"),
        _("Asks inactive subscribers whether they want to hear from you; the others get a tag."),
        "mark_email_read",
        {
            "entry": {
                "on": "schedule",
                "every": "monthly",
                "day_of_month": 1,
                "at": "10:00",
                "audience": _all(
                    _is("registered_at", "inactive_days", 180),
                    _is("last_interaction_at", "inactive_days", 180),
                ),
            },
            "reentry": {"after_days": 365},
            "start": "question",
            "steps": {
                "question": {
                    "type": "send",
                    "template": "Re-permission: Still interested",
                    "next": "two_weeks",
                },
                "two_weeks": {
                    "type": "wait_for",
                    "event": "message_clicked",
                    "timeout": "14d",
                    "next": {"happened": "active", "timed_out": "inactive"},
                },
                "active": {"type": "update", "add_tags": ["still-interested"], "next": None},
                "inactive": {"type": "update", "add_tags": ["inactive"], "next": None},
            },
        },
        (
            Message(
                "Re-permission: Still interested",
                (
                    HELLO,
                    "We have not heard from each other for long. Do you still want our mails? One click is enough.",
                ),
                "Do you still want our mails?",
                "One click is enough",
                "Still interested?",
                "Yes, keep me posted",
            ),
        ),
    ),
)
"""The blank one first; what each needs of events and data stands in docs/workflows.md."""
