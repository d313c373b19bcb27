"""A campaign in the API: its fields, other spellings of them, and what each change causes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.db import transaction
from django.utils.timezone import is_naive
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm.accounts.current_user import user_of
from crm.accounts.models import User
from crm.api.fields import PublicId
from crm.api.problems import Conflict
from customers.api.segment_serializers import RulesField
from customers.models.consent import Channel, Topic
from customers.segments import RuleError, validate_rules
from marketing import campaigns
from marketing.api.campaign_parts import (
    CampaignTrigger,
    Goal,
    Utm,
    Variant,
    Winner,
    check_variants,
    complete_test,
    match_trigger_to_type,
)
from marketing.api.fields import MessageField, Reference, SegmentReference
from marketing.content import make_template
from marketing.models import Campaign, CampaignTemplate, Sender
from marketing.schedule import describe_schedule, next_runs, schedule_errors, wall_clock
from marketing.sending import sender_accounts

State = Campaign.State

ALIASES = {"segmentRules": "rules", "target_segment": "segments", "trigger_event": "trigger"}
ALWAYS_EDITABLE = frozenset({"name", "description", "tags"})
SCHEDULE = frozenset(
    {
        "type", "scheduled_at", "timezone", "local_time", "frequency", "interval", "weekdays",
        "day_of_month", "ends_at", "max_runs",
    }
)  # fmt: skip
NEVER_NULL = frozenset({"type", "frequency", "interval", "weekdays"})
"""Fields in which null means that they are not given."""
API_NAMES = {"scheduled_at": "schedule_time"}
MANY_TO_MANY = ("segments", "exclude_segments")


class ScheduleTime(serializers.DateTimeField):
    """A time with or without offset; without, it is in the campaign's time zone."""

    def enforce_timezone(self, value: datetime) -> datetime:
        return value


class Weekday(serializers.ChoiceField):
    """A weekday by the first three letters of its English name; longer names and capitals are accepted."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=Campaign.Weekday.choices, **options)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(
            data.strip().lower()[:3] if isinstance(data, str) else data
        )


class CampaignSerializer(serializers.ModelSerializer[Campaign]):
    id = PublicId("cmp")
    status = serializers.ChoiceField(choices=State.choices, source="state", read_only=True)
    type = serializers.ChoiceField(
        choices=Campaign.Type.choices,
        default=Campaign.Type.ONE_TIME,
    )
    sender = Reference(
        "snd",
        queryset=Sender.objects.all(),
        required=False,
        help_text=gettext_lazy("ID or name; by default the default sender of the channel."),
    )
    template = Reference(
        "tpl",
        queryset=CampaignTemplate.objects.all(),
        required=False,
        help_text=gettext_lazy("ID or name of a template; or give a message instead."),
    )
    message = MessageField()
    topic = serializers.SlugRelatedField(
        slug_field="slug",
        queryset=Topic.objects.all(),
        required=False,
        allow_null=True,
        help_text=gettext_lazy("Slug; customers who opted out of the topic are skipped."),
    )
    segments = SegmentReference(many=True, required=False)
    exclude_segments = SegmentReference(many=True, required=False)
    rules = RulesField(
        required=False,
        allow_null=True,
        help_text=Campaign._meta.get_field("rules").help_text,
    )
    schedule_time = ScheduleTime(source="scheduled_at", required=False, allow_null=True)
    weekdays = serializers.ListField(
        child=Weekday(),
        required=False,
        help_text=gettext_lazy("For weekly campaigns; by default the weekday of schedule_time."),
    )
    ends_at = ScheduleTime(required=False, allow_null=True)
    trigger = CampaignTrigger(source="*", required=False, allow_null=True)
    next_runs = serializers.SerializerMethodField(
        help_text=gettext_lazy("The next five runs, or as many as there are.")
    )
    schedule_in_words = serializers.SerializerMethodField()
    goal = Goal(source="*", required=False)
    utm = Utm(source="*", required=False)
    variants = Variant(many=True, required=False)
    winner = Winner(source="*", required=False)
    simulated = serializers.BooleanField(source="sender.simulated", read_only=True)
    approved_by = serializers.CharField(read_only=True, allow_null=True, help_text="By e-mail.")

    class Meta:
        model = Campaign
        fields: ClassVar[list[str]] = [
            "id", "name", "description", "status", "type", "channel", "sender", "simulated",
            "template", "message", "topic", "segments", "exclude_segments", "rules", "schedule_time",
            "timezone", "local_time", "frequency", "interval", "weekdays", "day_of_month", "ends_at",
            "max_runs", "next_runs", "schedule_in_words", "trigger", "reply_to", "budget", "cost_per_message", "hourly_limit", "holdout",
            "send_once_key", "exempt_from_caps", "exempt_from_quiet_hours", "variants", "test_share",
            "winner", "goal", "utm", "tags", "created_at", "updated_at", "launched_at",
            "completed_at", "approved_by", "approved_at",
        ]  # fmt: skip
        read_only_fields: ClassVar[list[str]] = [
            "created_at",
            "launched_at",
            "completed_at",
            "approved_at",
        ]
        extra_kwargs: ClassVar[dict[str, dict[str, Any]]] = {
            "channel": {
                "required": False,
                "help_text": gettext_lazy("By default that of the sender or template, or e-mail."),
            },
            "holdout": {"source": "holdout_percent", "coerce_to_string": False},
        }

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(_standardized(data))

    def validate_type(self, kind: str) -> str:
        if kind == Campaign.Type.WORKFLOW:
            raise serializers.ValidationError(_("Publishing a workflow makes its campaigns."))
        return kind

    def validate_timezone(self, zone: str) -> str:
        if zone not in available_timezones():
            raise serializers.ValidationError(_("Enter a time zone, such as Europe/Berlin."))
        return zone

    @extend_schema_field(serializers.ListField(child=serializers.DateTimeField()))
    def get_next_runs(self, campaign: Campaign) -> list[str]:
        zone = ZoneInfo(campaign.timezone)
        return [each.astimezone(zone).isoformat() for each in next_runs(campaign)]

    def get_schedule_in_words(self, campaign: Campaign) -> str:
        return describe_schedule(campaign)

    def validate_rules(self, rules: Any) -> Any:
        if rules is not None:
            try:
                validate_rules(rules)
            except RuleError as error:
                raise serializers.ValidationError(
                    {each["path"]: [each["message"]] for each in error.errors}
                ) from error
        return rules

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "template" in attrs and "message" in attrs:
            raise serializers.ValidationError(
                {"message": _("Give either a template or a message.")}
            )
        check_variants(attrs.get("variants", ()))
        complete_test(attrs, self.instance)
        match_trigger_to_type(attrs, self.instance)
        if (
            not self.partial
            and not {"template", "message"} & set(attrs)
            and not attrs.get("variants")
        ):
            raise serializers.ValidationError({"template": _("Give a template or a message.")})
        self._match_channels(attrs)
        self._localize(attrs)
        known = {name: getattr(self.instance, name) for name in SCHEDULE if self.instance}
        if errors := schedule_errors({**known, **attrs}):
            errors = {API_NAMES.get(name, name): message for name, message in errors.items()}
            raise serializers.ValidationError(errors)
        return attrs

    def _match_channels(self, attrs: dict[str, Any]) -> None:
        """Complete the channel and the sender. Raises ValidationError unless campaign, sender and template have one channel."""
        sender = attrs.get("sender") or (self.instance.sender if self.instance else None)
        template = attrs.get("template") or (self.instance.template if self.instance else None)
        if "channel" not in attrs and ("sender" in attrs or self.instance is None):
            named = [each for each in (sender, template) if each]
            attrs["channel"] = named[0].channel if named else Channel.EMAIL
        channel = attrs.get("channel") or self.instance.channel  # type: ignore[union-attr]
        if sender is None:
            try:
                sender = attrs["sender"] = sender_accounts.sender_for(channel)
            except sender_accounts.NoSender as error:
                raise serializers.ValidationError({"sender": str(error)}) from error
        for name, other in (("sender", sender), ("template", template)):
            if (
                other
                and other.channel != channel
                and not (name == "template" and "message" in attrs)
            ):
                raise serializers.ValidationError(
                    {
                        name: _("Choose one of the campaign's channel, not %s.")
                        % Channel(other.channel).label
                    }
                )

    def _localize(self, attrs: dict[str, Any]) -> None:
        """Read times without offset in the campaign's time zone."""
        known = self.instance.timezone if self.instance else settings.TIME_ZONE
        zone = attrs.get("timezone", known)
        for name in ("scheduled_at", "ends_at"):
            clock = attrs.get(name)
            if clock and is_naive(clock):
                attrs[name] = wall_clock.at(clock, zone)
            if name == "scheduled_at" and clock:
                attrs["clock_time"] = wall_clock.skipped(clock, zone) if is_naive(clock) else None

    @transaction.atomic
    def create(self, validated_data: dict[str, Any]) -> Campaign:
        """Create a draft, and schedule it where a time is given. Raises NotReady for one that could not be sent."""
        many = {name: validated_data.pop(name) for name in MANY_TO_MANY if name in validated_data}
        at = validated_data.pop("scheduled_at", None)
        variants = self._made_variants(
            validated_data, validated_data["name"], validated_data["channel"]
        )
        self._make_template(validated_data, validated_data["name"], validated_data["channel"])
        if variants:
            validated_data.setdefault("template", variants[0]["template"])
        validated_data.setdefault("timezone", settings.TIME_ZONE)
        campaign = campaigns.create(Campaign(**validated_data), by=self._by)
        self._set_many(campaign, many)
        campaigns.set_variants(campaign, variants or ())
        if at:
            self._schedule(campaign, at)
        return campaign

    @transaction.atomic
    def update(self, instance: Campaign, validated_data: dict[str, Any]) -> Campaign:
        """Save the changes. Raises Conflict for fields that a launched campaign keeps, NotReady as create() does."""
        self._refuse_changes_after_launch(instance, validated_data)
        many = {name: validated_data.pop(name) for name in MANY_TO_MANY if name in validated_data}
        time_given, at = "scheduled_at" in validated_data, validated_data.pop("scheduled_at", None)
        channel = validated_data.get("channel", instance.channel)
        variants = self._made_variants(validated_data, instance.name, channel)
        self._make_template(validated_data, validated_data.get("name", instance.name), channel)
        for name, value in validated_data.items():
            setattr(instance, name, value)
        instance.save(update_fields=[*validated_data, "updated_at"])
        self._set_many(instance, many)
        if variants is not None:
            campaigns.set_variants(instance, variants)
        if {*many, *validated_data} - ALWAYS_EDITABLE or variants is not None:
            campaigns.note_change(instance, by=self._by)
        if time_given:
            self._set_time(instance, at)
        elif instance.state == State.SCHEDULED and SCHEDULE & set(validated_data):
            self._schedule(instance, instance.scheduled_at)
        return instance

    def _refuse_changes_after_launch(self, campaign: Campaign, wanted: dict[str, Any]) -> None:
        if campaign.is_editable:
            return
        changed = [
            name
            for name, value in wanted.items()
            if name not in ALWAYS_EDITABLE and _differs(campaign, name, value)
        ]
        if changed:
            raise Conflict(
                _("The %(fields)s of a campaign that is %(state)s cannot be changed.")
                % {
                    "state": campaign.get_state_display().lower(),
                    "fields": ", ".join(sorted(changed)),
                }
            )

    def _set_time(self, campaign: Campaign, at: datetime | None) -> None:
        """Schedule or reschedule the campaign, or clear the time of a draft."""
        if at is None and campaign.state == State.SCHEDULED:
            raise campaigns.NotReady(_("Give another time, or cancel the scheduled campaign."))
        if at is None:
            Campaign.objects.filter(pk=campaign.pk, state=State.DRAFT).update(scheduled_at=None)
            campaign.refresh_from_db(fields=["scheduled_at"])
        elif campaign.is_editable and (
            campaign.state == State.DRAFT or at != campaign.scheduled_at
        ):
            self._schedule(campaign, at)

    @property
    def _by(self) -> User | None:
        request = self.context.get("request")
        return user_of(request) if request else None

    def _schedule(self, campaign: Campaign, at: datetime | None) -> None:
        assert at is not None
        campaigns.schedule_launch(campaign, at=at, by=self._by)

    def _make_template(self, wanted: dict[str, Any], subject: str, channel: str) -> None:
        if message := wanted.pop("message", None):
            wanted["template"] = make_template(message, subject=subject, channel=channel)

    def _made_variants(
        self, wanted: dict[str, Any], subject: str, channel: str
    ) -> list[dict[str, Any]] | None:
        """Return the variants with a template each; None where they are not given."""
        if "variants" not in wanted:
            return None
        variants = wanted.pop("variants")
        for variant in variants:
            self._make_template(variant, variant.pop("subject", subject), channel)
        return variants

    def _set_many(self, campaign: Campaign, many: dict[str, Any]) -> None:
        for name, segments in many.items():
            getattr(campaign, name).set(segments)


def _differs(campaign: Campaign, name: str, value: Any) -> bool:
    if name in MANY_TO_MANY:
        return set(getattr(campaign, name).all()) != set(value)
    if name == "variants":
        given = [(each["name"], each.get("weight", 1), each.get("template")) for each in value]
        return given != [
            (each.name, each.weight, each.template) for each in campaign.variants.all()
        ]
    return name == "message" or getattr(campaign, name) != value


def _standardized(data: Any) -> Any:
    """Return the data with other spellings of fields replaced."""
    if not isinstance(data, dict):
        return data
    words = {
        ALIASES.get(name, name): value
        for name, value in data.items()
        if not (name in NEVER_NULL and value is None)
    }
    if words.get("frequency"):
        words.setdefault("type", Campaign.Type.RECURRING)
    if words.get("trigger"):
        words.setdefault("type", Campaign.Type.TRIGGERED)
    elif words.get("trigger", "") is None:
        del words["trigger"]
    if isinstance(words.get("segments"), str):
        words["segments"] = [words["segments"]]
    if words.get("winner", {}) is None:
        words["winner"] = {"by": ""}
    return words
