"""Imports: upload a file, confirm what its columns are, watch it go in, fetch what was rejected."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, DropdownFilter

from crm.accounts.current_user import user_of
from crm.accounts.personal_data_middleware import SEE
from crm.adminkit import display
from crm.adminkit.base import ModelAdmin
from crm.nudge import nudge
from customers.admin.import_form import MappingForm, UploadForm, unreadable
from customers.admin.kept_files import FilesGoToo
from customers.ingest import file_types, jobs
from customers.ingest.files import UnreadableFile
from customers.models import ImportJob

State = ImportJob.State

STATE_TONES: dict[str, display.Tone] = {
    State.UPLOADED: "warning",
    State.QUEUED: "info",
    State.RUNNING: "primary",
    State.FINISHED: "success",
    State.FAILED: "danger",
}
UNDER_WAY = frozenset({State.QUEUED, State.RUNNING})
STAGES = {
    "reading": gettext_lazy("Reading the file"),
    "assembling": gettext_lazy("Putting the orders together"),
    "writing": gettext_lazy("Writing"),
}


class KindFilter(DropdownFilter):
    title = gettext_lazy("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return file_types.choices()

    def queryset(self, request: HttpRequest, queryset: QuerySet[ImportJob]) -> QuerySet[ImportJob]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(ImportJob)
class ImportJobAdmin(FilesGoToo, ModelAdmin):
    file_fields = ("file", "rejected_file")
    form = UploadForm
    list_display = ("__str__", "what", "status", "how_far", "outcome", "by", "uploaded")
    list_select_related = ("created_by",)
    list_filter = (KindFilter, ("state", ChoicesCheckboxFilter))
    search_fields = ("name",)
    change_form_outer_before_template = "admin/customers/importjob/live_frame.html"

    class Media:
        css = {"all": ("kindling/customers.css",)}

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path(
                "<int:pk>/mapping/",
                wrap(self.guarded(self.mapping_view, "view", "add", SEE)),
                name="customers_importjob_mapping",
            ),
            path(
                "<int:pk>/progress/",
                wrap(self.guarded(self.progress_view, "view")),
                name="customers_importjob_progress",
            ),
            path(
                "<int:pk>/rejected/",
                wrap(self.guarded(self.rejected_view, "view", SEE)),
                name="customers_importjob_rejected",
            ),
            *super().get_urls(),
        ]

    def get_fields(self, request: HttpRequest, obj: ImportJob | None = None) -> tuple[str, ...]:
        return ("kind", "file", "create_missing") if obj is None else ()

    def has_change_permission(self, request: HttpRequest, obj: ImportJob | None = None) -> bool:
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        kind = request.GET.get("kind", "")
        return {"kind": kind} if kind in file_types.names() else {}

    def save_model(self, request: HttpRequest, obj: ImportJob, form: Any, change: bool) -> None:
        obj.name = str(obj.file.name).rpartition("/")[2][:255]
        obj.created_by = user_of(request)
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: ImportJob, post_url_continue: str | None = None
    ) -> HttpResponseRedirect:
        if reason := unreadable(obj):
            obj.file.delete(save=False)
            obj.delete()
            self.message_user(request, f"{obj.name}: {reason}", messages.ERROR)
            return redirect(f"{reverse('admin:customers_importjob_add')}?kind={obj.kind}")
        return redirect("admin:customers_importjob_mapping", obj.pk)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        job = self.get_object(request, object_id)
        if job and job.state == State.UPLOADED and self.has_add_permission(request):
            return redirect("admin:customers_importjob_mapping", job.pk)
        context = {**(extra_context or {}), "live": _live(job) if job else ""}
        return super().change_view(request, object_id, form_url, context)

    def mapping_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Confirm which column is which field; then the import starts."""
        job = self._job(request, pk)
        if job.state not in {State.UPLOADED, State.FAILED}:
            return redirect("admin:customers_importjob_change", pk)
        try:
            form = MappingForm(job, request.POST or None)
        except (UnreadableFile, OSError) as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect("admin:customers_importjob_changelist")
        if form.is_bound and form.is_valid():
            with transaction.atomic():
                jobs.queue(job, form.mapping, form.seen.reading)
                nudge("customers.tasks.run_import", job.pk)
            return redirect("admin:customers_importjob_change", pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("What is in %s?") % job.name,
            "job": job,
            "form": form,
            "media": self.media,
        }
        return TemplateResponse(request, "admin/customers/importjob/mapping.html", context)

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How far the import is, as the part of its page that asks for it again."""
        return HttpResponse(_live(self._job(request, pk)))

    def rejected_view(self, request: HttpRequest, pk: int) -> FileResponse:
        """The rows that were not taken, as a file."""
        job = self._job(request, pk)
        if not job.rejected_file:
            raise Http404
        name = f"{job.name.removesuffix('.gz').removesuffix('.csv')}-rejected.csv"
        return FileResponse(job.rejected_file.open("rb"), as_attachment=True, filename=name)

    def _job(self, request: HttpRequest, pk: int) -> ImportJob:
        job = self.get_object(request, str(pk))
        if job is None:
            raise Http404
        return job

    @admin.display(description=gettext_lazy("Kind"), ordering="kind")
    def what(self, job: ImportJob) -> str:
        return str(file_types.get(job.kind).label)

    @admin.display(description=gettext_lazy("State"), ordering="state")
    def status(self, job: ImportJob) -> SafeString:
        return display.badge(job.get_state_display(), STATE_TONES.get(job.state, "neutral"))

    @admin.display(description=gettext_lazy("Progress"))
    def how_far(self, job: ImportJob) -> SafeString | str:
        return (
            display.bar(round(job.progress * 100), 100)
            if job.state in UNDER_WAY
            else display.NOTHING
        )

    @admin.display(description=gettext_lazy("Outcome"))
    def outcome(self, job: ImportJob) -> str:
        if job.state != State.FINISHED:
            return job.error or display.NOTHING
        return _("%(created)s created, %(updated)s updated, %(rejected)s rejected") % {
            "created": display.number(job.created),
            "updated": display.number(job.updated),
            "rejected": display.number(job.rejected),
        }

    @admin.display(description=gettext_lazy("By"))
    def by(self, job: ImportJob) -> str:
        return str(job.created_by) if job.created_by else display.NOTHING

    @admin.display(description=gettext_lazy("Uploaded"), ordering="id")
    def uploaded(self, job: ImportJob) -> str:
        return display.when(job.created_at)


def _live(job: ImportJob) -> SafeString:
    return render_to_string(
        "admin/customers/importjob/live.html",
        {
            "job": job,
            "kind": file_types.get(job.kind).label,
            "under_way": job.state in UNDER_WAY,
            "state": display.badge(job.get_state_display(), STATE_TONES.get(job.state, "neutral")),
            "stage": STAGES.get(job.stage, "") if job.state == State.RUNNING else "",
            "percent": round(job.progress * 100),
            "eta": job.eta(),
            "tallies": [
                (_("rows read"), job.rows),
                (_("created"), job.created),
                (_("updated"), job.updated),
                (_("unchanged"), job.unchanged),
                (_("rejected"), job.rejected),
            ],
            "list_url": reverse(file_types.get(job.kind).changelist),
        },
    )
