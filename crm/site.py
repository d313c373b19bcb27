"""The admin site: sign-in by allauth, the home page, and the branding of every page."""

from __future__ import annotations

import time
from typing import Any, cast
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from unfold.sites import UnfoldAdminSite

from crm import command_palette, unfold
from crm.accounts import second_factor


def branding(request: HttpRequest) -> dict[str, Any]:
    """Return name, currency and look of the site for every template, as a context processor."""
    return {
        "site_name": settings.SITE_NAME,
        "currency": settings.CURRENCY,
        "signup_open": settings.SIGNUP_OPEN,
        "google": apps.is_installed("allauth.socialaccount.providers.google"),
        **cast(KindlingAdminSite, admin.site).look(request),
    }


class KindlingAdminSite(UnfoldAdminSite):
    def look(self, request: HttpRequest) -> dict[str, Any]:
        """Return the variables of unfold's bare layout for pages outside the admin."""
        return {
            "site_title": self._get_config("SITE_TITLE", request),
            "theme": self._get_config("THEME", request),
            "border_radius": self._get_config("BORDER_RADIUS", request),
            "colors": self._get_colors("COLORS", request),
            "site_favicons": self._get_favicons("SITE_FAVICONS", request),
            "styles": self._get_list("STYLES", request),
        }

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return unfold's context of every page, with the tabs of its section and the title of the current one."""
        tabs = unfold.tabs(request) if self.has_permission(request) else []
        here = next((tab["title"] for tab in tabs if tab["active"]), "")
        return {**super().each_context(request), "page_tabs": tabs, "page_title": here}

    def extra_urls(self) -> list[URLPattern]:
        """Return the pages that belong to no model: those of each admin's `site_urls`."""
        owners = [each for each in self._registry.values() if hasattr(each, "site_urls")]
        return [url for owner in owners for url in owner.site_urls()]

    def search(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Answer Ctrl+K. Unfold's own search reads every match, and caches names for all."""
        started = time.perf_counter()
        results = command_palette.find(request, request.GET.get("s", ""))
        context = {
            "results": results,
            "page_obj": {"count": len(results)},
            "page_counter": 0,
            "execution_time": time.perf_counter() - started,
        }
        return TemplateResponse(
            request,
            "unfold/helpers/command_results.html",
            context,
            headers={"HX-Trigger": "search"},
        )

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and second_factor.satisfied(request.user)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Redirect to allauth's sign-in; signed-in users without access get a page, not a loop."""
        target = _safe_next(request)
        if self.has_permission(request):
            return HttpResponseRedirect(target)
        if request.user.is_authenticated:
            return TemplateResponse(
                request,
                "account/no_access.html",
                self.each_context(request),
                status=403,
            )
        return HttpResponseRedirect(_with_next("account_login", target))

    def logout(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Sign out on POST; a GET shows allauth's confirmation page."""
        if request.method != "POST":
            return HttpResponseRedirect(reverse("account_logout"))
        get_adapter(request).logout(request)
        return HttpResponseRedirect(reverse("account_login"))


def _safe_next(request: HttpRequest) -> str:
    target = request.GET.get(REDIRECT_FIELD_NAME, "")
    safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if safe else reverse("admin:index")


def _with_next(url_name: str, target: str) -> str:
    return f"{reverse(url_name)}?{urlencode({REDIRECT_FIELD_NAME: target})}"
