"""The pages of the second factor: check, setup and management."""

from __future__ import annotations

import segno
from allauth.account.stages import LoginStageController
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_otp import login as note_device
from django_otp.models import Device

from crm.accounts import second_factor
from crm.accounts.current_user import user_of
from crm.accounts.forms import CodeForm
from crm.accounts.models import User
from crm.accounts.second_factor import SecondFactorStage
from crm.accounts.sign_in_limits import Locked

WRONG = _("This code is wrong. Wait for the next code and try again.")


@never_cache
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Check the code during a sign-in, or for a session that is older than the device."""
    stage = LoginStageController.enter(request, SecondFactorStage.key)
    if stage is None and not _needs_code(request):
        return HttpResponseRedirect(
            _target(request) if request.user.is_authenticated else reverse("account_login")
        )
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = stage.login.user if stage else user_of(request)
        device = _device(user, form)
        if device is not None:
            answer: HttpResponse = stage.exit() if stage else HttpResponseRedirect(_target(request))
            note_device(request, device)
            return answer
    return render(request, "account/second_factor.html", {"form": form})


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def enrol(request: HttpRequest) -> HttpResponse:
    """Show the secret as a QR code, and confirm the device by its first code."""
    user = user_of(request)
    if second_factor.has_device(user):
        return HttpResponseRedirect(
            reverse("second_factor_manage" if second_factor.satisfied(user) else "second_factor")
        )
    device = second_factor.begin(user)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        codes = second_factor.confirm(device, form.cleaned_data["code"])
        if codes is not None:
            note_device(request, device)
            return _codes(request, codes)
        form.add_error("code", WRONG)
    context = {
        "form": form,
        "picture": _qr_code(device.config_url),
        "secret": _key(device.config_url),
    }
    return render(request, "account/second_factor_enrol.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def manage(request: HttpRequest) -> HttpResponse:
    """Replace the recovery codes or remove the second factor, after a code."""
    user = user_of(request)
    if not second_factor.has_device(user):
        return HttpResponseRedirect(reverse("second_factor_enrol"))
    if not second_factor.satisfied(user):
        return HttpResponseRedirect(reverse("second_factor"))
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _device(user, form) is not None:
        if "remove" in request.POST:
            if second_factor.must_enrol(user):
                raise PermissionDenied(_("This site requires a second factor."))
            second_factor.remove(user)
            messages.success(request, _("Second factor removed."))
            return HttpResponseRedirect(reverse("admin:index"))
        return _codes(request, second_factor.new_recovery_codes(user))
    context = {"form": form, "may_remove": not second_factor.must_enrol(user)}
    return render(request, "account/second_factor_manage.html", context)


def _device(user: User, form: CodeForm) -> Device | None:
    """Return the device of the code in the form, or None with an error in the form."""
    try:
        device = second_factor.check(user, form.cleaned_data["code"])
    except Locked as error:
        form.add_error("code", error)
        return None
    if device is None:
        form.add_error("code", WRONG)
    return device


def _codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    context = {"codes": codes, "target": _target(request)}
    return render(request, "account/second_factor_codes.html", context)


def _needs_code(request: HttpRequest) -> bool:
    return second_factor.has_device(request.user) and not second_factor.satisfied(request.user)


def _target(request: HttpRequest) -> str:
    target = request.GET.get(REDIRECT_FIELD_NAME, "")
    safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if safe else reverse("admin:index")


def _qr_code(address: str) -> SafeString:
    """Draw a QR code as inline SVG, so that no other request contains the secret."""
    drawn = segno.make(address, error="m").svg_inline(
        scale=5, border=2, dark="#111827", light="#fff"
    )
    return mark_safe(drawn)  # noqa: S308  # generated by segno


def _key(address: str) -> str:
    """Return the secret in groups of four, for phones without a camera."""
    key = address.partition("secret=")[2].partition("&")[0]
    return " ".join(key[at : at + 4] for at in range(0, len(key), 4))
