"""The stage of a sign-in in which the second factor is shown; until it has passed, nobody is signed in."""

from __future__ import annotations

from allauth.account.models import Login
from allauth.account.stages import LoginStage
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from crm.accounts import second_factor


class SecondFactorStage(LoginStage):
    key = "second_factor"
    urlname = "second_factor"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        if not second_factor.has_device(self.login.user):
            return None, True
        return HttpResponseRedirect(reverse(self.urlname)), True


def passed(login: Login) -> None:
    """Note that the second factor was shown before this sign-in began, as over the API."""
    login.state.setdefault("stages", {})[SecondFactorStage.key] = {"handled": True}
