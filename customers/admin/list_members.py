"""The page that adds customers to a static segment or removes them, from pasted text or a file."""

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
from unfold.widgets import UnfoldAdminRadioSelectWidget

from crm.adminkit import confirm, display
from crm.adminkit.pasted_list import PastedListForm
from customers.models import Segment
from customers.segments import find_customers, members, split_names

SHOWN = 5


class ListForm(PastedListForm):
    field_order = ("change", "pasted", "file")
    items_label = gettext_lazy("Customers")
    items_help = gettext_lazy(
        "Enter e-mail addresses, external ids or public ids (cus_…), one per line or separated by commas."
    )
    change = forms.ChoiceField(
        label=gettext_lazy("Action"),
        choices=[
            ("add", gettext_lazy("Add to the segment")),
            ("remove", gettext_lazy("Remove from the segment")),
        ],
        initial="add",
        widget=UnfoldAdminRadioSelectWidget(),
    )

    def split(self, text: str) -> list[str]:
        return split_names(text)


class ListMembers:
    """A mixin for the segment admin: list `list_members` in `actions_detail`."""

    @action(description=gettext_lazy("Edit members"), icon="playlist_add", permissions=["change"])
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
            fact = confirm.customers(segment.size, _("current members"))
            title, button = _("Edit members of “%s”") % segment, _("Save members")
            return confirm.page(
                self, request, title=title, button=button, facts=[fact], back=page, form=form
            )
        self.message_user(request, _changed(segment, form.cleaned_data))
        return HttpResponseRedirect(page)


def _changed(segment: Segment, given: dict[str, Any]) -> str:
    """Change the list; return the result as a sentence."""
    found = find_customers(given["items"])
    if given["change"] == "add":
        number = members.add(segment, found.customer_ids)
        result = ngettext("%s customer added", "%s customers added", number)
    else:
        number = members.remove(segment, found.customer_ids)
        result = ngettext("%s customer removed", "%s customers removed", number)
    result %= display.number(number)
    if found.unknown:
        result += _("; unknown: %(count)s (%(some)s)") % {
            "count": display.number(len(found.unknown)),
            "some": ", ".join(name[:50] for name in found.unknown[:SHOWN]),
        }
    return f"{result}."
