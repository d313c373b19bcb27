"""One module inserts messages, one changes their state, and the batch plan sends them."""

from __future__ import annotations

import ast
import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from customers.models import Customer
from marketing.messages import batches, queue
from marketing.models import CampaignExecution
from marketing.sending.compose import Composer
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_run, make_template

ROOT = Path(settings.BASE_DIR)
QUEUE = ROOT / "marketing/messages/queue.py"
TRANSITIONS = ROOT / "marketing/messages/transitions.py"

INSERT = re.compile(r"INSERT\s+INTO\s+\"?marketing_campaignexecution\b", re.IGNORECASE)
SETS_STATE = re.compile(
    r"UPDATE\s+\"?marketing_campaignexecution\b.*?\bSET\b(?:(?!\bFROM\b|\bWHERE\b|\bRETURNING\b).)*?\bstate\s*=",
    re.IGNORECASE | re.DOTALL,
)
CREATORS = {"create", "bulk_create", "get_or_create", "update_or_create"}


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for app in ("crm", "customers", "marketing", "analytics"):
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path, ast.parse(path.read_text(encoding="utf-8"))


def texts(tree: ast.AST) -> Iterator[str]:
    """Yield the string constants of a module, including f-strings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(
                part.value if isinstance(part, ast.Constant) else "{}" for part in node.values
            )


def calls(tree: ast.AST) -> Iterator[tuple[str, str, ast.Call]]:
    """Yield (object, name, call) for each call of a method or class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield ast.unparse(node.func.value), node.func.attr, node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield "", node.func.id, node


def inserts(tree: ast.AST) -> bool:
    return any(INSERT.search(text) for text in texts(tree)) or any(
        name == "CampaignExecution"
        or (name in CREATORS and re.search(r"CampaignExecution|executions", upon))
        for upon, name, _call in calls(tree)
    )


def sets_state(tree: ast.AST) -> bool:
    """Return whether a module changes the state of messages by SQL, update or assignment."""
    if any(SETS_STATE.search(text) for text in texts(tree)):
        return True
    for upon, name, call in calls(tree):
        if not re.search(r"CampaignExecution|executions|messages|waiting\(\)", upon):
            continue
        if name == "update" and any(each.arg in {"state", None} for each in call.keywords):
            return True
        if name == "bulk_update" and "state" in ast.unparse(call):
            return True
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "state"
        and isinstance(node.ctx, ast.Store)
        and re.fullmatch(r"execution|message|each", ast.unparse(node.value))
        for node in ast.walk(tree)
    )


def test_one_module_inserts_messages() -> None:
    assert [path for path, tree in modules() if inserts(tree)] == [QUEUE]


def test_one_module_changes_the_state_of_messages() -> None:
    assert [path for path, tree in modules() if sets_state(tree)] == [TRANSITIONS]


@pytest.mark.parametrize(
    "code",
    [
        "CampaignExecution.objects.filter(pk=1).update(state='sent')",
        "run.executions.waiting().update(**CANCELLED)",
        "execution.state = State.SENT",
        "cursor.execute('UPDATE marketing_campaignexecution AS m SET error = %s, state = %s')",
        "cursor.execute(f'''UPDATE marketing_campaignexecution SET {column} = 1, state = 'sent' ''')",
    ],
)
def test_the_check_finds_a_change_of_state(code: str) -> None:
    assert sets_state(ast.parse(code))


@pytest.mark.parametrize(
    "code",
    [
        "CampaignExecution(run=run)",
        "CampaignExecution.objects.bulk_create(rows)",
        "run.executions.create(customer=ada)",
        "cursor.execute('INSERT INTO marketing_campaignexecution (run_id) VALUES (1)')",
    ],
)
def test_the_check_finds_an_insert(code: str) -> None:
    assert inserts(ast.parse(code))


def test_sending_reads_nothing_of_a_campaign() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {ast.unparse(node)}"
        for room in ("sending", "messages")
        for path in sorted((ROOT / "marketing" / room).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr == "campaign")
        or (isinstance(node, ast.ImportFrom) and "Campaign" in {each.name for each in node.names})
    ]
    assert found == []


@pytest.mark.django_db
def test_enqueue_checks_reachability() -> None:
    ada, bob = make_customer(email="ada@example.com"), make_customer(email=None)
    make_customer(email="not-asked@example.com")
    run = make_run()

    added = queue.enqueue(run, Customer.objects.filter(pk__in=[ada.pk, bob.pk]))

    assert added == (2, bob.pk, 2)
    assert set(run.executions.values_list("customer", "address", "skip_reason")) == {
        (ada.pk, "ada@example.com", ""),
        (bob.pk, "", "no_address"),
    }


@pytest.mark.django_db
def test_a_customer_gets_one_message_per_batch() -> None:
    ada = make_customer(email="ada@example.com")
    run = make_run()
    queue.enqueue(run, Customer.objects.filter(pk=ada.pk))
    bob = make_customer(email="bob@example.com")

    assert queue.enqueue(run, Customer.objects.all()) == (2, bob.pk, 1)
    assert run.executions.count() == 2


@pytest.mark.django_db
def test_only_unskipped_messages_wait_for_their_time() -> None:
    make_customer(email="ada@example.com")
    make_customer(email=None)
    run, later = make_run(), timezone.now() + timedelta(hours=3)

    queue.enqueue(run, Customer.objects.all(), not_before=later)

    assert set(run.executions.values_list("state", "next_attempt_at")) == {
        ("pending", later),
        ("skipped", None),
    }
    assert not queue.has_due(run)


@pytest.mark.django_db
def test_variables_of_the_event_are_rendered_from_the_context() -> None:
    make_customer(email="ada@example.com")
    template = make_template(
        subject="Order {{ event.number }} for {{ data.reason }}",
        body="<p>{{ customer.email }}: {{ event.items[0].name | upcase }}</p>",
    )
    run = make_run(make_campaign(template=template))
    context = {"event": {"number": 7, "items": [{"name": "tea"}]}, "data": {"reason": "you"}}

    queue.enqueue(run, Customer.objects.all(), context=context)
    (claimed,) = queue.claim(run, uuid.uuid4())
    message = Composer(batches.plan_of(run)).compose(claimed)

    assert message.subject == "Order 7 for you"
    assert "ada@example.com: TEA" in message.html
    assert CampaignExecution.objects.get().context == context
