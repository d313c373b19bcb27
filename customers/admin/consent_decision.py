"""The button on a customer's page that records a decision about a channel or topic."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from crm.accounts.current_user import user_of
from crm.accounts.middleware import SEE_PERSONAL_DATA
from crm.adminkit import confirm
from crm.adminkit.base import ModelAdmin
from customers import consent
from customers.models import Consent, Customer, Topic
from customers.models.consent import ADDRESS_FIELDS

Decision = Consent.Decision


class DecisionForm(forms.Form):
    """A decision of a customer, with its evidence; an opt-in after an opt-out is a new consent, which needs one."""

    channel = forms.ChoiceField(
        label=gettext_lazy("Channel"),
        choices=[(channel.value, channel.label) for channel in ADDRESS_FIELDS],
        widget=UnfoldAdminSelectWidget,
    )
    topic = forms.ModelChoiceField(
        Topic.objects.order_by("order", "name"),
        label=gettext_lazy("Topic"),
        required=False,
        empty_label=gettext_lazy("All messages of the channel"),
        widget=UnfoldAdminSelectWidget,
    )
    decision = forms.ChoiceField(
        label=gettext_lazy("Decision"),
        choices=[
            (Decision.OPTED_OUT.value, gettext_lazy("Opted out")),
            (Decision.OPTED_IN.value, gettext_lazy("Opted in")),
        ],
        widget=UnfoldAdminRadioSelectWidget,
    )
    evidence = forms.CharField(
        label=gettext_lazy("Evidence"),
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("How the customer decided, such as “by phone on 3 May”."),
    )

    def record(self, customer: Customer, *, by: str) -> None:
        """Record the decision. It holds for the address, too, as one that the customer makes."""
        given = self.cleaned_data
        topic = given["topic"].slug if given["topic"] else ""
        if given["decision"] == Decision.OPTED_OUT:
            evidence = _("recorded by %(who)s: %(evidence)s")
            decide: Any = consent.opt_out_with_address
        else:
            evidence = _("new consent, recorded by %(who)s: %(evidence)s")
            decide = consent.opt_in
        evidence %= {"who": by, "evidence": given["evidence"]}
        decide(customer.pk, given["channel"], evidence, topic=topic)


class ConsentDecision(ModelAdmin):
    """Mixin for the admin of customers (put it first)."""

    actions_detail: Any = ("decide",)

    @action(description=gettext_lazy("Record consent"), icon="fact_check", permissions=["decide"])
    def decide(self, request: HttpRequest, object_id: str) -> HttpResponse:
        customer = get_object_or_404(Customer, pk=object_id, erased_at=None)
        page = reverse("admin:customers_customer_change", args=[customer.pk])
        form = DecisionForm(request.POST if confirm.given(request) else None)
        if form.is_bound and form.is_valid():
            form.record(customer, by=str(user_of(request)))
            self.message_user(request, _("Decision recorded."), messages.SUCCESS)
            return redirect(page)
        return confirm.page(
            self,
            request,
            title=_("Record a decision of %s?") % customer,
            button=_("Record decision"),
            note=_(
                "An opt-out holds for every record with the address. Record an opt-in only where the customer has given it."
            ),
            form=form,
            back=page,
            about=customer,
        )

    def has_decide_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        return request.user.has_perms(("customers.add_consent", SEE_PERSONAL_DATA))
