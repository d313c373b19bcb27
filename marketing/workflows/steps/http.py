"""Call a webhook outside, and wait for its response."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.api import ids
from crm.events.models import WebhookEndpoint
from marketing.models import WorkflowCall
from marketing.workflows import calls
from marketing.workflows.forms import Setting
from marketing.workflows.passages import Passage
from marketing.workflows.reading import Fields
from marketing.workflows.rendering import rendered, texts_in
from marketing.workflows.steps.base import Step
from marketing.workflows.turn import Turn

SUCCESS, FAILURE = "success", "failure"
LONGEST_TIMEOUT = timedelta(days=7)
MOST_ANSWERS = 20


@dataclass(frozen=True, slots=True)
class Http(Step):
    """Posts `data` to a webhook and keeps parts of the response; a call that fails, or has no response in time, leaves by `failure`."""

    type = "http"
    label = gettext_lazy("Call a webhook")
    icon = "webhook"
    answers = True
    joins = True
    branches = {SUCCESS: gettext_lazy("Success"), FAILURE: gettext_lazy("Failure")}
    form = (
        Setting("webhook", "webhook", gettext_lazy("Webhook")),
        Setting(
            "data",
            "pairs",
            gettext_lazy("Data"),
            gettext_lazy("Texts may be Liquid, such as {{ entry.cart_id }}."),
            optional=True,
        ),
        Setting(
            "answer",
            "pairs",
            gettext_lazy("Keep of the response"),
            gettext_lazy("A name, and its place in the response: code = data.0.code"),
            optional=True,
        ),
        Setting("timeout", "span", gettext_lazy("At most"), optional=True),
    )

    webhook: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    picks: Mapping[str, str] = field(default_factory=dict)
    timeout: timedelta = timedelta(hours=1)

    @classmethod
    def read(cls, key: str, fields: Fields) -> Self:
        """Read `webhook` (name or id), `data` (texts may be Liquid), `answer` (names and places in the response) and `timeout`."""
        timeout = fields.span("timeout") or timedelta(hours=1)
        if timeout > LONGEST_TIMEOUT:
            fields.refuse("timeout", _("Give at most 7 days."))
        return cls(
            key,
            fields.targets(SUCCESS, FAILURE),
            webhook=fields.text("webhook", required=True, longest=100),
            data=fields.mapping("data"),
            picks=_read_picks(fields),
            timeout=timeout,
        )

    def texts(self) -> Iterator[tuple[str, str]]:
        return texts_in(self.data, "data")

    def arrive(self, turn: Turn, passages: Sequence[Passage]) -> None:
        endpoint = find_webhook(self.webhook)
        variables = turn.variables(passages)
        bodies = [(each, rendered(self.data, variables[each.id])) for each in passages]
        if endpoint is None:
            why = {each.id: {"error": _("The webhook was deleted.")} for each in passages}
            self.go(turn, passages, FAILURE, why)
            return
        calls.add(bodies, kind=WorkflowCall.Kind.HTTP, endpoint=endpoint, picks=dict(self.picks))
        turn.hold(passages, turn.now + self.timeout)

    def rehearse(self, turn: Turn, passages: Sequence[Passage]) -> None:
        self.go(turn, passages, SUCCESS)

    def wake(self, turn: Turn, passages: Sequence[Passage]) -> None:
        found = calls.outcomes([each.visit for each in passages])
        late = []
        for each in passages:
            assert each.due_at
            if call := found.get(each.visit):
                known = {"state": call.state, "status": call.response_code}
                turn.answer(each, {**call.answer, **known})
                branch = SUCCESS if call.state == WorkflowCall.State.DONE else FAILURE
                self.go(turn, [each], branch, {each.id: known | {"error": call.error}})
            elif each.due_at <= turn.now:
                late.append(each)
            else:
                turn.hold([each], each.due_at)
        calls.give_up([each.visit for each in late])
        for each in late:
            turn.answer(each, {"state": "timed_out"})
        self.go(turn, late, FAILURE, {each.id: {"state": "timed_out"} for each in late})

    def in_words(self) -> str:
        return self.webhook

    def faults(self) -> Iterator[tuple[str, str]]:
        if find_webhook(self.webhook) is None:
            yield "webhook", _("There is no webhook “%(name)s”.") % {"name": self.webhook}


def find_webhook(name: str) -> WebhookEndpoint | None:
    """Return the webhook of a name or a public id."""
    of_name = WebhookEndpoint.objects.filter(name=name).order_by("pk").first()
    return of_name or WebhookEndpoint.objects.filter(pk=ids.decode("whk", name) or 0).first()


def _read_picks(fields: Fields) -> dict[str, str]:
    given = fields.mapping("answer")
    if len(given) > MOST_ANSWERS or not all(
        name.isidentifier() and name not in ("state", "status") and isinstance(place, str) and place
        for name, place in given.items()
    ):
        fields.refuse(
            "answer",
            _("Give an object of at most 20 names and the places in the response, such as data.0.code."),
        )  # fmt: skip
        return {}
    return {name: str(place) for name, place in given.items()}
