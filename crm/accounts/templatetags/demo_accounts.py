"""The demo accounts on the sign-in page, with the current code."""

from __future__ import annotations

from typing import Any

from django import template
from django.conf import settings
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

register = template.Library()


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
