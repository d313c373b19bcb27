"""The second factor as a stage of the sign-in; the user is signed in after it."""

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
    """Mark the stage as passed, as for a sign-in over the API that checked the code itself."""
    login.state.setdefault("stages", {})[SecondFactorStage.key] = {"handled": True}
