"""The second factor: a one-time code (TOTP, RFC 6238) or a recovery code.

Every check of a session asks `satisfied`.
"""

from __future__ import annotations

import secrets

from allauth.account.models import Login
from allauth.account.stages import LoginStage
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.mail import send_mail
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django_otp import device_classes, devices_for_user, match_token
from django_otp.models import Device

from crm.accounts import audit, sessions
from crm.accounts.devices import RecoveryCodes, TOTPDevice, digest_of
from crm.accounts.models import User
from crm.accounts.sign_in_limits import Locked

RECOVERY_CODES = 10
CODE_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without characters that look alike on paper."""
_NEEDS_NONE = "_needs_no_second_factor"


def satisfied(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Return whether the session passed the second factor, or the user needs none."""
    if not user.is_authenticated:
        return False
    if has_passed(user):
        return True
    if not hasattr(user, "is_verified"):
        return needs_none(user)
    if not hasattr(user, _NEEDS_NONE):  # several layers ask during one request
        setattr(user, _NEEDS_NONE, needs_none(user))
    return bool(getattr(user, _NEEDS_NONE))


@transaction.atomic
def reset(user: User, *, by: User) -> None:
    """Remove lost devices of a user, end all sessions and tokens, and notify the user."""
    _delete_devices(user)
    sessions.end_all(user)
    _record("reset second factor", user, by=by)
    _notify(
        user,
        _("Your second factor was reset"),
        _(
            "%(by)s reset the second factor of your account at %(site)s. You were signed out everywhere, and your API tokens have ended."
        ),
        by=str(by),
    )


def has_passed(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Return whether the session of a request's user passed the second factor."""
    is_verified = getattr(user, "is_verified", None)  # set by OTPMiddleware
    return bool(is_verified and is_verified())


def needs_none(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Return whether the user has no device, and must not have one."""
    return not has_device(user) and not must_enrol(user)


def has_device(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Return whether a user has a confirmed device of any kind, by one query."""
    if user.is_anonymous:
        return False
    kinds = [
        model.objects.devices_for_user(user, confirmed=True).order_by().values("pk")
        for model in device_classes()
    ]
    return bool(kinds[0].union(*kinds[1:], all=True).exists())


def must_enrol(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Return whether REQUIRE_SECOND_FACTOR requires a device of this user."""
    return bool(settings.REQUIRE_SECOND_FACTOR and getattr(user, "is_staff", False))


def check(user: User, code: str) -> Device | None:
    """Return the device of a code, using up a recovery code; None for a wrong one. Raises Locked too soon after one."""
    waits = [_seconds_locked(device) for device in devices_for_user(user)]
    if waits and min(waits) > 0:
        raise Locked(_("The last code is wrong. Try again in %(time)s."), min(waits))
    device: Device | None = match_token(user, code.replace(" ", "").lower())
    if device is None:
        _record("second factor refused", user)
    return device


def _seconds_locked(device: Device) -> float:
    """Return how long django-otp checks no code of the device: twice as long after each wrong one."""
    _allowed, why = device.verify_is_allowed()
    return (why["locked_until"] - timezone.now()).total_seconds() if why else 0


def begin(user: User) -> TOTPDevice:
    """Return the unconfirmed device of the user, created if missing."""
    device, _made = TOTPDevice.objects.get_or_create(
        user=user, confirmed=False, defaults={"name": "phone"}
    )
    return device


@transaction.atomic
def confirm(device: TOTPDevice, code: str) -> list[str] | None:
    """Confirm the device by its code; return recovery codes, or None for a wrong code."""
    if not device.verify_token(code.replace(" ", "")):
        return None
    device.confirmed = True
    device.save()
    codes = _replace_recovery_codes(device.user)
    _record("set up second factor", device.user)
    _notify(
        device.user,
        _("Your account has a second factor"),
        _("A second factor was set up for your account at %(site)s."),
    )
    return codes


@transaction.atomic
def new_recovery_codes(user: User) -> list[str]:
    """Replace the recovery codes, and notify the user; each works once, and is returned only here."""
    codes = _replace_recovery_codes(user)
    _record("replaced recovery codes", user)
    _notify(
        user,
        _("Your recovery codes were replaced"),
        _("The recovery codes of your account at %(site)s were replaced. The old ones have ended."),
    )
    return codes


def _replace_recovery_codes(user: User) -> list[str]:
    codes = [_code() for _each in range(RECOVERY_CODES)]
    digests = [digest_of(code) for code in codes]
    # An existing row stays, so that a session that began with a recovery code continues.
    RecoveryCodes.objects.update_or_create(
        user=user, name="recovery codes", defaults={"digests": digests}
    )
    return codes


@transaction.atomic
def remove(user: User) -> None:
    """Remove all devices of the user at the user's request, and notify the user."""
    _delete_devices(user)
    _record("removed second factor", user)
    _notify(
        user,
        _("Your second factor was removed"),
        _(
            "The second factor of your account at %(site)s was removed: its password alone is enough."
        ),
    )


def _delete_devices(user: User) -> None:
    TOTPDevice.objects.filter(user=user).delete()
    RecoveryCodes.objects.filter(user=user).delete()


def _record(action: str, user: User, *, by: User | None = None) -> None:
    audit.record(action, kind="accounts.user", object_id=user.pk, label=str(user), by=by or user)


def _notify(user: User, subject: str, text: str, **values: str) -> None:
    """Send the user a mail once the change is committed."""
    unexpected = _(
        "If you did not do or request this, change your password and contact an administrator."
    )
    body = f"{text % {'site': settings.SITE_URL, **values}}\n\n{unexpected}"
    transaction.on_commit(
        lambda: send_mail(subject, body, settings.DEFAULT_FROM_EMAIL, [user.email])
    )


def _code() -> str:
    """Return a code such as “abcd-efgh-jkmn-pqrs”, of 79 random bits."""
    groups = ("".join(secrets.choice(CODE_ALPHABET) for _letter in range(4)) for _group in range(4))
    return "-".join(groups)


class SecondFactorStage(LoginStage):
    key = "second_factor"
    urlname = "second_factor"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        if not has_device(self.login.user):
            return None, True
        return HttpResponseRedirect(reverse(self.urlname)), True


def mark_passed(login: Login) -> None:
    """Mark the stage as passed, as for a sign-in over the API that checked the code itself."""
    login.state.setdefault("stages", {})[SecondFactorStage.key] = {"handled": True}
