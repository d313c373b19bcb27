"""Bulk actions on the list of customers, and their forms. Each shows the number of customers and waits for confirmation."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from crm.accounts import audit
from crm.accounts.current_user import user_of
from crm.adminkit import confirm
from crm.adminkit.base import ModelAdmin
from crm.api import files
from customers import bulk, clean
from customers.models import BulkJob, Customer, Segment
from customers.models.segment import free_slug

Action = BulkJob.Action
Customers = QuerySet[Customer]

STREAMED_TO = 10_000
"""Up to this many rows of CSV are downloaded at once; larger exports are bulk jobs, and so are those without a place."""


class TagsForm(forms.Form):
    tags = forms.CharField(
        label=gettext_lazy("Tags"),
        max_length=1_000,
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True}),
        help_text=gettext_lazy("Separate several tags with commas."),
    )

    def clean_tags(self) -> list[str]:
        try:
            tags = clean.tags(self.cleaned_data["tags"])
        except ValueError as refused:
            raise forms.ValidationError(str(refused)) from None
        if not tags:
            raise forms.ValidationError(_("Enter at least one tag."))
        return tags

    def options(self) -> dict[str, Any]:
        return {"tags": self.cleaned_data["tags"]}


class SegmentListForm(forms.Form):
    """Chooses a static segment; dynamic ones follow their rules."""

    segment = forms.ModelChoiceField(
        Segment.objects.filter(kind=Segment.Kind.STATIC).order_by("name"),
        label=gettext_lazy("Static segment"),
        widget=UnfoldAdminSelectWidget(),
        help_text=gettext_lazy(
            "Dynamic segments are not listed, because their members follow their rules."
        ),
    )

    def options(self) -> dict[str, Any]:
        return {"segment": self.cleaned_data["segment"].pk}


class AnySegmentListForm(SegmentListForm):
    """Chooses a static segment, or creates one."""

    name = forms.CharField(
        label=gettext_lazy("Or name of a new segment"),
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["segment"].required = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if bool(cleaned.get("segment")) == bool(cleaned.get("name")) and not self.errors:
            raise forms.ValidationError(_("Choose a segment, or enter the name of a new one."))
        return cleaned

    def options(self) -> dict[str, Any]:
        name = self.cleaned_data["name"]
        if not name:
            return super().options()
        made = Segment.objects.create(name=name, slug=free_slug(name), kind=Segment.Kind.STATIC)
        return {"segment": made.pk}


class BulkActions(ModelAdmin):
    """Mixin for the admin of customers (put it first)."""

    actions: Any = (
        *("add_tags", "remove_tags", "add_to_segment", "remove_from_segment"),
        *("export_csv", "export_xlsx"),
    )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Remove Django's bulk deletion, which loads all dependent rows; people are erased on their page."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.action(description=gettext_lazy("Add tags…"), permissions=["change"])
    def add_tags(self, request: HttpRequest, queryset: Customers) -> HttpResponse:
        title, button = _("Add tags to these customers?"), _("Add tags")
        return self._ask_about(request, queryset, Action.ADD_TAGS, TagsForm, title, button)

    @admin.action(description=gettext_lazy("Remove tags…"), permissions=["change"])
    def remove_tags(self, request: HttpRequest, queryset: Customers) -> HttpResponse:
        title, button = _("Remove tags from these customers?"), _("Remove tags")
        return self._ask_about(request, queryset, Action.REMOVE_TAGS, TagsForm, title, button)

    @admin.action(description=gettext_lazy("Add to segment…"), permissions=["change_segments"])
    def add_to_segment(self, request: HttpRequest, queryset: Customers) -> HttpResponse:
        title, button = _("Add these customers to a segment?"), _("Add to segment")
        return self._ask_about(
            request, queryset, Action.ADD_TO_SEGMENT, AnySegmentListForm, title, button
        )

    @admin.action(description=gettext_lazy("Remove from segment…"), permissions=["change_segments"])
    def remove_from_segment(self, request: HttpRequest, queryset: Customers) -> HttpResponse:
        title, button = _("Remove these customers from a segment?"), _("Remove from segment")
        return self._ask_about(
            request, queryset, Action.REMOVE_FROM_SEGMENT, SegmentListForm, title, button
        )

    @admin.action(description=gettext_lazy("Export as CSV"), permissions=["view"])
    def export_csv(self, request: HttpRequest, queryset: Customers) -> HttpResponseBase:
        keys = list(queryset.values_list("pk", flat=True)[: STREAMED_TO + 1])
        user = request.user.pk
        if len(keys) > STREAMED_TO or files.EXPORTS.are_taken(user):
            return self._start(request, queryset, Action.EXPORT, {"format": "csv"})
        response = StreamingHttpResponse(
            files.EXPORTS.hold(bulk.as_csv(keys), user), content_type="text/csv; charset=utf-8"
        )
        response["Content-Disposition"] = 'attachment; filename="customers.csv"'
        return response

    @admin.action(description=gettext_lazy("Export as XLSX"), permissions=["view"])
    def export_xlsx(self, request: HttpRequest, queryset: Customers) -> HttpResponse:
        return self._start(request, queryset, Action.EXPORT, {"format": "xlsx"})

    def has_change_segments_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("customers.change_segment")

    def _ask_about(
        self,
        request: HttpRequest,
        queryset: Customers,
        action: str,
        form_class: type[forms.Form],
        title: str | Promise,
        button: str | Promise,
    ) -> HttpResponse:
        given = confirm.given(request)
        form: Any = form_class(request.POST if given else None)
        if given and form.is_valid():
            return self._start(request, queryset, action, form.options())
        count = queryset.count()
        return confirm.page(
            self,
            request,
            title=title,
            button=button,
            facts=[confirm.Fact(count, ngettext("customer", "customers", count))],
            form=form,
        )

    def _start(
        self, request: HttpRequest, queryset: Customers, action: str, options: dict[str, Any]
    ) -> HttpResponse:
        job = bulk.start(queryset, action, options, by=user_of(request))
        if "segment" in options:
            audit.record(
                "changed",
                kind="customers.segment",
                object_id=options["segment"],
                changes={"members": [None, job.total]},
            )
        if job.state == BulkJob.State.FINISHED and action != Action.EXPORT:
            self.message_user(request, _result(job), messages.SUCCESS)
            return redirect(request.get_full_path())
        return redirect("admin:customers_bulkjob_change", job.pk)


def _result(job: BulkJob) -> str:
    sentence = ngettext(
        "%(changed)d of %(total)d customer changed.",
        "%(changed)d of %(total)d customers changed.",
        job.total,
    )
    return sentence % {"changed": job.changed, "total": job.total}
