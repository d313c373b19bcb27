"""A page on which two segments stand side by side: who is in one of them alone, who in both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelect2Widget

from crm.adminkit import display
from customers.admin.venn import venn
from customers.models import Segment
from customers.segments.preview.overlap import Overlap, overlap


class CompareForm(forms.Form):
    first = forms.ModelChoiceField(
        Segment.objects.all(), label=gettext_lazy("Segment"), widget=UnfoldAdminSelect2Widget()
    )
    second = forms.ModelChoiceField(
        Segment.objects.all(),
        label=gettext_lazy("compared with"),
        widget=UnfoldAdminSelect2Widget(),
    )


@dataclass(frozen=True, slots=True)
class Part:
    """One row beside the picture: so many people, and what share that is of each segment."""

    kind: str
    label: str
    people: int
    of_first: str
    of_second: str


class Compare:
    """For an admin of segments: `compare` among its URLs, and `compare_with` among its `actions_detail`."""

    @action(description=gettext_lazy("Compare"), icon="join_inner", permissions=["view"])
    def compare_with(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        url = reverse("admin:customers_segment_compare")
        return HttpResponseRedirect(f"{url}?first={int(object_id)}")

    def compare(self: Any, request: HttpRequest) -> HttpResponse:
        form = CompareForm(
            request.GET if "second" in request.GET else None, initial=_chosen(request)
        )
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": _("Compare segments"),
            "form": form,
            "media": self.media + form.media,
            **(_compared(form.cleaned_data) if form.is_valid() else {}),
        }
        return TemplateResponse(request, "admin/customers/segment/compare.html", context)


def _chosen(request: HttpRequest) -> dict[str, str]:
    return {"first": request.GET.get("first", "")}


def _compared(chosen: dict[str, Segment]) -> dict[str, Any]:
    first, second = chosen["first"], chosen["second"]
    found = overlap(first, second)
    return {
        "first": first,
        "second": second,
        "overlap": found,
        "venn": venn(found),
        "parts": _parts(first, second, found),
    }


def _parts(first: Segment, second: Segment, found: Overlap) -> list[Part]:
    size, other_size = found.only_first + found.both, found.only_second + found.both
    return [
        Part(
            "first",
            _("only in %s") % first,
            found.only_first,
            display.rate(found.only_first, size),
            "",
        ),
        Part(
            "both",
            _("in both"),
            found.both,
            display.rate(found.both, size),
            display.rate(found.both, other_size),
        ),
        Part(
            "second",
            _("only in %s") % second,
            found.only_second,
            "",
            display.rate(found.only_second, other_size),
        ),
    ]
