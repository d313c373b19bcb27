"""Format values for lists and pages: badges, bars, money, rates and times. All arguments are escaped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from babel.dates import format_timedelta
from babel.numbers import format_currency, format_decimal, format_percent
from django.conf import settings
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _

from crm import masking

Tone = Literal["neutral", "primary", "info", "success", "warning", "danger"]

NOTHING = "–"

# unfold's own label colours, so that its compiled stylesheet has them
_TONES: dict[Tone, str] = {
    "neutral": "bg-base-500/8 text-base-700 dark:bg-base-500/20 dark:text-base-200",
    "primary": "bg-primary-100 text-primary-700 dark:bg-primary-500/20 dark:text-primary-400",
    "info": "bg-blue-100 text-blue-700 dark:bg-blue-500/20 dark:text-blue-400",
    "success": "bg-green-100 text-green-700 dark:bg-green-500/20 dark:text-green-400",
    "warning": "bg-orange-100 text-orange-700 dark:bg-orange-500/20 dark:text-orange-400",
    "danger": "bg-red-100 text-red-700 dark:bg-red-500/20 dark:text-red-400",
}


def badge(text: str | Promise, tone: Tone = "neutral") -> SafeString:
    """Return a coloured label for a state."""
    return format_html(
        '<span class="inline-block font-semibold h-6 leading-6 px-2 rounded-default text-[11px] uppercase'
        ' whitespace-nowrap {}">{}</span>',
        _TONES[tone],
        text,
    )


def tags(names: Sequence[str], shown: int = 3) -> SafeString | str:
    """Return the first names as small labels, and the number of the others; the title has all of them."""
    if not names:
        return NOTHING
    labels = format_html_join(
        "", '<span class="tag">{}</span>', ((name,) for name in names[:shown])
    )
    more = f"+{len(names) - shown}" if len(names) > shown else ""
    return format_html('<span class="tags" title="{}">{}{}</span>', ", ".join(names), labels, more)


def bar(done: int, total: int) -> SafeString:
    """Return a progress bar with its numbers; without a total it is empty."""
    percent = min(100 * done // total, 100) if total > 0 else 0
    return format_html(
        '<span class="progress" role="progressbar" aria-label="{label}" aria-valuenow="{percent}" aria-valuemin="0" aria-valuemax="100">'
        '<span class="progress-track"><span class="progress-done" style="width: {percent}%"></span></span>'
        '<span class="progress-text">{done} / {total}</span></span>',
        label=_("Progress"),
        percent=percent,
        done=number(done),
        total=number(total),
    )


def money(amount: Decimal | int | None, currency: str = "") -> str:
    """Format an amount in the site's currency or the given one, for the current locale."""
    if amount is None:
        return NOTHING
    return format_currency(amount, currency or settings.CURRENCY, locale=_locale())


def number(value: Decimal | float | None) -> str:
    """Format a number for the current locale."""
    return NOTHING if value is None else format_decimal(value, locale=_locale())


def people(value: int) -> str:
    """Format a number of customers, which users with masked data see rounded down to tens."""
    shown = masking.people(value)
    return _("fewer than %s") % masking.FEW if shown is None else number(shown)


def rate(part: int | Decimal | None, of: int | Decimal | None) -> str:
    """Format `part` / `of` as a percentage with one decimal; a dash if `of` is zero."""
    if part is None or not of:
        return NOTHING
    return format_percent(part / of, format="#,##0.0%", locale=_locale())


def duration(seconds: float) -> str:
    """Format a length of time, rounded to its largest unit."""
    return format_timedelta(timedelta(seconds=seconds), locale=_locale())


def day(moment: datetime | None) -> str | SafeString:
    """Format the day of a time in the site's zone; the title has the full time."""
    if moment is None:
        return NOTHING
    return _time(moment, date_format(timezone.localtime(moment), "j M Y"))


def when(moment: datetime | None) -> str | SafeString:
    """Format a time in the site's zone, within a day as a relative time; the title has the full time."""
    if moment is None:
        return NOTHING
    if abs(timezone.now() - moment) < timedelta(days=1):
        return _time(moment, naturaltime(moment))
    return _time(moment, date_and_time(moment))


def date_and_time(moment: datetime) -> str:
    """Format a time in the site's zone for use in a sentence."""
    return date_format(timezone.localtime(moment), "j M Y, H:i")


def _time(moment: datetime, text: str) -> SafeString:
    local = timezone.localtime(moment)
    return format_html(
        '<time class="whitespace-nowrap" datetime="{}" title="{}">{}</time>',
        moment.isoformat(),
        f"{date_format(local, 'DATETIME_FORMAT')} {local.tzname()}",
        text,
    )


def _locale() -> str:
    return to_locale(get_language() or settings.LANGUAGE_CODE)
