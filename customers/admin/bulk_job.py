"""Bulk jobs: watched while they run, their files fetched."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesCheckboxFilter

from crm import masking
from crm.adminkit import display
from crm.adminkit.base import ModelAdmin
from customers.admin.kept_files import FilesGoToo
from customers.bulk.export import FORMATS
from customers.models import BulkJob, Segment

Action, State = BulkJob.Action, BulkJob.State

STATE_TONES: dict[str, display.Tone] = {
    State.QUEUED: "info",
    State.RUNNING: "primary",
    State.FINISHED: "success",
    State.FAILED: "danger",
}
UNDER_WAY = frozenset({State.QUEUED, State.RUNNING})


@admin.register(BulkJob)
class BulkJobAdmin(FilesGoToo, ModelAdmin):
    """Jobs are made by the actions of the list of customers; here they are watched."""

    list_display = ("what", "status", "how_far", "outcome", "by", "asked")
    list_select_related = ("created_by",)
    list_filter = (("action", ChoicesCheckboxFilter), ("state", ChoicesCheckboxFilter))
    change_form_outer_before_template = "admin/customers/importjob/live_frame.html"
    change_list_template = "admin/customers/bulkjob/list.html"
    file_fields = ("file",)

    class Media:
        css = {"all": ("kindling/customers.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[BulkJob]:
        return super().get_queryset(request).defer("customer_ids")

    def get_fields(self, request: HttpRequest, obj: BulkJob | None = None) -> tuple[str, ...]:
        return ()

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path(
                "<int:pk>/progress/",
                wrap(self.guarded(self.progress_view, "view")),
                name="customers_bulkjob_progress",
            ),
            path(
                "<int:pk>/file/",
                wrap(self.guarded(self.file_view, "view", "customers.view_customer")),
                name="customers_bulkjob_file",
            ),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        job = self.get_object(request, object_id)
        context = {**(extra_context or {}), "live": _live(job) if job else ""}
        return super().change_view(request, object_id, form_url, context)

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How far the job is, as the part of its page that asks for it again."""
        return HttpResponse(_live(self._job(request, pk)))

    def file_view(self, request: HttpRequest, pk: int) -> FileResponse:
        """The file of an export, for who may see customers, and what is in it."""
        job = self._job(request, pk)
        if not job.options.get("masked"):
            masking.refuse()
        if not job.file:
            raise Http404
        name = f"customers.{job.options['format']}"
        return FileResponse(job.file.open("rb"), as_attachment=True, filename=name)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: BulkJob | None = None) -> bool:
        return False

    def _job(self, request: HttpRequest, pk: int) -> BulkJob:
        job = self.get_object(request, str(pk))
        if job is None:
            raise Http404
        return job

    @admin.display(description=gettext_lazy("What"), ordering="action")
    def what(self, job: BulkJob) -> str:
        return _what(job)

    @admin.display(description=gettext_lazy("State"), ordering="state")
    def status(self, job: BulkJob) -> SafeString:
        return _badge(job)

    @admin.display(description=gettext_lazy("Progress"))
    def how_far(self, job: BulkJob) -> SafeString | str:
        return display.bar(job.done, job.total) if job.state in UNDER_WAY else display.NOTHING

    @admin.display(description=gettext_lazy("Outcome"))
    def outcome(self, job: BulkJob) -> str:
        return _outcome(job)

    @admin.display(description=gettext_lazy("By"))
    def by(self, job: BulkJob) -> str:
        return str(job.created_by) if job.created_by else display.NOTHING

    @admin.display(description=gettext_lazy("Asked for"), ordering="id")
    def asked(self, job: BulkJob) -> str:
        return display.when(job.created_at)


def _live(job: BulkJob) -> SafeString:
    return render_to_string(
        "admin/customers/bulkjob/live.html",
        {
            "job": job,
            "what": _what(job),
            "state": _badge(job),
            "under_way": job.state in UNDER_WAY,
            "percent": 100 * job.done // job.total if job.total else 0,
            "done": display.number(job.done),
            "total": display.number(job.total),
            "eta": job.eta(),
            "outcome": _outcome(job),
            "file_gone": job.action == Action.EXPORT and not job.file,
            "list_url": reverse("admin:customers_customer_changelist"),
        },
    )


def _badge(job: BulkJob) -> SafeString:
    return display.badge(job.get_state_display(), STATE_TONES.get(job.state, "neutral"))


def _what(job: BulkJob) -> str:
    """“Add tags: vip, spring”."""
    match job.action:
        case Action.EXPORT:
            about = FORMATS[job.options["format"]]
        case Action.ADD_TAGS | Action.REMOVE_TAGS:
            about = ", ".join(job.options["tags"])
        case _:
            segment = Segment.objects.filter(pk=job.options["segment"]).first()
            about = str(segment or _("a segment that is gone"))
    return f"{job.get_action_display()}: {about}"


def _outcome(job: BulkJob) -> str:
    if job.state != State.FINISHED:
        return job.error or display.NOTHING
    if job.action == Action.EXPORT:
        return _("%s customers in the file") % display.number(job.total)
    return _("%(changed)s of %(total)s customers changed") % {
        "changed": display.number(job.changed),
        "total": display.number(job.total),
    }
