"""The approval of a campaign by a second user: what it covers, and what has changed since.

An approval stores a fingerprint of everything that decides which customers receive which message, from which sender, when, and within
which limits. Every launch compares the fingerprints again: a change voids the approval whatever way it came in, and the launch names it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm import credentials
from crm.accounts import audit
from crm.accounts.models import User
from customers.models import Segment, SegmentMembership
from customers.segments import slugs_in
from marketing.campaigns.audience import customers_of, refresh_segments_of
from marketing.campaigns.states import NotApproved
from marketing.content import UtmTags, snippets_in
from marketing.models import Campaign, FrequencyRule, QuietHours

APPROVE_PERMISSION = "marketing.approve_campaign"
APPROVAL_FIELDS = ("approved_by", "approved_at", "approval")
MOST_NAMED = 5


class Part(models.TextChoices):
    """The parts of an approval, as a refused launch names them."""

    AUDIENCE = "audience", gettext_lazy("audience's %s")
    CONTENT = "content", gettext_lazy("content's %s")
    SENDER = "sender", gettext_lazy("sender's %s")
    POLICY = "policy", gettext_lazy("policy's %s")
    SCHEDULE = "schedule", gettext_lazy("schedule's %s")


CAMPAIGN_FIELDS: Mapping[Part, tuple[str, ...]] = {
    Part.AUDIENCE: ("rules", "topic", "trigger_event", "trigger_where", "trigger_again_days"),
    Part.CONTENT: (
        *("template", "reply_to", "utm_source", "utm_medium", "utm_campaign", "test_share"),
        *("winner_by", "winner_metric", "winner_after_hours", "winner_confidence"),
        *("goal_kind", "goal_event", "goal_value", "goal_window_days"),
    ),
    Part.SENDER: ("channel", "sender"),
    Part.POLICY: (
        *("budget", "cost_per_message", "hourly_limit", "holdout_percent", "send_once_key"),
        *("exempt_from_caps", "exempt_from_quiet_hours"),
    ),
    Part.SCHEDULE: (
        *("type", "scheduled_at", "clock_time", "timezone", "local_time", "frequency", "interval"),
        *("weekdays", "day_of_month", "ends_at", "max_runs", "trigger_delay_minutes"),
    ),
}
"""The fields of a campaign that an approval covers; `segments` and `exclude_segments` are covered with each segment."""

TEMPLATE_FIELDS = (
    *("channel", "subject", "preheader", "body_format", "body", "plain_text", "link"),
)
SENDER_FIELDS = ("channel", "provider", "from_name", "from_address", "reply_to", "settings")
SNIPPET_FIELDS = ("name", "body")
SEGMENT_FIELDS = ("kind", "slug", "rules")
TRIGGER_FIELDS = ("event", "where", "action", "is_active")
CAP_FIELDS = ("channel", "messages", "days", "active")
QUIET_FIELDS = ("channel", "starts_at", "ends_at", "active")
VARIANT_FIELDS = ("name", "template", "weight")

LABELS: Mapping[str, Any] = {
    "segment": gettext_lazy("segment “%s”"),
    "variant": gettext_lazy("variant “%s”"),
    "template": gettext_lazy("template “%s”"),
    "snippet": gettext_lazy("snippet “%s”"),
    "sender": gettext_lazy("account “%s”"),
    "cap": gettext_lazy("frequency cap “%s”"),
    "quiet": gettext_lazy("quiet hours “%s”"),
}
"""The label of an item by its kind; a field has its own."""

AUDITED = {
    "segment": "customers.segment",
    "variant": "marketing.campaignvariant",
    "template": "marketing.campaigntemplate",
    "snippet": "marketing.snippet",
    "sender": "marketing.sender",
    "cap": "marketing.frequencyrule",
    "quiet": "marketing.quiethours",
}
"""The kind of an item in the audit trail."""


@dataclass(frozen=True, slots=True)
class Item:
    """A field or object that an approval covers; `value` is what decides about it."""

    part: Part
    kind: str
    key: object
    name: str
    value: object

    @property
    def identity(self) -> str:
        return f"{self.kind}:{self.key}"


def fingerprint(value: object) -> str:
    """Return the SHA-256 of a value as canonical JSON: sorted keys, no spaces."""
    text = json.dumps(
        value, cls=DjangoJSONEncoder, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


def items_of(campaign: Campaign) -> list[Item]:
    """Return everything that an approval of the campaign covers, as the database has it now."""
    campaign = Campaign.objects.select_related("sender", "template", "topic").get(pk=campaign.pk)
    return [
        *_fields(campaign),
        *_segments(campaign),
        *_content(campaign),
        *_account(campaign),
        *_limits(campaign),
    ]


def overall_fingerprint(campaign: Campaign) -> str:
    """Return the fingerprint of all items, by which an approver names what they saw."""
    return _overall(items_of(campaign))


def why_not_approve(campaign: Campaign, user: User) -> str:
    """Return why the user may not approve the campaign: no permission, or an edit of their own; else an empty string."""
    if not user.has_perm(APPROVE_PERMISSION):
        return _("You do not have the permission to approve campaigns.")
    if user.pk in {campaign.created_by_id, campaign.changed_by_id} or _has_edited(user, campaign):
        return _("You cannot approve a campaign that you wrote: ask another user.")
    return ""


def may_approve(campaign: Campaign, user: User) -> bool:
    return not why_not_approve(campaign, user)


def approve(campaign: Campaign, *, by: User, seen: str = "") -> Campaign:
    """Approve a campaign as it is now, or as its overall fingerprint `seen` says.

    Raises PermissionDenied for its author, its last editors and users without the permission, and NotApproved where it has changed since
    it was seen.
    """
    refresh_segments_of(campaign)
    with transaction.atomic():
        # An edit locks the row too: it is either part of what is approved, or voids the approval.
        locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
        if reason := why_not_approve(locked, by):
            raise PermissionDenied(reason)
        items = items_of(locked)
        if seen and seen != _overall(items):
            raise NotApproved(
                _("The campaign has changed since you opened it: look at it again, then approve.")
            )
        campaign.approved_by, campaign.approved_at = by, timezone.now()
        campaign.approval = {
            "by": str(by),
            "at": campaign.approved_at.isoformat(),
            "audience": _audience(locked),
            "items": {
                item.identity: [item.part.value, item.name, fingerprint(item.value)]
                for item in items
            },
        }
        campaign.save(update_fields=[*APPROVAL_FIELDS, "updated_at"])
    return campaign


def note_change(campaign: Campaign, *, by: User | None) -> None:
    """Set the campaign's last editor, and revoke its approval."""
    campaign.changed_by = by
    campaign.approved_by = campaign.approved_at = None
    campaign.save(update_fields=["changed_by", "approved_by", "approved_at"])


def missing(campaign: Campaign, *, by_hand: bool = False) -> str:
    """Return why the approval does not cover the campaign as it is now; else an empty string.

    An approval without a start leaves it to the launch. With one, a start `by_hand` is another.
    """
    given = campaign.approval
    if not given:
        return _("The campaign needs the approval of a user other than its author.")
    changed = differences(campaign)
    if by_hand and not changed and _has_start(given):
        changed = {Part.SCHEDULE: [_label("field", "scheduled_at")]}
    approval = {"who": given["by"], "when": _when(given)}
    if changed:
        return _(
            "The %(items)s changed since %(who)s approved on %(when)s: have the campaign approved again."
        ) % {"items": _named(changed), **approval}
    if campaign.approved_at is None:
        return (
            _("The campaign was edited since %(who)s approved on %(when)s: have it approved again.")
            % approval
        )
    return _audience_changed(campaign)


def differences(campaign: Campaign) -> dict[Part, list[str]]:
    """Return the labels of what differs from the approval, by part."""
    now = {item.identity: item for item in items_of(campaign)}
    then: dict[str, list[str]] = campaign.approval.get("items", {})
    found: dict[Part, list[str]] = {}
    for identity in sorted({*now, *then}):
        item, (part, name, digest) = now.get(identity), then.get(identity, ("", "", ""))
        if item and (digest == fingerprint(item.value) or _is_open(item, then)):
            continue
        label = _label(identity.partition(":")[0], item.name if item else name)
        found.setdefault(item.part if item else Part(part), []).append(label)
    return {part: found[part] for part in Part if part in found}


def _overall(items: Iterable[Item]) -> str:
    return fingerprint({item.identity: item.value for item in items})


def _fields(campaign: Campaign) -> Iterator[Item]:
    for part, names in CAMPAIGN_FIELDS.items():
        for name in names:
            (value,) = _values(campaign, [name])
            yield Item(part, "field", name, name, sorted(value) if name == "weekdays" else value)


def _segments(campaign: Campaign) -> Iterator[Item]:
    """Yield the segments that the campaign uses, and those that their rules name."""
    included = {segment.pk for segment in campaign.segments.all()}
    excluded = {segment.pk for segment in campaign.exclude_segments.all()}
    for segment in _used_segments(campaign):
        triggers = [_values(each, TRIGGER_FIELDS) for each in segment.triggers.order_by("pk")]
        role = [segment.pk in included, segment.pk in excluded]
        value = [*role, *_values(segment, SEGMENT_FIELDS), triggers]
        yield Item(Part.AUDIENCE, "segment", segment.pk, segment.name, value)


def _used_segments(campaign: Campaign) -> list[Segment]:
    found = {
        segment.slug: segment
        for segment in (*campaign.segments.all(), *campaign.exclude_segments.all())
    }
    wanted = slugs_in(campaign.rules) if campaign.rules else set()
    for segment in found.values():
        wanted |= slugs_in(segment.rules)
    while missing_slugs := wanted - found.keys():
        named = list(Segment.objects.filter(slug__in=missing_slugs))
        if not named:
            break
        found |= {segment.slug: segment for segment in named}
        wanted = set().union(*(slugs_in(segment.rules) for segment in named))
    return sorted(found.values(), key=lambda segment: segment.pk)


def _content(campaign: Campaign) -> Iterator[Item]:
    """Yield the variants, all templates, the snippets in them, and the campaign's name where messages contain it."""
    variants = list(campaign.variants.select_related("template").order_by("pk"))
    for variant in variants:
        yield Item(
            Part.CONTENT, "variant", variant.pk, variant.name, _values(variant, VARIANT_FIELDS)
        )
    templates = dict.fromkeys([campaign.template, *(variant.template for variant in variants)])
    for template in templates:
        yield Item(
            Part.CONTENT, "template", template.pk, template.name, _values(template, TEMPLATE_FIELDS)
        )
    texts = [str(text) for template in templates for text in _values(template, TEMPLATE_FIELDS)]
    for snippet in snippets_in(texts):
        values = _values(snippet, SNIPPET_FIELDS)
        yield Item(Part.CONTENT, "snippet", snippet.pk, snippet.name, values)
        texts.append(snippet.body)
    shows_name = any("campaign" in text for text in texts)
    tagged = UtmTags.of(campaign).campaign if campaign.utm_source else ""
    yield Item(Part.CONTENT, "field", "name", "name", [campaign.name if shows_name else "", tagged])


def _account(campaign: Campaign) -> Iterator[Item]:
    """Yield the sender; of its secrets the server that an address names, and the user there, but not a password or key."""
    sender = campaign.sender
    servers = {
        name: server
        for name, stored in sender.credentials.items()
        if (server := _server(stored)) is not None
    }
    value = [*_values(sender, SENDER_FIELDS), servers]
    yield Item(Part.SENDER, "sender", sender.pk, sender.name, value)


def _server(stored: str) -> object:
    if stored.startswith(credentials.IN_ENVIRONMENT):
        return stored
    try:
        address = urlsplit(credentials.read(stored))
    except (credentials.Unreadable, ValueError):
        return None
    return [address.scheme, address.hostname, address.username] if address.netloc else None


def _limits(campaign: Campaign) -> Iterator[Item]:
    """Yield the caps and quiet hours that apply, and the price of a message where the campaign has none of its own."""
    applies = Q(channel="") | Q(channel=campaign.channel)
    kinds: list[tuple[str, type[FrequencyRule | QuietHours], tuple[str, ...]]] = []
    if not campaign.exempt_from_caps:
        kinds.append(("cap", FrequencyRule, CAP_FIELDS))
    if not campaign.exempt_from_quiet_hours:
        kinds.append(("quiet", QuietHours, QUIET_FIELDS))
    for kind, model, names in kinds:
        for row in model._default_manager.filter(applies, active=True).order_by("pk"):
            yield Item(Part.POLICY, kind, row.pk, row.name, _values(row, names))
    if campaign.cost_per_message is None:
        cost = campaign.sender.cost_per_message
        yield Item(Part.POLICY, "field", "sender_cost", "cost_per_message", cost)


def _values(row: models.Model, names: Iterable[str]) -> list[Any]:
    return [row.serializable_value(name) for name in names]


def _is_open(item: Item, then: Mapping[str, list[str]]) -> bool:
    """Return whether an approval without a start left this field of the start to the launch."""
    is_start = item.identity in {"field:scheduled_at", "field:clock_time"}
    return is_start and then.get("field:scheduled_at", ["", "", ""])[2] == fingerprint(None)


def _has_start(given: Mapping[str, Any]) -> bool:
    return bool(given["items"]["field:scheduled_at"][2] != fingerprint(None))


def _has_edited(user: User, campaign: Campaign) -> bool:
    """Return whether the user edited something that the approval covers, since the last approval or the campaign's creation."""
    since = campaign.created_at
    if campaign.approval:
        since = max(since, _approved_at(campaign.approval))
    objects: dict[str, list[object]] = {"marketing.campaign": [campaign.pk]}
    for item in items_of(campaign):
        if item.kind in AUDITED:
            objects.setdefault(AUDITED[item.kind], []).append(item.key)
    covered = {name for names in CAMPAIGN_FIELDS.values() for name in names}
    columns = {each.attname for each in Campaign._meta.concrete_fields if each.name in covered}
    fields = columns | {"segments"}
    return audit.has_changed(user, objects, since=since, fields={"marketing.campaign": fields})


def _audience(campaign: Campaign) -> int | None:
    """Return the number of customers; None for a triggered campaign, whose recipients come by its event."""
    return None if campaign.is_fed else customers_of(campaign).count()


def _audience_changed(campaign: Campaign) -> str:
    """Return that the audience is not within the tolerance of the approval; else an empty string."""
    then, now = campaign.approval["audience"], _audience(campaign)
    if then is None or now is None:
        return ""
    most = then * settings.CAMPAIGN_APPROVAL_TOLERANCE / 100
    words = {
        "then": number_format(then, force_grouping=True),
        "now": number_format(now, force_grouping=True),
        "tolerance": number_format(settings.CAMPAIGN_APPROVAL_TOLERANCE),
        "who": campaign.approval["by"],
        "when": _when(campaign.approval),
    }
    if abs(now - then) > most:
        return (
            _(
                "The audience has %(now)s customers and had %(then)s when %(who)s approved on %(when)s, more than %(tolerance)s %% apart:"
                " have the campaign approved again."
            )
            % words
        )
    if _added_by_hand(campaign) > most:
        return (
            _(
                "More than %(tolerance)s %% of the audience joined its static segments since %(who)s approved on %(when)s: have the"
                " campaign approved again."
            )
            % words
        )
    return ""


def _added_by_hand(campaign: Campaign) -> int:
    """Return how many customers joined static segments since the approval: of a list the number alone says little."""
    lists = [
        segment.pk for segment in _used_segments(campaign) if segment.kind == Segment.Kind.STATIC
    ]
    added = SegmentMembership.objects.filter(
        segment__in=lists, entered_at__gt=_approved_at(campaign.approval)
    )
    return added.values("customer").distinct().count() if lists else 0


def _approved_at(given: Mapping[str, Any]) -> datetime:
    at = parse_datetime(given["at"])
    assert at
    return at


def _when(given: Mapping[str, Any]) -> str:
    return date_format(timezone.localtime(_approved_at(given)), "DATETIME_FORMAT")


def _label(kind: str, name: str) -> str:
    if kind in LABELS:
        return str(LABELS[kind] % name)
    if name == "rules":
        return _("filter")
    return str(Campaign._meta.get_field(name).verbose_name)  # type: ignore[union-attr]


def _named(changed: Mapping[Part, list[str]]) -> str:
    """Return what changed, such as: audience's segment “VIP”, policy's budget."""
    names = [str(part.label) % label for part, labels in changed.items() for label in labels]
    more = len(names) - MOST_NAMED
    named = ", ".join(names[:MOST_NAMED])
    if more <= 0:
        return named
    return named + ngettext(" and %d more", " and %d more", more) % more
