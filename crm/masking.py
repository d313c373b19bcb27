"""Personal data, hidden from people who may not see it: one place for every page, serializer, template and file.

A model says which of its fields are personal, and how each looks where it is hidden:

    class Customer(masking.Personal):
        personal = {"email": masking.address, "first_name": masking.name, "attributes": masking.payload}

While somebody looks who may not see them, its rows come out of the database masked. Who looks belongs to the thread, as the language and
the time zone do: workers see everything. Values that come by another way than a model pass through `seen`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar, Self, TypeVar

from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db import models
from django.utils.translation import gettext as _

MASK = "•••"

Mask = Callable[[Any], Any]
T = TypeVar("T")

_hidden: ContextVar[bool] = ContextVar("personal data is hidden", default=False)


def is_on() -> bool:
    """Whether personal data is hidden from whoever looks."""
    return _hidden.get()


@contextmanager
def hidden(is_hidden: bool = True) -> Iterator[None]:
    """Within, personal data is hidden, or is not; afterwards it is as before."""
    before = _hidden.set(is_hidden)
    try:
        yield
    finally:
        _hidden.reset(before)


def hide_from_now_on(is_hidden: bool) -> None:
    """For who learns in the middle of a request whose it is; `hidden` around the request puts it back."""
    _hidden.set(is_hidden)


def streamed(content: Iterable[T]) -> Iterator[T]:
    """A stream as whoever asked for it may see it, although it is read after their request has ended."""
    is_hidden, pieces = is_on(), iter(content)
    while True:
        with hidden(is_hidden):
            try:
                piece = next(pieces)
            except StopIteration:
                return
        yield piece


def refuse() -> None:
    """Raises PermissionDenied where personal data is hidden: for a question whose answer would tell it."""
    if is_on():
        raise PermissionDenied(_("You may not look people up by their personal data."))


def seen(value: T, mask: Mask) -> T:
    """A value of a raw query as whoever looks may see it."""
    return mask(value) if is_on() else value


def row(model: type[Personal], names: Sequence[str], values: Sequence[Any]) -> Sequence[Any]:
    """The columns of a row that was read without its model, as whoever looks may see them."""
    if not is_on():
        return values
    masks = [model.personal.get(each) for each in names]
    return [mask(value) if mask else value for mask, value in zip(masks, values, strict=True)]


# how personal values look


def text(value: str | None) -> str | None:
    """Nothing of it."""
    return MASK if value else value


def name(value: str | None) -> str | None:
    """The initials, so that rows can be told apart: A••• L•••"""
    return " ".join(f"{word[0]}{MASK}" for word in value.split()) if value else value


def address(value: str | None) -> str | None:
    """a•••@••• of an e-mail address, of a phone number or any other address the last two characters."""
    if not value:
        return value
    return f"{value[0]}{MASK}@{MASK}" if "@" in value else f"{MASK}{value[-2:]}"


def identifier(value: str | None) -> str | None:
    """A foreign key tells of nobody, unless it is an address."""
    return address(value) if value and "@" in value else value


def prose(value: str | None) -> str | None:
    """What reads like an address or a phone number goes, the rest stays: errors of providers."""
    return _ADDRESSES.sub(MASK, value) if value else value


_ADDRESSES = re.compile(r"[\w.+'-]+@[\w.-]+|\+?\d[\d ()./-]{6,}\d")


def url(value: str | None) -> str | None:
    """Without what was asked for or handed on in it."""
    return re.split(r"[?#]", value, maxsplit=1)[0] if value else value


def nothing(_value: Any) -> None:
    """A value that cannot be shown in part."""


def payload(value: Any) -> Any:
    """JSON with its keys and without what they hold."""
    match value:
        case dict():
            return {key: payload(each) for key, each in value.items()}
        case list():
            return [payload(each) for each in value]
        case None | bool():
            return value
    return MASK


def payload_but(*kept: str) -> Mask:
    """As payload, with what these keys hold."""

    def mask(value: Any) -> Any:
        if not isinstance(value, dict):
            return payload(value)
        return {key: each if key in kept else payload(each) for key, each in value.items()}

    return mask


class Personal(models.Model):
    """Mixin for models that hold personal data."""

    personal: ClassVar[Mapping[str, Mask]] = {}

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        """Raises PermissionDenied where masks would be written over what they hide."""
        written = options.get("update_fields")
        touched = self.personal.keys() if written is None else self.personal.keys() & {*written}
        if touched and getattr(self._state, "is_masked", False):
            raise PermissionDenied(_("You may not change personal data that you may not see."))
        super().save(*args, **options)

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **options: Any
    ) -> Self:
        row = super().from_db(db, field_names, values, **options)
        if is_on():
            row._hide()
        return row

    def _hide(self) -> None:
        held = self.__dict__  # a deferred field is not in it, and stays in the database
        for field, mask in self.personal.items():
            if field in held:
                held[field] = mask(held[field])
        self._state.is_masked = True  # type: ignore[attr-defined]


def is_personal(model: type[models.Model], lookup: str) -> bool:
    """Whether a lookup as of a search or a filter (`=customer__email`, `phone__startswith`) asks for a personal field."""
    for part in lookup.lstrip("^=@-").split("__"):
        if part in getattr(model, "personal", {}):
            return True
        try:
            field = model._meta.get_field(part)
        except FieldDoesNotExist:
            return False
        if not field.related_model or isinstance(field.related_model, str):
            return False
        model = field.related_model
    return False


def searchable(model: type[models.Model], lookups: Sequence[str]) -> list[str]:
    """Of what a list is searched by, what whoever looks may search by."""
    return [each for each in lookups if not (is_on() and is_personal(model, each))]
