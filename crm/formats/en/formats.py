"""The one format in which dates are shown, and those in which users may type them.

Django's for English read 1/2/2025 month first, whatever the site's DATE_ORDER.
"""

from django.conf import settings

DATE_FORMAT = SHORT_DATE_FORMAT = "j M Y"
DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "j M Y, H:i"
TIME_FORMAT = "H:i"

_BY_NUMBERS = {
    "day_first": ["%d/%m/%Y", "%d/%m/%y", "%d-%m-%Y"],
    "month_first": ["%m/%d/%Y", "%m/%d/%y", "%m-%d-%Y"],
}
_BY_NAME = ["%d %b %Y", "%d %B %Y", "%b %d %Y", "%b %d, %Y", "%B %d %Y", "%B %d, %Y"]

DATE_INPUT_FORMATS = [
    "%Y-%m-%d",
    *_BY_NUMBERS.get(settings.DATE_ORDER, []),
    "%d.%m.%Y",
    *_BY_NAME,
]
DATETIME_INPUT_FORMATS = [
    f"{day}{clock}"
    for day in DATE_INPUT_FORMATS
    for clock in (" %H:%M:%S", " %H:%M:%S.%f", " %H:%M", "")
]
