"""Sign-in with Google: who may, and how Google is asked.

Google vouches for an address only where it is its own, or where the account belongs to the Workspace of the domain (`hd`): anybody can
open a Google account on an address elsewhere. See "Verify the Google ID token" in Google's identity documentation.
"""

from __future__ import annotations

from typing import Any

import requests
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode

from crm.outbound.session import Session

GOOGLES_OWN = frozenset({"gmail.com", "googlemail.com"})


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """What allauth asks us. The second factor is asked for as after a password: its stage is the account adapter's."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        if settings.GOOGLE_DOMAINS and _domain(sociallogin) not in settings.GOOGLE_DOMAINS:
            context = {"domains": settings.GOOGLE_DOMAINS}
            raise ImmediateHttpResponse(
                render(request, "account/google_refused.html", context, status=403)
            )

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Whoever GOOGLE_DOMAINS lets in; an account alone has no rights."""
        return True

    def can_authenticate_by_email(self, login: SocialLogin, email: str) -> bool:
        """Somebody's account here is theirs over Google too, where Google vouches for the address."""
        return email.lower().rpartition("@")[2] == _domain(login)

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: Any) -> Any:
        user = super().populate_user(request, sociallogin, data)
        names = (data.get("first_name"), data.get("last_name"))
        user.name = " ".join(name for name in names if name)[:150]
        return user

    def get_requests_session(self) -> requests.Session:
        """Through the door for outgoing calls: in the log, with a deadline. Where it goes is settings' to say, not a stranger's."""
        return Session("google", secrets=[settings.GOOGLE_CLIENT_SECRET], guarded=False)


def to_google(request: HttpRequest) -> HttpResponse:
    """`/api/auth/google`: on to the sign-in with Google, and from there to `next`. 404 where it is not set up."""
    try:
        target = reverse("google_login")
    except NoReverseMatch:
        raise Http404 from None
    query = urlencode({"next": request.GET["next"]}) if "next" in request.GET else ""
    return HttpResponseRedirect(f"{target}?{query}" if query else target)


def _domain(login: SocialLogin) -> str:
    """The domain that Google vouches for; empty where it does not."""
    told = login.account.extra_data
    if told.get("hd"):
        return str(told["hd"]).lower()
    domain = str(told.get("email", "")).lower().rpartition("@")[2]
    return domain if domain in GOOGLES_OWN else ""
