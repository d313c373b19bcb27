"""One confirmation page for actions, with numbers: "send to 12,430 customers".

    @admin.action(description=_("Cancel campaigns"))
    def cancel(self, request, queryset):
        if not confirm.given(request):
            return confirm.page(
                self, request, title=_("Cancel these campaigns?"), button=_("Cancel campaigns"), danger=True,
                facts=[confirm.Fact(queryset.count(), _("campaigns"))],
            )
        ...

It works for bulk actions and for views of an object alike, because it posts the original data back to the same address, with the
confirmation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.forms import Form
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.safestring import SafeString

from crm import masking
from crm.adminkit import display

FIELD = "confirmed"


class Fact(NamedTuple):
    """A number that matters for the decision, possibly formatted, and its label."""

    number: int | str
    label: str | Promise


def customers(number: int, label: str | Promise) -> Fact:
    """Return a fact about a number of customers, as the user may see it."""
    return Fact(display.people(number) if masking.is_on() else number, label)


def given(request: HttpRequest) -> bool:
    """Return whether the user pressed the button of the confirmation page."""
    return request.method == "POST" and FIELD in request.POST


def page(
    admin: ModelAdmin,
    request: HttpRequest,
    *,
    title: str | Promise,
    button: str | Promise,
    facts: Sequence[Fact] = (),
    note: str | Promise = "",
    back: str = "",
    danger: bool = False,
    form: Form | None = None,
    details: SafeString | str = "",
    about: Model | None = None,
    hidden: Mapping[str, str] | None = None,
) -> TemplateResponse:
    """Return the confirmation page.

    `note` names the consequences, `details` is HTML, `back` the address of "No", by default the previous page, and `about` the object in
    the page's head. The values of `form` and `hidden` are posted with the confirmation.
    """
    own = {"csrfmiddlewaretoken", FIELD, *(form.fields if form else ())}
    asked = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in own
        for value in values
    ] + list((hidden or {}).items())
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.model._meta,
        "title": title,
        "button": button,
        "facts": facts,
        "note": note,
        "back": back or request.get_full_path(),
        "danger": danger,
        "asked": asked,
        "form": form,
        "details": details,
        "object": about,
        "confirmed_field": FIELD,
    }
    return TemplateResponse(request, "admin/confirm.html", context)
