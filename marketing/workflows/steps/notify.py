"""Notify staff by e-mail, with a link to the customer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.accounts.models import User
from marketing.content import render_text
from marketing.models import WorkflowCall
from marketing.workflows import calls
from marketing.workflows.forms import Setting
from marketing.workflows.passages import Passage
from marketing.workflows.reading import Fields
from marketing.workflows.steps.base import Action
from marketing.workflows.turn import Turn

LONGEST_SUBJECT = 200
LONGEST_TEXT = 5_000


@dataclass(frozen=True, slots=True)
class Notify(Action):
    """Sends users of this site an e-mail about each customer."""

    type = "notify"
    label = gettext_lazy("Notify staff")
    icon = "contact_mail"
    form = (
        Setting("to", "tags", gettext_lazy("To"), gettext_lazy("E-mail addresses of users")),
        Setting("subject", "text", gettext_lazy("Subject")),
        Setting(
            "text",
            "long_text",
            gettext_lazy("Text"),
            gettext_lazy("May be Liquid. A link to the customer is added."),
        ),
    )

    to: tuple[str, ...] = ()
    subject: str = ""
    text: str = ""

    @classmethod
    def read(cls, key: str, fields: Fields) -> Self:
        """Read `to` (e-mails of users), `subject` and `text`, which may be Liquid."""
        to = fields.raw("to")
        if not isinstance(to, list) or not to or not all(isinstance(each, str) for each in to):
            fields.refuse("to", _("Give a list of e-mail addresses of users of this site."))
            to = []
        return cls(
            key,
            fields.targets("", main=""),
            to=tuple(each.strip().lower() for each in to),
            subject=fields.text("subject", required=True, longest=LONGEST_SUBJECT),
            text=fields.text("text", required=True, longest=LONGEST_TEXT),
        )

    def texts(self) -> Iterator[tuple[str, str]]:
        yield "subject", self.subject
        yield "text", self.text

    def arrive(self, turn: Turn, passages: Sequence[Passage]) -> None:
        variables = turn.variables(passages)
        bodies = [
            (
                each,
                {
                    "to": list(self.to),
                    "subject": " ".join(render_text(self.subject, variables[each.id]).split()),
                    "text": render_text(self.text, variables[each.id]),
                },
            )
            for each in passages
        ]
        calls.add(bodies, kind=WorkflowCall.Kind.NOTIFY)
        self.go(turn, passages)

    def in_words(self) -> str:
        return ", ".join(self.to)

    def faults(self) -> Iterator[tuple[str, str]]:
        staff = User.objects.filter(is_staff=True, is_active=True, email__in=self.to)
        for address in sorted({*self.to} - {*staff.values_list("email", flat=True)}):
            yield "to", _("%(address)s is no active user of this site.") % {"address": address}
