"""The one answer to "has this person shown all that we ask for?", wherever it is asked."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django_otp import user_has_device


def satisfied(user: AbstractBaseUser | AnonymousUser) -> bool:
    """True for a user whose session passed the second factor, or who has no confirmed device to ask for."""
    if not user.is_authenticated:
        return False
    verified = getattr(user, "is_verified", None)  # put there by OTPMiddleware
    return bool(verified and verified()) or not user_has_device(user)
