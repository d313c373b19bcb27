"""Export and erasure of one person's data: buttons on the customer's page, and receipts."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.enums import ActionVariant

from crm.accounts.current_user import user_of
from crm.accounts.middleware import SEE_PERSONAL_DATA
from crm.adminkit import confirm, display
from crm.adminkit.base import ModelAdmin
from crm.adminkit.job_page import JobPage, JobReport
from crm.api import ids
from customers.models import Customer, ErasureReceipt
from customers.privacy import DataSubject, erase, export, personal_tables


class PersonalData(ModelAdmin):
    """Mixin for the admin of customers (put it first): export and erase buttons on a customer's page."""

    actions_detail: Any = ("export_data", "erase_person")

    @action(
        description=gettext_lazy("Export data"),
        icon="download",
        permissions=["export_data"],
    )
    def export_data(self, request: HttpRequest, object_id: str) -> HttpResponse:
        customer = get_object_or_404(Customer, pk=object_id)
        held = export(customer, by=user_of(request))
        response = HttpResponse(
            json.dumps(held, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1),
            content_type="application/json; charset=utf-8",
        )
        name = ids.encode("cus", customer.pk)
        response["Content-Disposition"] = f'attachment; filename="{name}.json"'
        return response

    @action(
        description=gettext_lazy("Erase"),
        icon="person_off",
        variant=ActionVariant.DANGER,
        permissions=["erase_person"],
    )
    def erase_person(self, request: HttpRequest, object_id: str) -> HttpResponse:
        customer = get_object_or_404(Customer, pk=object_id)
        if not confirm.given(request):
            return self._ask(request, customer)
        receipt = erase(customer, by=user_of(request))
        self.message_user(request, _("The person was erased."), messages.SUCCESS)
        return redirect("admin:customers_erasurereceipt_change", receipt.pk)

    def has_export_data_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        return request.user.has_perms(("customers.export_personal_data", SEE_PERSONAL_DATA))

    def has_erase_person_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        return request.user.has_perms(("customers.erase_customer", SEE_PERSONAL_DATA))

    def _ask(self, request: HttpRequest, customer: Customer) -> HttpResponse:
        subject = DataSubject.of(customer)
        going = [
            confirm.Fact(count, each.label)
            for each in personal_tables()
            if each.exported and each.replace != {} and (count := each.rows(subject).count())
        ]
        return confirm.page(
            self,
            request,
            title=_("Erase %s?") % customer,
            button=_("Erase for good"),
            facts=going,
            note=_(
                "This deletes name, addresses and everything personal from these tables, from imported files and from logs, for good."
                " %(orders)s orders and %(spent)s stay under a number. The addresses can no longer be imported or written to."
            )
            % {
                "orders": display.number(customer.order_count),
                "spent": display.money(customer.total_spend),
            },
            back=reverse("admin:customers_customer_change", args=[customer.pk]),
            danger=True,
        )


@admin.register(ErasureReceipt)
class ErasureReceiptAdmin(JobPage):
    """Erasing a customer creates receipts; here they are read."""

    forbids = ("add", "change", "delete")

    list_display = ("receipt", "number", "status", "progress", "by", "created_when")
    list_select_related = ("created_by",)
    fields = ("number", "by", "created_when", "removed_rows", "failed_steps")
    readonly_fields = fields
    ordering = ("-id",)

    @admin.display(description=gettext_lazy("Receipt"))
    def receipt(self, receipt: ErasureReceipt) -> str:
        return ids.encode("era", receipt.pk)

    @admin.display(description=gettext_lazy("Record"))
    def number(self, receipt: ErasureReceipt) -> str:
        return f"#{receipt.customer_id}"

    def report(self, receipt: ErasureReceipt) -> JobReport:
        return JobReport(
            title=_("Erasure of record #%d") % receipt.customer_id,
            result=_("Nothing personal is left in tables, files and logs.")
            if receipt.finished_at
            else "",
            stage=_("A step failed and runs again every minute")
            if receipt.failures
            else _("Erasing files and logs"),
        )

    @admin.display(description=gettext_lazy("Removed"))
    def removed_rows(self, receipt: ErasureReceipt) -> SafeString | str:
        rows = (
            (_(name).capitalize(), display.number(n)) for name, n in receipt.removed.items() if n
        )
        return format_html_join("", "<div>{}: <b>{}</b></div>", rows) or display.NOTHING

    @admin.display(description=gettext_lazy("Failed steps"))
    def failed_steps(self, receipt: ErasureReceipt) -> SafeString | str:
        rows = ((_(name).capitalize(), error) for name, error in receipt.failures.items())
        return format_html_join("", "<div>{}: {}</div>", rows) or display.NOTHING
