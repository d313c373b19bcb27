"""The page on which people are put on a static segment's list, or taken off it: pasted, or from a file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextareaWidget,
)

from crm.adminkit import confirm, display
from customers.models import Segment
from customers.segments import find_customers, members, split_names

LARGEST_FILE = 20 * 2**20
SHOWN = 5


class ListForm(forms.Form):
    change = forms.ChoiceField(
        label=gettext_lazy("What to do"),
        choices=[
            ("add", gettext_lazy("Put them on the list")),
            ("remove", gettext_lazy("Take them off")),
        ],
        initial="add",
        widget=UnfoldAdminRadioSelectWidget(),
    )
    pasted = forms.CharField(
        label=gettext_lazy("People"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "E-mail addresses, your own customer ids or ours (cus_…): one a line, or between commas."
        ),
    )
    file = forms.FileField(
        label=gettext_lazy("Or a file of them"),
        required=False,
        widget=UnfoldAdminFileFieldWidget(),
        help_text=gettext_lazy("Text or CSV; up to 20 MB."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        file = cleaned.get("file")
        if file and file.size > LARGEST_FILE:
            self.add_error("file", _("This file is larger than 20 MB."))
            return cleaned
        text = cleaned.get("pasted", "")
        if file:
            text += "\n" + file.read().decode("utf-8-sig", errors="replace")
        cleaned["names"] = split_names(text)
        if not cleaned["names"]:
            raise forms.ValidationError(_("Paste people, or choose a file of them."))
        return cleaned


class ListMembers:
    """For an admin of segments: name `list_members` among its `actions_detail`."""

    @action(
        description=gettext_lazy("People on the list"), icon="playlist_add", permissions=["change"]
    )
    def list_members(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        segment = get_object_or_404(Segment, pk=object_id)
        if not self.has_change_permission(request, segment):
            raise PermissionDenied
        page = reverse("admin:customers_segment_change", args=[segment.pk])
        if segment.kind != Segment.Kind.STATIC:
            self.message_user(request, str(members.NotStatic()), "warning")
            return HttpResponseRedirect(page)
        form = ListForm(request.POST or None, request.FILES or None)
        if not confirm.given(request) or not form.is_valid():
            fact = confirm.Fact(segment.size, _("on the list now"))
            title, button = _("Who is on the list of “%s”?") % segment, _("Change the list")
            return confirm.page(
                self, request, title=title, button=button, facts=[fact], back=page, form=form
            )
        self.message_user(request, _changed(segment, form.cleaned_data))
        return HttpResponseRedirect(page)


def _changed(segment: Segment, given: dict[str, Any]) -> str:
    """Change the list, and say in a sentence what came of it."""
    called = find_customers(given["names"])
    if given["change"] == "add":
        number = members.add(segment, called.customer_ids)
        told = ngettext("%s person was put on the list", "%s people were put on the list", number)
    else:
        number = members.remove(segment, called.customer_ids)
        told = ngettext(
            "%s person was taken off the list", "%s people were taken off the list", number
        )
    told %= display.number(number)
    if called.unknown:
        told += _("; unknown: %(count)s (%(some)s)") % {
            "count": display.number(len(called.unknown)),
            "some": ", ".join(name[:50] for name in called.unknown[:SHOWN]),
        }
    return f"{told}."
