"""Imports: upload a file, confirm its mapping, follow its progress, download rejected rows."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, DropdownFilter

from crm.accounts.current_user import user_of
from crm.accounts.middleware import SEE_PERSONAL_DATA
from crm.adminkit import display
from crm.adminkit.base import page
from crm.adminkit.job_page import JobPage, JobReport
from customers.admin.import_form import MappingForm, UploadForm, unreadable
from customers.ingest import (
    PREVIEWED_ROWS,
    ConsentAnswers,
    ConsentQuestion,
    Refused,
    SlowFile,
    UnreadableFile,
    ask_for_beginning,
    file_type,
    file_type_choices,
    file_type_names,
    queue_import,
    reading_of,
)
from customers.models import ImportJob

State = ImportJob.State
REASONS_SHOWN = 20

ASKS_AGAIN_SECONDS = 2
STAGES = {
    "reading": gettext_lazy("Reading the file"),
    "assembling": gettext_lazy("Assembling orders"),
    "writing": gettext_lazy("Writing"),
    "previewing": gettext_lazy("Counting, without writing"),
}


class FileTypeFilter(DropdownFilter):
    title = gettext_lazy("file type")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return file_type_choices()

    def queryset(self, request: HttpRequest, queryset: QuerySet[ImportJob]) -> QuerySet[ImportJob]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(ImportJob)
class ImportJobAdmin(JobPage):
    file_fields = ("file", "rejected_file")
    form = UploadForm
    list_display = ("__str__", "file_type", "status", "progress", "result", "by", "created_when")
    list_select_related = ("created_by",)
    list_filter = (FileTypeFilter, ("state", ChoicesCheckboxFilter))
    search_fields = ("name",)

    class Media:
        css = {"all": ("kindling/customers.css",)}

    def get_fields(self, request: HttpRequest, obj: ImportJob | None = None) -> tuple[str, ...]:
        return ("kind", "file", "create_missing", "store") if obj is None else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        kind = request.GET.get("kind", "")
        return {"kind": kind} if kind in file_type_names() else {}

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
        is_new = job and job.state == State.UPLOADED and not job.is_previewed
        if job and is_new and self.has_add_permission(request):
            return redirect("admin:customers_importjob_mapping", job.pk)
        return super().change_view(request, object_id, form_url, extra_context)

    @page("mapping", "<int:pk>/mapping/", "view", "add", SEE_PERSONAL_DATA)
    def mapping_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Confirm the mapping of columns to fields; then the import starts."""
        job = self.job(request, pk)
        if job.state not in {State.UPLOADED, State.FAILED}:
            return redirect("admin:customers_importjob_change", pk)
        try:
            form = MappingForm(job, request.POST or None)
        except SlowFile:
            ask_for_beginning(job)
            return self._waiting(request, job)
        except (UnreadableFile, OSError) as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect("admin:customers_importjob_changelist")
        if form.is_bound and form.is_valid():
            preview = "preview" in request.POST
            queue_import(job, form.mapping, form.reading, form.answers, preview=preview)
            return redirect("admin:customers_importjob_change", pk)
        return self._columns_page(request, job, "mapping", form=form)

    def _waiting(self, request: HttpRequest, job: ImportJob) -> TemplateResponse:
        """Answer with a page that asks again until a worker has read the beginning of the file."""
        page = self._columns_page(request, job, "reading")
        page["Refresh"] = f"{ASKS_AGAIN_SECONDS}; url={request.path}"
        return page

    def _columns_page(
        self, request: HttpRequest, job: ImportJob, name: str, **context: Any
    ) -> TemplateResponse:
        context |= {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Columns of %s") % job.name,
            "job": job,
            "media": self.media,
        }
        return TemplateResponse(request, f"admin/customers/importjob/{name}.html", context)

    @page("start", "<int:pk>/start/", "view", "add", SEE_PERSONAL_DATA)
    def start_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Start an import after its preview, as it was previewed."""
        job = self.job(request, pk)
        if request.method == "POST" and job.is_previewed:
            try:
                answers = ConsentAnswers.of(job.consent)
                queue_import(job, job.mapping, reading_of(job.reading), answers)
            except (Refused, ConsentQuestion, UnreadableFile) as error:
                self.message_user(request, str(error), messages.ERROR)
                return redirect("admin:customers_importjob_mapping", pk)
        return redirect("admin:customers_importjob_change", pk)

    @page("rejected", "<int:pk>/rejected/", "view", SEE_PERSONAL_DATA)
    def rejected_view(self, request: HttpRequest, pk: int) -> FileResponse:
        """Download the rejected rows."""
        job = self.job(request, pk)
        if not job.rejected_file:
            raise Http404
        name = f"{job.name.removesuffix('.gz').removesuffix('.csv')}-rejected.csv"
        return FileResponse(job.rejected_file.open("rb"), as_attachment=True, filename=name)

    @admin.display(description=gettext_lazy("State"), ordering="state")
    def status(self, job: ImportJob) -> SafeString:
        """Return the state; a finished import with rejected rows is not green."""
        if job.is_previewed:
            return display.badge(_("Previewed"), "info")
        if job.state == State.FINISHED and job.rejected:
            if job.rejected >= job.rows:
                return display.badge(_("All rows rejected"), "danger")
            return display.badge(_("Finished, some rows rejected"), "warning")
        return super().status(job)

    def report(self, job: ImportJob) -> JobReport:
        if job.is_previewed:
            return _preview_of(job, self.file_type(job))
        if job.state == State.FAILED:
            mapping = reverse("admin:customers_importjob_mapping", args=[job.pk])
            links = [(_("Check the columns and try again"), mapping)]
        else:
            links = [(_("View result"), reverse(file_type(job.kind).changelist))]
        if job.rejected_file:
            rejected = reverse("admin:customers_importjob_rejected", args=[job.pk])
            label = _("Rejected rows, with reasons")
            if job.unread_cells:
                label = _("Rejected rows and unread cells, with reasons")
            links.append((label, rejected))
        return JobReport(
            title=f"{job.name} · {self.file_type(job)}",
            result=_result(job) if job.state == State.FINISHED else "",
            stage=STAGES.get(job.stage, ""),
            tallies=[
                (_("rows read"), job.rows),
                (_("created"), job.created),
                (_("updated"), job.updated),
                (_("unchanged"), job.unchanged),
                (_("rejected"), job.rejected),
                (_("unread cells"), sum(job.unread_cells.values())),
                *([(_("unchanged opt-outs"), job.opt_outs_kept)] if job.opt_outs_kept else []),
            ],
            links=links,
            note=_note(job),
            rows=_reasons(job),
        )

    @admin.display(description=gettext_lazy("File type"), ordering="kind")
    def file_type(self, job: ImportJob) -> str:
        return str(file_type(job.kind).label)


def _reasons(job: ImportJob) -> list[tuple[str, int]]:
    return sorted(job.reasons.items(), key=lambda each: -each[1])[:REASONS_SHOWN]


def _preview_of(job: ImportJob, label: str) -> JobReport:
    notes = [_("Nothing is written yet.")]
    if job.rows >= PREVIEWED_ROWS:
        first = _("These are the figures of the first %s rows.") % display.number(job.rows)
        notes.insert(0, first)
    return JobReport(
        title=f"{job.name} · {label}",
        tallies=[
            (_("rows read"), job.rows),
            (_("will be created"), job.created),
            (_("will be updated"), job.updated),
            (_("unchanged"), job.unchanged),
            (_("will be rejected"), job.rejected),
            (_("unread cells"), sum(job.unread_cells.values())),
        ],
        start=(_("Start import"), reverse("admin:customers_importjob_start", args=[job.pk])),
        links=[
            (_("Change columns"), reverse("admin:customers_importjob_mapping", args=[job.pk])),
            (_("Finish later"), reverse("admin:customers_importjob_changelist")),
        ],
        note=" ".join(notes),
        rows=_reasons(job),
    )


def _note(job: ImportJob) -> str:
    notes = []
    if job.unread_cells:
        fields = file_type(job.kind).fields
        counts = ", ".join(
            f"{fields[name].label if name in fields else name}: {display.number(number)}"
            for name, number in job.unread_cells.items()
        )
        notes.append(
            _("Cells that could not be used became attributes where possible (%s).") % counts
        )
    if job.rejected_file:
        notes.append(
            _(
                "Fix the rejected rows in that file and import it again: it is written as your file is."
            )
        )
    return " ".join(notes)


def _result(job: ImportJob) -> str:
    return _("%(created)s created, %(updated)s updated, %(rejected)s rejected") % {
        "created": display.number(job.created),
        "updated": display.number(job.updated),
        "rejected": display.number(job.rejected),
    }
