"""allauth's account adapter: sign-up, and the stages of a sign-in."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return SIGNUP_OPEN; a new user has no permissions until an administrator grants them."""
        return settings.SIGNUP_OPEN

    def get_login_stages(self) -> list[str]:
        """Add the second factor as the last stage."""
        return [*super().get_login_stages(), "crm.accounts.login_stages.SecondFactorStage"]

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("admin:index")
