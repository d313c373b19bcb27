"""Walk one customer through a definition at once: each move with its reason, each message as it would be. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.models import Customer, Interaction
from marketing.content import NO_TRACKING, ContentError, Renderer, customer_context
from marketing.models import Enrollment, EnrollmentEvent, Workflow
from marketing.workflows import rehearsal
from marketing.workflows.checks import check
from marketing.workflows.definition import Definition
from marketing.workflows.entries import Entrant
from marketing.workflows.steps.send import SENT, Send

INVENTED = -1
"""The key of an invented customer."""
SHORTEST_WALK = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a walk, or why it cannot be rendered."""

    step: str
    channel: str
    subject: str = ""
    text: str = ""
    html: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Walk:
    """The moves of a passage, its messages in their order, and its state in the end."""

    path: list[EnrollmentEvent] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    state: str = ""
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """An event that would happen some time after entering."""

    event: str
    after: timedelta
    properties: Mapping[str, Any] = field(default_factory=dict)


def walk(
    workflow: Workflow,
    customer: Customer,
    *,
    context: Mapping[str, Any] | None = None,
    happening: Sequence[WhatIf] = (),
) -> Walk:
    """Take a customer, stored or invented (unsaved), through the draft from now on. Raises DefinitionError.

    The audience counts, re-entry does not. Without `happening`, waits for events time out.
    """
    now = timezone.now()
    with transaction.atomic():
        definition = check(workflow.draft, workflow)
        rehearsal.shadow()
        customer_id = customer.pk or INVENTED
        if customer.pk is None:
            _shadow_customer(customer)
        _add_events(customer_id, happening, now)
        found = _walk(workflow, definition, customer_id, dict(context or {}), now)
        transaction.set_rollback(True)
    return found


def _shadow_customer(customer: Customer) -> None:
    """Let an invented customer be the only one in this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE customers_customer (LIKE public.customers_customer INCLUDING DEFAULTS INCLUDING GENERATED)"
        )
    customer.pk = INVENTED
    Customer.objects.bulk_create([customer])


def _add_events(customer_id: int, happening: Sequence[WhatIf], now: datetime) -> None:
    """Let events happen in this transaction alone, after those of the timeline."""
    if not happening:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DROP VIEW pg_temp.customers_interaction;
            CREATE TEMPORARY TABLE walked_interaction (LIKE public.customers_interaction INCLUDING DEFAULTS INCLUDING IDENTITY);
            """
        )
        cursor.execute(
            "INSERT INTO walked_interaction SELECT * FROM public.customers_interaction WHERE customer_id = %s",
            [customer_id],
        )
        cursor.execute("ALTER TABLE walked_interaction RENAME TO customers_interaction")
    Interaction.objects.bulk_create(
        Interaction(
            pk=-place,
            customer_id=customer_id,
            type=each.event,
            occurred_at=now + max(each.after, SHORTEST_WALK),
            properties=dict(each.properties),
        )
        for place, each in enumerate(happening, 1)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            ALTER TABLE customers_interaction RENAME TO walked_interaction;
            CREATE TEMPORARY VIEW customers_interaction AS SELECT * FROM walked_interaction
            WHERE occurred_at <= current_setting('{rehearsal.CLOCK}')::timestamptz
            """
        )


def _walk(
    workflow: Workflow,
    definition: Definition,
    customer_id: int,
    context: dict[str, Any],
    now: datetime,
) -> Walk:
    rehearsal.run(workflow, definition, [Entrant(customer_id, now, context=context)])
    passage = Enrollment.objects.first()
    if passage is None:
        return Walk(why_not=_("The customer does not match the audience, or was erased."))
    path = list(EnrollmentEvent.objects.order_by("pk"))
    person = customer_context(Customer.objects.get(pk=customer_id))
    variables = {**person, "entry": context, "steps": {}}
    messages = [
        _message(step, variables)
        for each in path
        if each.kind == EnrollmentEvent.Kind.LEFT
        and each.branch == SENT
        and isinstance(step := definition.steps[each.step], Send)
    ]
    return Walk(path, messages, passage.state)


def _message(step: Send, variables: Mapping[str, Any]) -> Message:
    """Return the message of a step; of several variants the first."""
    _path, template = next(iter(step.templates()))
    try:
        rendered = Renderer(template, campaign_name=step.key).render(variables, NO_TRACKING)
    except ContentError as error:
        return Message(step.key, step.channel, error=str(error))
    return Message(step.key, step.channel, rendered.subject, rendered.text, rendered.html)
