"""The second factor: a code of the moment from a phone (TOTP, RFC 6238), or one of a list of recovery codes.

`satisfied` is the one answer to "has this person shown all that we ask for?", wherever it is asked.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django_otp import match_token, user_has_device
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from crm.accounts.models import User

RECOVERY_CODES = 10
CODE_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what is easily mistaken when read from paper."""


def satisfied(user: AbstractBaseUser | AnonymousUser) -> bool:
    """True for a user whose session passed the second factor, or who has no device and need not have one."""
    if not user.is_authenticated:
        return False
    verified = getattr(user, "is_verified", None)  # put there by OTPMiddleware
    if verified and verified():
        return True
    return not user_has_device(user) and not must_enrol(user)


def has_device(user: AbstractBaseUser | AnonymousUser) -> bool:
    return bool(user_has_device(user))


def must_enrol(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Staff has to have a device where REQUIRE_SECOND_FACTOR says so."""
    return bool(settings.REQUIRE_SECOND_FACTOR and getattr(user, "is_staff", False))


def check(user: User, code: str) -> Device | None:
    """The device whose code this is, a recovery code being used up by it; None for a wrong code, or one too soon after a wrong one."""
    device: Device | None = match_token(user, code.replace(" ", "").lower())
    return device


def begin(user: User) -> TOTPDevice:
    """A device that is not confirmed yet, the same until it is."""
    device, _made = TOTPDevice.objects.get_or_create(
        user=user, confirmed=False, defaults={"name": "phone"}
    )
    return device


@transaction.atomic
def confirm(device: TOTPDevice, code: str) -> list[str] | None:
    """Take the device into use if the code is its, and give its user recovery codes; None for a wrong code."""
    if not device.verify_token(code.replace(" ", "")):
        return None
    device.confirmed = True
    device.save()
    return new_recovery_codes(device.user)


@transaction.atomic
def new_recovery_codes(user: User) -> list[str]:
    """Codes that each work once, in the place of those that there were. They are kept, and shown this one time."""
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="recovery codes")
    codes = [_code() for _each in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return codes


@transaction.atomic
def remove(user: User) -> None:
    """Let the user sign in without a second factor again."""
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()


def _code() -> str:
    return "".join(secrets.choice(CODE_ALPHABET) for _letter in range(10))
