"""The page that explains why a customer is in a segment or not: each rule's answer and value."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelect2Widget, UnfoldAdminTextInputWidget

from crm.adminkit import display
from crm.adminkit.base import page
from customers.models import Customer, Segment
from customers.segments import (
    Reason,
    RuleError,
    explain,
    find_customers,
)


class ExplainForm(forms.Form):
    segment = forms.ModelChoiceField(
        Segment.objects.all(), label=gettext_lazy("Segment"), widget=UnfoldAdminSelect2Widget()
    )
    customer = forms.CharField(
        label=gettext_lazy("E-mail or id of a customer"), widget=UnfoldAdminTextInputWidget()
    )

    def clean_customer(self) -> Customer:
        found = find_customers([self.cleaned_data["customer"].strip()]).customer_ids
        if not found:
            raise ValidationError(_("No customer has this e-mail or id. Check the spelling."))
        return Customer.objects.get(pk=found[0])


class Explain:
    """A mixin for the segment admin: `explain` in its URLs, `explain_membership` in `actions_detail`."""

    @action(description=gettext_lazy("Explain membership"), icon="help", permissions=["view"])
    def explain_membership(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        url = reverse("admin:customers_segment_explain")
        return HttpResponseRedirect(f"{url}?segment={int(object_id)}")

    @page("explain", "explain/", "view", "customers.view_customer")
    def explain(self: Any, request: HttpRequest) -> HttpResponse:
        is_asked = "customer" in request.GET
        form = ExplainForm(
            request.GET if is_asked else None, initial={"segment": request.GET.get("segment")}
        )
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": _("Explain membership"),
            "form": form,
            "media": self.media + form.media,
            **(_explained(form.cleaned_data) if form.is_valid() else {}),
        }
        return TemplateResponse(request, "admin/customers/segment/explain.html", context)


def _explained(asked: dict[str, Any]) -> dict[str, Any]:
    segment, customer = asked["segment"], asked["customer"]
    found: dict[str, Any] = {
        "segment": segment,
        "customer": customer,
        "membership": segment.memberships.filter(customer=customer).first(),
    }
    if segment.kind == Segment.Kind.STATIC:
        return found
    try:
        return {**found, "reason": _row(explain(segment.rules, customer))}
    except RuleError as refused:
        return {**found, "refused": str(refused)}


def _row(reason: Reason) -> dict[str, Any]:
    """Return a reason for the template; a group has rows of its own."""
    if group := reason.group:
        return {
            "holds": reason.holds,
            "operator": group.operator,
            "negate": group.negate,
            "rows": [_row(each) for each in reason.parts],
        }
    return {"holds": reason.holds, "sentence": reason.sentence, "value": _shown(reason)}


def _shown(reason: Reason) -> str:
    """Return the value behind a reason as text."""
    value = reason.value
    if value is None or value in ("", [], ()):
        return _("no value")
    if isinstance(value, datetime):
        return date_format(timezone.localtime(value), "DATETIME_FORMAT")
    if isinstance(value, date):
        return date_format(value)
    if isinstance(value, list | tuple | set):
        return ", ".join(str(each) for each in value)
    if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
        return display.money(Decimal(value)) if reason.is_money else display.number(value)
    return str(value)
