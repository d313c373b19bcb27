"""Send a message, by the campaign of the step, whose policy says who is skipped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.api import ids
from customers.models import Topic
from customers.models.consent import Channel
from marketing import campaigns
from marketing.messages import Visit, why_skipped
from marketing.models import Campaign, CampaignTemplate, Sender, Workflow
from marketing.sending import sender_accounts
from marketing.workflows.forms import Setting
from marketing.workflows.local_time import BEST_HOUR, LocalTime, best_times, read_window
from marketing.workflows.passages import Passage
from marketing.workflows.reading import Fields
from marketing.workflows.steps.base import Step
from marketing.workflows.turn import Turn

SENT, SKIPPED = "sent", "skipped"
CHANNELS = tuple(each for each in Channel.values if each != Channel.SOCIAL)


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant of a message: its name, the name or public id of its template, and its weight."""

    name: str
    template: str
    weight: int


@dataclass(frozen=True, slots=True)
class Send(Step):
    """Sends each customer a message; a skipped one leaves by a branch of its own, where the step has one."""

    type = "send"
    label = gettext_lazy("Send a message")
    answers = True
    icon = "send"
    initial = {"channel": Channel.EMAIL.value}
    joins = True
    branches = {SENT: gettext_lazy("Sent"), SKIPPED: gettext_lazy("Skipped")}
    form = (
        Setting(
            "channel",
            "choice",
            gettext_lazy("Channel"),
            choices={each: Channel(each).label for each in CHANNELS},
        ),
        Setting("template", "template", gettext_lazy("Template")),
        Setting(
            "variants",
            "variants",
            gettext_lazy("Variants"),
            gettext_lazy("Templates to test against each other, instead of the one above."),
            optional=True,
        ),
        Setting("sender", "sender", gettext_lazy("Sender"), optional=True),
        Setting("topic", "topic", gettext_lazy("Topic"), optional=True),
        Setting("reply_to", "text", gettext_lazy("Reply to"), optional=True),
        Setting(
            "send_at",
            "choice",
            gettext_lazy("When"),
            choices={
                "": gettext_lazy("At once"),
                BEST_HOUR: gettext_lazy("At the customer's best hour"),
            },
        ),
        Setting("exempt_from_caps", "flag", gettext_lazy("Exempt from frequency caps")),
        Setting("exempt_from_quiet_hours", "flag", gettext_lazy("Exempt from quiet hours")),
    )

    channel: str = Channel.EMAIL
    template: str = ""
    sender: str = ""
    topic: str = ""
    reply_to: str = ""
    variants: tuple[Variant, ...] = ()
    ignores_caps: bool = False
    ignores_quiet_hours: bool = False
    best_hour: bool = False
    window: LocalTime | None = None

    @classmethod
    def read(cls, key: str, fields: Fields) -> Self:
        """Read channel, template (name or id), what else a campaign can say of its message, and `send_at` with its `window`."""
        best_hour = fields.text("send_at", choices=(BEST_HOUR,)) == BEST_HOUR
        if "window" in fields and not best_hour:
            fields.refuse("window", _("A window belongs to send_at."))
        variants = tuple(_read_variant(each) for each in fields.listed("variants"))
        return cls(
            key,
            fields.targets(SENT, SKIPPED),
            channel=fields.text("channel", default=Channel.EMAIL, choices=CHANNELS),
            template=fields.text("template", required=not variants, longest=200),
            sender=fields.text("sender", longest=200),
            topic=fields.text("topic", longest=100),
            reply_to=fields.text("reply_to", longest=254),
            variants=variants,
            ignores_caps=fields.flag("exempt_from_caps"),
            ignores_quiet_hours=fields.flag("exempt_from_quiet_hours"),
            best_hour=best_hour,
            window=read_window(fields.inner("window")),
        )

    def arrive(self, turn: Turn, passages: Sequence[Passage]) -> None:
        if self.best_hour:
            customers = {each.customer_id for each in passages}
            times = best_times(customers, self.window, turn.now, turn.workflow.timezone)
            for each in passages:
                each.due_at = times.get(each.customer_id)
        self.wake(turn, passages)

    def wake(self, turn: Turn, passages: Sequence[Passage]) -> None:
        ready = []
        for each in passages:
            if each.due_at and each.due_at > turn.now:
                turn.hold([each], each.due_at)
            else:
                ready.append(each)
        if ready:
            self._send(turn, ready)

    def _send(self, turn: Turn, passages: Sequence[Passage]) -> None:
        if turn.rehearses:
            customers = {each.customer_id for each in passages}
            known = why_skipped(self.channel, self.topic, customers)
            skipped = {each.id: known.get(each.customer_id, "") for each in passages}
        else:
            contexts = turn.contexts(passages)
            visits = [Visit(each.customer_id, each.visit, contexts[each.id]) for each in passages]
            reasons = campaigns.feed(turn.campaign_of(passages[0]), visits)
            skipped = {each.id: reasons.get(each.visit, "") for each in passages}
        self.go(turn, [each for each in passages if not skipped[each.id]], SENT)
        why = {pk: {"skip_reason": reason} for pk, reason in skipped.items() if reason}
        self.go(turn, [each for each in passages if skipped[each.id]], SKIPPED, why)

    def templates(self) -> Iterator[tuple[str, CampaignTemplate]]:
        for path, name in self._named_templates():
            if template := find_template(name):
                yield path, template

    def in_words(self) -> str:
        templates = [each.template for each in self.variants] or [self.template]
        words = f"{Channel(self.channel).label}: {', '.join(templates)}"
        return _("%(message)s, at the best hour") % {"message": words} if self.best_hour else words

    def faults(self) -> Iterator[tuple[str, str]]:
        for path, name in self._named_templates():
            template = find_template(name)
            if template is None:
                yield path, _("There is no template “%(name)s”.") % {"name": name}
            elif template.channel != self.channel:
                yield (
                    path,
                    _("It is a template for %(channel)s.")
                    % {"channel": template.get_channel_display()},
                )
        if self.topic and not Topic.objects.filter(slug=self.topic).exists():
            yield "topic", _("There is no topic “%(name)s”.") % {"name": self.topic}
        if self.sender:
            sender = find_sender(self.sender)
            if sender is None or sender.channel != self.channel:
                yield (
                    "sender",
                    _("There is no sender “%(name)s” for the channel.") % {"name": self.sender},
                )
        else:
            try:
                sender_accounts.sender_for(self.channel)
            except sender_accounts.NoSender as error:
                yield "sender", str(error)

    def _named_templates(self) -> Iterator[tuple[str, str]]:
        if self.template:
            yield "template", self.template
        for place, each in enumerate(self.variants):
            yield f"variants[{place}].template", each.template

    def campaign(self, workflow: Workflow, existing: Campaign | None) -> Campaign:
        """Return the campaign of this step with its settings, unsaved; the existing one keeps its figures."""
        found = existing or Campaign()
        found.name = f"{workflow.name}: {self.key}"[:200]
        found.channel = self.channel
        template = find_template(self.template or self.variants[0].template)
        assert template
        found.template = template
        sender = find_sender(self.sender) if self.sender else None
        found.sender = sender or sender_accounts.sender_for(self.channel)
        found.topic = Topic.objects.filter(slug=self.topic).first() if self.topic else None
        found.reply_to, found.timezone = self.reply_to, workflow.timezone
        found.exempt_from_caps = self.ignores_caps
        found.exempt_from_quiet_hours = self.ignores_quiet_hours
        return found

    def campaign_variants(self) -> list[Mapping[str, Any]]:
        """Return the variants of the campaign, as campaigns.set_variants takes them."""
        return [
            {"name": each.name, "template": find_template(each.template), "weight": each.weight}
            for each in self.variants
        ]


def find_template(name: str) -> CampaignTemplate | None:
    """Return the template of a name or a public id."""
    of_name = CampaignTemplate.objects.filter(name=name).first()
    return of_name or CampaignTemplate.objects.filter(pk=ids.decode("tpl", name) or 0).first()


def find_sender(name: str) -> Sender | None:
    """Return the sender of a name or a public id."""
    of_name = Sender.objects.filter(name=name).first()
    return of_name or Sender.objects.filter(pk=ids.decode("snd", name) or 0).first()


def _read_variant(fields: Fields) -> Variant:
    found = Variant(
        fields.text("name", required=True, longest=100),
        fields.text("template", required=True, longest=200),
        int(fields.number("weight", low=1, high=1_000, default=1) or 1),
    )
    fields.done()
    return found
