"""What allauth asks us: who may sign up, and which stages a sign-in goes through."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Only with SIGNUP_OPEN; and who signs up has no rights until an administrator gives them."""
        return settings.SIGNUP_OPEN

    def get_login_stages(self) -> list[str]:
        """The second factor comes last: after it, somebody is signed in."""
        return [*super().get_login_stages(), "crm.accounts.login_stages.SecondFactorStage"]

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("admin:index")
