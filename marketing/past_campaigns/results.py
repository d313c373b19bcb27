"""The recipients and responses of past campaigns, as messages and interactions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers import identity
from customers.ingest import Outcome, Refused, Result, Source, clean_fields
from customers.models import Interaction
from customers.models.consent import Channel
from customers.timeline import NewInteraction, record_interactions, types
from marketing.events import HOLDOUT_CONVERTED
from marketing.messages import PastMessage, add_past
from marketing.models import Campaign, CampaignExecution, CampaignRun
from marketing.past_campaigns import campaigns
from marketing.past_campaigns.fields import HOLDOUT, RESPONSE
from marketing.past_campaigns.words import OTHER, TYPES
from marketing.tracking import MessageEvent, record

Row = dict[str, Any]
State = CampaignExecution.State

_Known = dict[tuple[int | None, str, str], set[tuple[datetime, str]]]
"""Message, type and word → times and IDs, which may be empty, of the responses that the timeline has."""

EVENT_TYPES = {
    "open": types.MESSAGE_OPENED,
    "click": types.MESSAGE_CLICKED,
    "purchase": types.MESSAGE_CONVERTED,
    "unsubscribe": types.UNSUBSCRIBED,
}

WITHOUT_A_RESULT = {
    "sent": types.MESSAGE_SENT,
    "visit": types.PAGE_VIEWED,
    OTHER: types.CAMPAIGN_RESPONSE,
}
"""Responses that are no result of a message."""
NAMED = ("response", "response_id")
"""The properties of a response on the timeline: its word, where that is no known type, and its ID."""
WITHOUT_A_MESSAGE = {"visit", "purchase"}
"""Responses that customers of the holdout can have, too."""

_SET_VARIANTS = """
    UPDATE marketing_campaignexecution message SET variant = given.variant
    FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS given(run, customer, variant)
    WHERE message.run_id = given.run AND message.customer_id = given.customer AND message.variant <> given.variant
    RETURNING message.run_id, message.customer_id
"""

_HOLDOUT_PURCHASES = """
    UPDATE marketing_campaignexecution message SET
        converted_at = least(message.converted_at, bought.at), revenue = message.revenue + bought.revenue
    FROM (
        SELECT id, min(at) AS at, sum(revenue) AS revenue
        FROM unnest(%s::bigint[], %s::timestamptz[], %s::numeric[]) AS one(id, at, revenue) GROUP BY id
    ) bought WHERE bought.id = message.id
"""


@dataclass(frozen=True)
class _Target:
    """The campaign, run and customer of a result."""

    campaign: Campaign
    run: CampaignRun
    customer: int

    @property
    def key(self) -> tuple[int, int]:
        return self.run.pk, self.customer


@dataclass(frozen=True)
class _Response:
    place: _Target
    execution: CampaignExecution
    row: Row

    @property
    def type(self) -> str:
        return str(self.row["type"])

    @property
    def at(self) -> datetime:
        at: datetime = self.row["occurred_at"]
        return at

    @property
    def revenue(self) -> Decimal | None:
        return self.row.get("revenue")

    @property
    def is_holdout(self) -> bool:
        return self.execution.state == State.SKIPPED

    @property
    def event(self) -> str:
        if self.type in WITHOUT_A_RESULT:
            return WITHOUT_A_RESULT[self.type]
        return HOLDOUT_CONVERTED if self.is_holdout else EVENT_TYPES[self.type]

    @property
    def id(self) -> str:
        return str(self.row.get("response_id", ""))

    @property
    def key(self) -> tuple[int | None, str, str]:
        return self.execution.pk, self.event, str(self.row.get("response", ""))

    def is_among(self, known: _Known) -> bool:
        """Return whether the response is known by its ID or, where one of the two has none, by its time."""
        return any(
            self.id == other if self.id and other else self.at == at
            for at, other in known.get(self.key, ())
        )

    def interaction(self) -> NewInteraction:
        """Return an interaction without a run, which counts as no result of the message."""
        properties = {"channel": self.place.campaign.channel}
        if self.execution.variant:
            properties["variant"] = self.execution.variant
        if self.revenue is not None:
            properties["revenue"] = str(self.revenue)
        properties |= {name: self.row[name] for name in NAMED if self.row.get(name)}
        campaign = self.place.campaign.pk
        return NewInteraction(
            self.place.customer, self.event, self.at, properties, campaign, self.execution.pk
        )


def complete_target(row: Row) -> Row:
    """Return the row. Raises Refused for missing fields."""
    return _complete(row, "campaign_id", "customer_id")


def clean_response(given: Mapping[str, object]) -> Row:
    """Return a row from fields as a source writes them. Raises Refused."""
    return complete_response(clean_fields(given, RESPONSE))


def complete_response(row: Row) -> Row:
    """Return the row, a word that is no type as `response`. Raises Refused for missing fields."""
    _complete(row, "campaign_id", "customer_id", "occurred_at")
    if row.get("type", OTHER) not in (*TYPES, OTHER):
        row |= {"response": row["type"], "type": OTHER}
    return row


def write_responses(rows: Sequence[Row], source: Source) -> list[Result]:
    """Save the responses of a file: purchases if it has no types, and an empty type means that there was no response."""
    missing = "sent" if "type" in source.mapping.values() else "purchase"
    for row in rows:
        row.setdefault("type", missing)
    return record_responses(rows)


def record_targets(rows: Sequence[Row]) -> list[Result]:
    """Save the targets of campaigns; those of the holdout as skipped messages."""
    with transaction.atomic():
        campaigns.lock()
        results, places = _targets_of(rows)
        wanted = {places[at].key: (places[at], rows[at]) for at in places}
        made = _add_executions(list(wanted.values()))
        for at, place in places.items():
            outcome = Outcome.CREATED if place.key in made else Outcome.UNCHANGED
            results[at] = Result(outcome, place.customer)
        changed = _set_variants([wanted[key] for key in wanted if key not in made])
        for at, place in places.items():
            if place.key in changed:
                results[at] = Result(Outcome.UPDATED, place.customer)
    return results


def record_responses(rows: Sequence[Row]) -> list[Result]:
    """Save the responses; a customer who responded becomes a target."""
    with transaction.atomic():
        campaigns.lock()
        results, places = _targets_of(rows)
        first_rows = {places[at].key: (places[at], rows[at]) for at in reversed(list(places))}
        made = _add_executions(list(first_rows.values()))
        executions = _executions(list(places.values()))
        known = _known(places.values(), executions)
        responses: list[_Response] = []
        for at, place in places.items():
            response = _Response(place, executions[place.key], rows[at])
            results[at] = _judge(response, known, is_new_message=place.key in made)
            if results[at].outcome is Outcome.CREATED and response.type != "sent":
                known.setdefault(response.key, set()).add((response.at, response.id))
                responses.append(response)
        _write(responses)
    return results


def _judge(response: _Response, known: _Known, *, is_new_message: bool) -> Result:
    pk = response.execution.pk
    if response.is_holdout and response.type not in WITHOUT_A_MESSAGE:
        return Result(
            Outcome.FAILED, reason=_("The customer was in the holdout group and received nothing.")
        )
    if response.type == "unsubscribe" and response.place.campaign.channel not in Channel.values:
        return Result(
            Outcome.FAILED,
            reason=_("“%s” is no channel that has opt-outs.") % response.place.campaign.channel,
        )
    if response.type == "sent":
        return Result(Outcome.CREATED if is_new_message else Outcome.UNCHANGED, pk)
    return Result(Outcome.UNCHANGED if response.is_among(known) else Outcome.CREATED, pk)


def _write(responses: Sequence[_Response]) -> None:
    ordered = sorted(responses, key=lambda response: response.at)
    record(
        MessageEvent(
            each.execution.pk,
            each.event,
            each.at,
            response_id=each.id,
            revenue=each.revenue,
        )
        for each in ordered
        if each.type in EVENT_TYPES and not each.is_holdout
    )
    apart = [each for each in ordered if each.is_holdout or each.type in WITHOUT_A_RESULT]
    record_interactions([each.interaction() for each in apart])
    bought = [each for each in apart if each.type == "purchase"]
    if bought:
        with connection.cursor() as cursor:
            cursor.execute(
                _HOLDOUT_PURCHASES,
                [
                    [each.execution.pk for each in bought],
                    [each.at for each in bought],
                    [each.revenue or Decimal(0) for each in bought],
                ],
            )


def _targets_of(rows: Sequence[Row]) -> tuple[list[Result], dict[int, _Target]]:
    """Return a failed result with its reason for each row, and the targets of the others by index."""
    found = campaigns.find(row["campaign_id"] for row in rows)
    owned = identity.find(row["customer_id"] for row in rows)
    now = timezone.now()
    runs = {campaign.pk: campaigns.run_of(campaign, now) for campaign in found.values()}
    results = [Result(Outcome.FAILED) for _row in rows]
    places: dict[int, _Target] = {}
    for at, row in enumerate(rows):
        campaign, customer = found.get(row["campaign_id"]), owned.get(row["customer_id"])
        if campaign is None:
            results[at].reason = _("There is no campaign “%s”.") % row["campaign_id"]
        elif customer is None:
            results[at].reason = identity.unknown(row["customer_id"])
        else:
            places[at] = _Target(campaign, runs[campaign.pk], customer)
    return results, places


def _add_executions(wanted: Sequence[tuple[_Target, Row]]) -> set[tuple[int, int]]:
    """Add messages for targets without one, and put them on the timeline; returns their keys."""
    made = add_past(
        PastMessage(
            place.run.pk,
            place.customer,
            row.get("variant", ""),
            row.get("variant", "").lower() == HOLDOUT,
            _sent_at(place, row),
        )
        for place, row in wanted
    )
    by_run = {place.run.pk: place for place, _row in wanted}
    ids = {place.key: _id_of_sent(row) for place, row in wanted}
    record_interactions(
        [
            NewInteraction(
                customer,
                types.MESSAGE_SENT,
                sent_at,
                {"run": run, "channel": by_run[run].campaign.channel, "first": True}
                | ({"variant": variant} if variant else {})
                | ids[run, customer],
                by_run[run].campaign.pk,
                execution,
            )
            for execution, (run, customer, variant, is_holdout, sent_at) in made
            if not is_holdout
        ]
    )
    return {(message.batch_id, message.customer_id) for _pk, message in made}


def _set_variants(wanted: Sequence[tuple[_Target, Row]]) -> set[tuple[int, int]]:
    """Set the given variants of existing messages; returns the keys of those that changed."""
    given = [(place, row["variant"]) for place, row in wanted if row.get("variant")]
    with connection.cursor() as cursor:
        cursor.execute(
            _SET_VARIANTS,
            [
                [place.run.pk for place, _variant in given],
                [place.customer for place, _variant in given],
                [variant for _place, variant in given],
            ],
        )
        return set(cursor.fetchall())


def _executions(places: Sequence[_Target]) -> dict[tuple[int, int], CampaignExecution]:
    rows = CampaignExecution.objects.filter(
        run__in={place.run.pk for place in places},
        customer__in={place.customer for place in places},
    )
    return {(row.run_id, row.customer_id): row for row in rows}


def _known(
    places: Iterable[_Target], executions: Mapping[tuple[int, int], CampaignExecution]
) -> _Known:
    """Return the events of these messages that the timeline has already."""
    known: _Known = {}
    for execution, event, at, properties in Interaction.objects.filter(
        customer__in={place.customer for place in places},
        execution_id__in=[execution.pk for execution in executions.values()],
    ).values_list("execution_id", "type", "occurred_at", "properties"):
        word, name = (str(properties.get(each, "")) for each in NAMED)
        known.setdefault((execution, event, word), set()).add((at, name))
    return known


def _id_of_sent(row: Row) -> dict[str, str]:
    is_named = row.get("type") == "sent" and row.get("response_id")
    return {"response_id": row["response_id"]} if is_named else {}


def _sent_at(place: _Target, row: Row) -> datetime:
    """Return when the message was sent: as in a `sent` row, else with the campaign, but before its response."""
    at: datetime | None = row.get("occurred_at")
    if at and row.get("type") == "sent":
        return at
    started = place.run.started_at or timezone.now()
    return min(at, started) if at else started


def _complete(row: Row, *names: str) -> Row:
    for name in names:
        if not row.get(name):
            raise Refused(_("is missing."), name)
    return row
