"""Devices of the second factor: phones, whose keys are sealed, and recovery codes, of which only digests are stored.

They replace django-otp's own models, which store keys and codes in clear.
"""

from __future__ import annotations

import logging
import secrets
from base64 import b32encode
from hashlib import sha256
from typing import ClassVar
from urllib.parse import quote, urlencode

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device, ThrottlingMixin, TimestampMixin
from django_otp.oath import TOTP

from crm import credentials

KEY_BYTES = 20
TOLERANCE = 1
"""Steps that the clock of a phone may be off."""

logger = logging.getLogger(__name__)


def new_key() -> str:
    """Return a new key, sealed."""
    return credentials.seal(secrets.token_hex(KEY_BYTES))


class TOTPDevice(TimestampMixin, ThrottlingMixin, Device):
    """A phone that shows one-time codes (RFC 6238). `drift` is how many steps its clock is off, `last_t` the step of its last code."""

    step: ClassVar[int] = 30
    t0: ClassVar[int] = 0
    digits: ClassVar[int] = 6

    key = credentials.SealedText(_("key"), default=new_key, editable=False)
    drift = models.SmallIntegerField(default=0)
    last_t = models.BigIntegerField(default=-1)

    class Meta:
        verbose_name = _("phone of a second factor")
        verbose_name_plural = _("phones of second factors")

    @property
    def bin_key(self) -> bytes:
        """Return the key. Raises credentials.Unreadable."""
        return bytes.fromhex(credentials.read(self.key))

    @property
    def config_url(self) -> str:
        """Return the address of the QR code (github.com/google/google-authenticator/wiki/Key-Uri-Format)."""
        issuer = settings.SITE_NAME.replace(":", "")
        secret = b32encode(self.bin_key).decode()
        options = {
            "secret": secret,
            "algorithm": "SHA1",
            "digits": self.digits,
            "period": self.step,
            "issuer": issuer,
        }
        label = quote(f"{issuer}:{self.user.get_username()}")
        return f"otpauth://totp/{label}?{urlencode(options, quote_via=quote)}"

    def verify_token(self, token: str) -> bool:
        """Return whether a code is right and newer than the last; a wrong one is throttled."""
        if not self.verify_is_allowed()[0]:
            return False
        try:
            clock = TOTP(self.bin_key, self.step, self.t0, self.digits, self.drift)
        except credentials.Unreadable as error:
            logger.error("%s %s of %s: %s", self._meta.verbose_name, self.pk, self.user, error)
            return False
        is_code = len(token) == self.digits and token.isascii() and token.isdecimal()
        if not (is_code and clock.verify(int(token), TOLERANCE, self.last_t + 1)):
            self.throttle_increment()
            return False
        self.last_t, self.drift = clock.t(), clock.drift
        self.throttle_reset(commit=False)
        self.set_last_used_timestamp(commit=False)
        self.save()
        return True

    def get_throttle_factor(self) -> int:
        return 1


class RecoveryCodes(TimestampMixin, ThrottlingMixin, Device):
    """Codes that replace a lost phone, each once; SHA-256 is enough for random codes of 79 bits."""

    digests = ArrayField(models.CharField(max_length=64))

    class Meta:
        verbose_name = _("recovery codes")
        verbose_name_plural = _("recovery codes")

    def verify_token(self, token: str) -> bool:
        """Return whether a code is one of these, and use it up; a wrong one is throttled."""
        if not self.verify_is_allowed()[0]:
            return False
        if (digest := digest_of(token)) not in self.digests:
            self.throttle_increment()
            return False
        self.digests.remove(digest)
        self.throttle_reset(commit=False)
        self.set_last_used_timestamp(commit=False)
        self.save()
        return True

    def get_throttle_factor(self) -> int:
        return 1


def digest_of(code: str) -> str:
    """Return the digest of a recovery code, however it is grouped."""
    return sha256(code.replace("-", "").encode()).hexdigest()
