"""Likely duplicates, which staff compare, merge or dismiss; and merges, which they can undo."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import action

from crm.accounts.current_user import user_of
from crm.accounts.middleware import SEE_PERSONAL_DATA
from crm.adminkit import confirm, display
from crm.adminkit.base import ModelAdmin, column, page
from customers import identity
from customers.admin import merge_page
from customers.identity import NotMerged, merge, undo
from customers.models import Customer, LikelyDuplicate, Merge


class _LookedAt(ModelAdmin):
    """Base of both: rows are read-only, and merging has its own permission."""

    forbids = ("add", "change", "delete")

    list_display_links = None

    class Media:
        css = {"all": ("kindling/customers.css",)}

    def has_merge_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perms(("customers.merge_customer", SEE_PERSONAL_DATA))


@admin.register(LikelyDuplicate)
class LikelyDuplicateAdmin(_LookedAt):
    list_display = ("older", "newer", "because", "found", "compare")
    list_select_related = ("customer", "other")
    list_filter = (("reason", ChoicesCheckboxFilter),)
    actions = ("dismiss",)
    actions_list = ("look_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[LikelyDuplicate]:
        return super().get_queryset(request).filter(dismissed_at=None)

    @action(description=gettext_lazy("Find duplicates"), icon="refresh", permissions=["merge"])
    def look_again(self, request: HttpRequest) -> HttpResponse:
        found = identity.find_duplicates()
        self.message_user(
            request, ngettext("%d new pair was found.", "%d new pairs were found.", found) % found
        )
        return redirect("admin:customers_likelyduplicate_changelist")

    @admin.action(description=gettext_lazy("Dismiss as two people"), permissions=["merge"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[LikelyDuplicate]) -> None:
        count = identity.dismiss(queryset)
        self.message_user(
            request, ngettext("%d pair was dismissed.", "%d pairs were dismissed.", count) % count
        )

    @page("compare", "compare/<int:one>/<int:other>/", "merge")
    def compare_view(self, request: HttpRequest, one: int, other: int) -> HttpResponse:
        """Show both records; on POST, merge them."""
        sides = {
            "a": get_object_or_404(Customer, pk=one),
            "b": get_object_or_404(Customer, pk=other),
        }
        survivor = request.POST.get("survivor", "")
        if survivor in sides:
            stays, goes = sides.pop(survivor), *sides.values()
            fields = merge_page.chosen(request.POST, survivor)
            try:
                done = merge(stays.pk, goes.pk, chosen=fields, by=user_of(request))
            except NotMerged as error:
                self.message_user(request, str(error), messages.ERROR)
                return redirect("admin:customers_likelyduplicate_compare", one, other)
            self.message_user(request, _merged_message(done))
            return redirect("admin:customers_customer_change", stays.pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Are these one person?"),
            "sides": sides,
            "rows": merge_page.rows(*sides.values()),
            "figures": merge_page.figures(*sides.values()),
            "media": self.media,
        }
        return TemplateResponse(request, "admin/customers/merge/compare.html", context)

    @admin.display(description=gettext_lazy("Customer"))
    def older(self, pair: LikelyDuplicate) -> SafeString:
        return _who(pair.customer)

    @admin.display(description=gettext_lazy("Likely duplicate"))
    def newer(self, pair: LikelyDuplicate) -> SafeString:
        return _who(pair.other)

    @admin.display(description=gettext_lazy("Reason"), ordering="reason")
    def because(self, pair: LikelyDuplicate) -> SafeString:
        return display.badge(pair.get_reason_display(), "info")

    found = column("found_at", gettext_lazy("Found"), display.when, ordering="id")

    @admin.display(description="")
    def compare(self, pair: LikelyDuplicate) -> SafeString:
        return format_html(
            '<a class="font-semibold text-primary-600 dark:text-primary-500" href="{}">{}</a>',
            reverse(
                "admin:customers_likelyduplicate_compare", args=[pair.customer_id, pair.other_id]
            ),
            _("Compare and merge"),
        )


@admin.register(Merge)
class MergeAdmin(_LookedAt):
    list_display = ("stays", "went", "status", "why", "merged")
    list_select_related = ("survivor", "merged_by")
    list_filter = (("reason", ChoicesCheckboxFilter),)
    search_fields = ("=survivor__email", "=survivor__external_id", "=duplicate__email")
    actions_row = ("undo",)

    @action(description=gettext_lazy("Undo"), permissions=["merge"])
    def undo(self, request: HttpRequest, object_id: int) -> HttpResponse:
        if not confirm.given(request):
            return confirm.page(
                self,
                request,
                title=_("Undo this merge?"),
                button=_("Undo merge"),
                facts=_moved(get_object_or_404(Merge, pk=object_id)),
                note=_(
                    "Each record gets its rows back. Rows since the merge stay with the survivor."
                ),
                back=reverse("admin:customers_merge_changelist"),
            )
        try:
            done = undo(int(object_id))
        except NotMerged as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect("admin:customers_merge_changelist")
        self.message_user(request, _("The merge is undone."))
        return redirect("admin:customers_customer_change", done.duplicate_id)

    @admin.display(description=gettext_lazy("Survivor"))
    def stays(self, done: Merge) -> SafeString:
        return _who(done.survivor)

    @admin.display(description=gettext_lazy("Merged record"))
    def went(self, done: Merge) -> str:
        went = done.duplicate
        name = f"{went['first_name']} {went['last_name']}".strip()
        return " · ".join(part for part in (name, went["email"], went["external_id"]) if part)

    @admin.display(description=gettext_lazy("State"), ordering="undone_at")
    def status(self, done: Merge) -> SafeString:
        return (
            display.badge(_("undone")) if done.undone_at else display.badge(_("merged"), "success")
        )

    @admin.display(description=gettext_lazy("Reason"), ordering="reason")
    def why(self, done: Merge) -> str:
        by = f" ({done.merged_by})" if done.merged_by else ""
        return f"{done.get_reason_display()}{by}"

    merged = column("merged_at", gettext_lazy("Merged"), display.when, ordering="id")


def _who(customer: Customer) -> SafeString:
    return format_html(
        '<a class="flex flex-col" href="{}"><span class="font-semibold text-important">{}</span><span>{}</span></a>',
        reverse("admin:customers_customer_change", args=[customer.pk]),
        str(customer),
        customer.email or customer.external_id or customer.phone,
    )


def _merged_message(done: Merge) -> SafeString:
    return format_html(
        '{} <a class="underline" href="{}">{}</a>',
        _("The customers are merged."),
        reverse("admin:customers_merge_changelist"),
        _("You can undo this."),
    )


def _moved(done: Merge) -> list[confirm.Fact]:
    """Return how many rows of each familiar kind go back."""
    labels = {
        "customers_order.customer_id": _("orders"),
        "customers_interaction.customer_id": _("timeline entries"),
        "customers_identity.customer_id": _("ids"),
    }
    return [confirm.Fact(len(done.moved.get(key, ())), label) for key, label in labels.items()]
