"""Tags of the account pages: browsers by their user agent, and the demo accounts."""

from __future__ import annotations

from typing import Any

from django import template
from django.conf import settings
from django.utils.translation import gettext as _
from django_otp.oath import TOTP

from crm.accounts.devices import TOTPDevice

register = template.Library()

BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""The first match wins: most user agents also contain Chrome and Safari."""
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@register.filter
def browser_name(user_agent: str) -> str:
    """Return a name such as `Firefox on Linux`; an unknown user agent is shortened."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or user_agent[:60] or _("Unknown")


@register.filter
def is_phone(user_agent: str) -> bool:
    return any(mark in user_agent for mark in ("iPhone", "Android", "Mobile"))


@register.inclusion_tag("account/demo_accounts.html")
def demo_accounts() -> dict[str, Any]:
    """Return the demo accounts of a site that `make demo` started; empty elsewhere."""
    if not settings.DEMO:
        return {}
    device = TOTPDevice.objects.filter(name="demo", user__email="demo@demo.com").first()
    return {"is_demo": True, "code": _code(device) if device else ""}


def _code(device: TOTPDevice) -> str:
    clock = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    return str(clock.token()).zfill(device.digits)
