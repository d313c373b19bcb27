"""Mask personal data for users without the permission to see it, on every page and in every response and file.

A model declares its personal fields and their masks:

    class Customer(masking.Personal):
        personal = {"email": masking.address, "first_name": masking.name, "attributes": masking.payload}

While masking is on, rows of the model are loaded masked. It is a context variable, as the language and the time zone are; in workers it
is off. Values that do not come from a model pass through `seen`.
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
FEW = 10
"""Fewer customers are not counted for users with masked data: who they are could be guessed."""

Mask = Callable[[Any], Any]
T = TypeVar("T")

_hidden: ContextVar[bool] = ContextVar("personal data is hidden", default=False)
_exact: ContextVar[bool] = ContextVar("numbers are exact all the same", default=False)


def is_on() -> bool:
    """Return whether personal data is masked."""
    return _hidden.get()


@contextmanager
def hidden(is_hidden: bool = True) -> Iterator[None]:
    """Mask personal data within the context, or unmask it."""
    before = _hidden.set(is_hidden)
    try:
        yield
    finally:
        _hidden.reset(before)


@contextmanager
def exact_numbers() -> Iterator[None]:
    """Leave numbers as they are within the context, for pages that a user with the right published."""
    before = _exact.set(True)
    try:
        yield
    finally:
        _exact.reset(before)


def hide_from_now_on(is_hidden: bool) -> None:
    """Mask personal data for the rest of a request, once its user is known; `hidden` around the request resets it."""
    _hidden.set(is_hidden)


def streamed(content: Iterable[T]) -> Iterator[T]:
    """Return content with the masking of the request, although it is read after the request."""
    return _streamed(iter(content), is_on())


def _streamed(pieces: Iterator[T], is_hidden: bool) -> Iterator[T]:
    while True:
        with hidden(is_hidden):
            try:
                piece = next(pieces)
            except StopIteration:
                return
        yield piece


def refuse() -> None:
    """Raise PermissionDenied if personal data is masked, for queries that would reveal it."""
    if is_on():
        raise PermissionDenied(_("You cannot search customers by their personal data."))


def seen(value: T, mask: Mask) -> T:
    """Return a value of a raw query, masked if masking is on."""
    return mask(value) if is_on() else value


def rounded(number: int) -> int:
    """Return a number of customers, if masking is on rounded down to tens, so that two numbers do not differ by one person."""
    return number // FEW * FEW if _rounds() else number


def people(number: int) -> int | None:
    """Return a number of customers as rounded() does; if masking is on, None for fewer than FEW."""
    return (rounded(number) or None) if _rounds() else number


def _rounds() -> bool:
    return is_on() and not _exact.get()


def row(model: type[Personal], names: Sequence[str], values: Sequence[Any]) -> Sequence[Any]:
    """Return the columns of a raw row, masked if masking is on."""
    if not is_on():
        return values
    masks = [model.personal.get(each) for each in names]
    return [mask(value) if mask else value for mask, value in zip(masks, values, strict=True)]


# masks


def text(value: str | None) -> str | None:
    """Mask the whole text."""
    return MASK if value else value


def name(value: str | None) -> str | None:
    """Mask all but the initials: A••• L•••"""
    return " ".join(f"{word[0]}{MASK}" for word in value.split()) if value else value


def address(value: str | None) -> str | None:
    """Mask an e-mail address as a•••@•••; of another address show the last two characters."""
    if not value:
        return value
    return f"{value[0]}{MASK}@{MASK}" if "@" in value else f"{MASK}{value[-2:]}"


def identifier(value: str | None) -> str | None:
    """Mask an id of another system if it is an e-mail address or a phone number in E.164."""
    return address(value) if value and _IS_ADDRESS.search(value) else value


def prose(value: str | None) -> str | None:
    """Mask e-mail addresses and phone numbers in a text, such as an error of a provider."""
    return _ADDRESSES.sub(MASK, value) if value else value


_IS_ADDRESS = re.compile(r"[@\uff20]|^\+\d{6,15}$")
_ADDRESSES = re.compile(r"[\w.+'-]+@[\w.-]+|\+?\d[\d ()./-]{6,}\d")


def url(value: str | None) -> str | None:
    """Remove query and fragment of a URL."""
    return re.split(r"[?#]", value, maxsplit=1)[0] if value else value


def nothing(_value: Any) -> None:
    """Mask a value that has no partial form."""


def payload(value: Any) -> Any:
    """Mask the values of JSON, not its keys."""
    match value:
        case dict():
            return {key: payload(each) for key, each in value.items()}
        case list():
            return [payload(each) for each in value]
    return value if value is None else MASK


def payload_but(*kept: str) -> Mask:
    """Mask JSON as payload() does, except for the values of these keys."""

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
        """Save the row. Raises PermissionDenied if masks would overwrite personal data."""
        written = options.get("update_fields")
        touched = self.personal.keys() if written is None else self.personal.keys() & {*written}
        if touched and getattr(self._state, "is_masked", False):
            raise PermissionDenied(
                _("You cannot change personal data without the permission to see it.")
            )
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
        loaded = self.__dict__  # deferred fields are not loaded
        for field, mask in self.personal.items():
            if field in loaded:
                loaded[field] = mask(loaded[field])
        self._state.is_masked = True  # type: ignore[attr-defined]


def mask_of(model: type[models.Model], lookup: str) -> Mask | None:
    """Return the mask of the field of a search, filter or ordering, such as `=customer__email`; None if it is not personal."""
    for part in lookup.lstrip("^=@-").split("__"):
        if mask := getattr(model, "personal", {}).get(part):
            return mask
        try:
            field = model._meta.get_field(part)
        except FieldDoesNotExist:
            return None
        if not field.related_model or isinstance(field.related_model, str):
            return None
        model = field.related_model
    return None


def is_personal(model: type[models.Model], lookup: str) -> bool:
    """Return whether a search, a filter or an ordering is on a personal field."""
    return mask_of(model, lookup) is not None


def searchable(model: type[models.Model], lookups: Sequence[str]) -> list[str]:
    """Return the lookups that a search may use while masking is on or off."""
    return [each for each in lookups if not (is_on() and is_personal(model, each))]
