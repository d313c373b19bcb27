"""Adapters of allauth: sign-up by e-mail, and sign-in with Google: allowed accounts, and the calls to Google.

Google vouches for an address only where it is its own, or where the account belongs to the Workspace of the domain (`hd`): anybody can
create a Google account with an address elsewhere. See "Verify the Google ID token" in Google's identity documentation.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sites.models import Site
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode

from crm.accounts.sign_in_limits import SignIn
from crm.outbound.session import Session

GOOGLE_MAIL_DOMAINS = frozenset({"gmail.com", "googlemail.com"})


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """allauth's adapter for Google accounts; the second factor is a stage of the account adapter, as after a password."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        if settings.GOOGLE_DOMAINS and _domain(sociallogin) not in settings.GOOGLE_DOMAINS:
            context = {"domains": settings.GOOGLE_DOMAINS}
            raise ImmediateHttpResponse(
                render(request, "account/google_refused.html", context, status=403)
            )

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Allow the sign-up; pre_social_login checks GOOGLE_DOMAINS, and a new account has no permissions."""
        return True

    def can_authenticate_by_email(self, login: SocialLogin, email: str) -> bool:
        """Return whether Google vouches for the address, so that the existing account is signed in."""
        return email.lower().rpartition("@")[2] == _domain(login)

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: Any) -> Any:
        user = super().populate_user(request, sociallogin, data)
        names = (data.get("first_name"), data.get("last_name"))
        user.name = " ".join(name for name in names if name)[:150]
        return user

    def get_requests_session(self) -> requests.Session:
        """Return a session with a deadline and a log, unguarded because settings choose the target."""
        return Session("google", secrets=[settings.GOOGLE_CLIENT_SECRET], guarded=False)


def to_google(request: HttpRequest) -> HttpResponse:
    """Redirect to the sign-in with Google, then to `next`; 404 if it is not configured."""
    try:
        target = reverse("google_login")
    except NoReverseMatch:
        raise Http404 from None
    query = urlencode({"next": request.GET["next"]}) if "next" in request.GET else ""
    return HttpResponseRedirect(f"{target}?{query}" if query else target)


def _domain(login: SocialLogin) -> str:
    """Return the domain that Google vouches for, or ""."""
    account = login.account.extra_data
    if account.get("hd"):
        return str(account["hd"]).lower()
    domain = str(account.get("email", "")).lower().rpartition("@")[2]
    return domain if domain in GOOGLE_MAIL_DOMAINS else ""


class AccountAdapter(DefaultAccountAdapter):
    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail that names the site as its settings do."""
        site = Site(name=settings.SITE_NAME, domain=urlsplit(settings.SITE_URL).netloc)
        super().send_mail(template_prefix, email, {**context, "current_site": site})

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return SIGNUP_OPEN; a new user has no permissions until an administrator grants them."""
        return settings.SIGNUP_OPEN

    def get_login_stages(self) -> list[str]:
        """Add the second factor as the last stage."""
        return [*super().get_login_stages(), "crm.accounts.second_factor.SecondFactorStage"]

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """Return the user of the credentials, within the limits on failed sign-ins. Raises Locked."""
        given = str(credentials.get("email") or credentials.get("username") or "")
        sign_in = SignIn(given, request.META["REMOTE_ADDR"])
        sign_in.begin()
        user = super().authenticate(request, **credentials)
        (sign_in.succeed if user else sign_in.fail)()
        return user

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("admin:index")
