"""Parse and check one call of the Segment spec (https://segment.com/docs/connections/spec/)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _

from customers import clean
from customers.ingest import Refused

LONGEST_ID = 200
LONGEST_EVENT = 100
LATENCY = timedelta(seconds=10)
"""A smaller difference between clocks is the latency of the network."""
CONTEXT_KEPT = ("page", "locale", "timezone", "campaign", "traits")


class PlaceholderId(Refused):
    """A call whose only id stands for none."""

    def __init__(self, field: str, value: str) -> None:
        super().__init__(_("“%s” stands for no id.") % value[:60], field)
        self.value = value


class CallType(StrEnum):
    IDENTIFY = "identify"
    TRACK = "track"
    PAGE = "page"
    SCREEN = "screen"
    GROUP = "group"
    ALIAS = "alias"


class Trust(StrEnum):
    """How much a call is trusted: of a server's key, signed by the server of a site, or of a browser's key alone."""

    SERVER = "server"
    SIGNED = "signed"
    BROWSER = "browser"


@dataclass(slots=True)
class Call:
    """A call: its user or anonymous id, its type, its time by our clock.

    `name` is the event of a track call and the name of a page or screen; `content` its properties or traits; `other_id` the group,
    or the previous id of an alias.
    """

    kind: CallType
    at: datetime
    user_id: str = ""
    anonymous_id: str = ""
    message_id: str = ""
    name: str = ""
    other_id: str = ""
    content: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    placeholders: dict[str, str] = field(default_factory=dict)
    """Ids that stand for none, by their name in the call; they identify no customer."""
    trust: Trust = Trust.SERVER
    is_wrongly_signed: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the part of a call that is stored until its person is known."""
        return {
            "kind": self.kind,
            "at": self.at.isoformat(),
            "message_id": self.message_id,
            "name": self.name,
            "other_id": self.other_id,
            "content": self.content,
            "context": self.context,
            "trust": self.trust,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any], anonymous_id: str) -> Call:
        return cls(
            **{
                **kept,
                "kind": CallType(kept["kind"]),
                "at": datetime.fromisoformat(kept["at"]),
                "trust": Trust(kept.get("trust", Trust.SERVER)),
                "anonymous_id": anonymous_id,
            }
        )


def read_call(given: object, received_at: datetime, sent_at: datetime | None) -> Call:
    """Parse a call as it was sent. Raises Refused with the invalid field.

    `sent_at` is the time of sending by the sender's clock, which tells how far that clock is off.
    """
    if not isinstance(given, Mapping):
        raise Refused(_("Send an object."))
    kind = _kind(given.get("type"))
    message = Call(
        kind=kind,
        at=_moment(given, received_at, sent_at),
        message_id=_id(given, "messageId"),
        content=_object(
            given, "traits" if kind in {CallType.IDENTIFY, CallType.GROUP} else "properties"
        ),
    )
    message.user_id = _person(message, given, "userId")
    message.anonymous_id = _person(message, given, "anonymousId")
    context = _object(given, "context")
    message.context = {name: context[name] for name in CONTEXT_KEPT if context.get(name)}
    _READ_MORE[kind](message, given)
    if not message.user_id and not message.anonymous_id:
        if message.placeholders:
            raise PlaceholderId(*next(iter(message.placeholders.items())))
        raise Refused(_("Send a userId or an anonymousId."), "userId")
    return message


def _person(message: Call, given: Mapping[str, Any], name: str) -> str:
    """Return an id of a person; one that stands for none is noted and empty."""
    found = _id(given, name)
    if not found or not clean.is_placeholder(found):
        return found
    message.placeholders[name] = found
    return ""


def read_sent_at(given: object) -> datetime | None:
    """Parse the sender's time of sending; None for a missing or invalid one."""
    try:
        return clean.moment(given) if given else None
    except ValueError:
        return None


def _kind(given: object) -> CallType:
    try:
        return CallType(given)  # type: ignore[arg-type]  # that is the question
    except ValueError:
        known = ", ".join(CallType)
        raise Refused(_("must be one of %(known)s.") % {"known": known}, "type") from None


def _moment(given: Mapping[str, Any], received_at: datetime, sent_at: datetime | None) -> datetime:
    """Return the time by our clock: received - (sent - happened), and never in the future."""
    written = given.get("timestamp") or given.get("originalTimestamp")
    if not written:
        return received_at
    try:
        at = clean.moment(written)
    except ValueError as error:
        raise Refused(str(error), "timestamp") from error
    if sent_at and abs(received_at - sent_at) > LATENCY:
        try:
            at += received_at - sent_at
        except OverflowError:
            return received_at
    return min(at, received_at)


def _id(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Refused(_("must be text or a number."), name)
    return _text(value, name, LONGEST_ID)


def _text(value: object, name: str, longest: int) -> str:
    try:
        return clean.text(value, longest=longest)
    except ValueError as error:
        raise Refused(str(error), name) from error


def _object(given: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = given.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused(_("Send an object."), name)
    return value


def _read_track(message: Call, given: Mapping[str, Any]) -> None:
    event = given.get("event")
    if not isinstance(event, str) or not event.strip():
        raise Refused(_("Give the name of the event."), "event")
    message.name = _text(event, "event", LONGEST_EVENT)


def _read_page(message: Call, given: Mapping[str, Any]) -> None:
    name = given.get("name")
    message.name = name if isinstance(name, str) else ""
    where = message.context.get("page")
    message.content = {
        **(where if isinstance(where, dict) and message.kind is CallType.PAGE else {}),
        **message.content,
        **{part: given[part] for part in ("name", "category") if given.get(part)},
    }


def _read_group(message: Call, given: Mapping[str, Any]) -> None:
    message.other_id = _id(given, "groupId")
    if not message.other_id:
        raise Refused(_("Give the id of the group."), "groupId")


def _read_alias(message: Call, given: Mapping[str, Any]) -> None:
    message.other_id = _person(message, given, "previousId") or message.anonymous_id
    if not message.user_id:
        raise Refused(_("Give the userId."), "userId")
    if "previousId" in message.placeholders:
        raise PlaceholderId("previousId", message.placeholders["previousId"])
    if not message.other_id:
        raise Refused(_("Give the previousId."), "previousId")


def _read_identify(message: Call, given: Mapping[str, Any]) -> None:
    if not message.content:
        message.content = _object(message.context, "traits")


_READ_MORE = {
    CallType.IDENTIFY: _read_identify,
    CallType.TRACK: _read_track,
    CallType.PAGE: _read_page,
    CallType.SCREEN: _read_page,
    CallType.GROUP: _read_group,
    CallType.ALIAS: _read_alias,
}
