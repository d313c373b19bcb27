"""Starters: messages that a new template is copied from."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FOLDER = Path(__file__).parent


class Starter(NamedTuple):
    """The initial fields of a new template; `file` holds its MJML."""

    name: str | Promise
    about: str | Promise
    subject: str | Promise
    preheader: str | Promise
    file: str

    @property
    def body(self) -> str:
        return _read(self.file)


STARTERS = (
    Starter(
        _("Welcome"),
        _("The first message after a sign-up"),
        _("Welcome, {{ customer.first_name | default: 'good to have you' }}"),
        _("What happens next, and three things to begin with"),
        "welcome.mjml",
    ),
    Starter(
        _("Newsletter"),
        _("A letter with a few stories and hardly any decoration"),
        _("The headline of this issue"),
        _("Two stories, five minutes"),
        "newsletter.mjml",
    ),
    Starter(
        _("Offer"),
        _("One offer, one button, and a line for regulars"),
        _("{{ customer.first_name | default: 'For you' }}: 20 % off until Sunday"),
        _("On everything in the shop"),
        "offer.mjml",
    ),
    Starter(
        _("Win back"),
        _("A plain text for customers without recent orders"),
        _("It has been a while, {{ customer.first_name | default: 'hello again' }}"),
        _("What is new since you were here"),
        "win-back.mjml",
    ),
)


@cache
def _read(file: str) -> str:
    return (FOLDER / file).read_text()
