"""One page that asks before something happens, with the numbers: "send to 12,430 people".

    @admin.action(description=_("Cancel campaigns"))
    def cancel(self, request, queryset):
        if not confirm.given(request):
            return confirm.page(
                self, request, title=_("Cancel these campaigns?"), button=_("Cancel campaigns"), danger=True,
                facts=[confirm.Fact(queryset.count(), _("campaigns"))],
            )
        ...

It works for bulk actions and for any view of an object alike, because it posts what it was asked with back to where it
came from, and the word that it was confirmed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.forms import Form
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.safestring import SafeString

FIELD = "confirmed"


class Fact(NamedTuple):
    """A number that the decision hangs on, with what it counts; a number may come already formatted."""

    number: int | str
    label: str | Promise


def given(request: HttpRequest) -> bool:
    """True once the person pressed the button of the page below."""
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
) -> TemplateResponse:
    """The question. `note` says what follows or cannot be undone, `details` (HTML) whom it concerns; `back` is where "No" leads, else the
    page before. `about` is named in the page's head.

    `form` asks for what is still to be said; its answer is posted with the word that it was confirmed.
    """
    own = {"csrfmiddlewaretoken", FIELD, *(form.fields if form else ())}
    asked = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in own
        for value in values
    ]
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
