"""The page of a job: its progress while it runs, its result afterwards, a button to cancel it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import jobs
from crm.adminkit import display
from crm.adminkit.base import ModelAdmin, column, page

_TONES: dict[str, display.Tone] = {
    "uploaded": "warning",
    "queued": "info",
    "running": "primary",
    "finished": "success",
    "failed": "danger",
}


@dataclass(frozen=True, slots=True)
class JobReport:
    """The facts of a job's page next to its state and progress.

    `tallies` are (label, number), `links` (label, address), the first of them the main one.
    """

    title: str
    result: str = ""
    stage: str | Promise = ""
    tallies: Sequence[tuple[str, int]] = ()
    links: Sequence[tuple[str, str]] = ()
    note: str = ""
    rows: Sequence[tuple[str, int]] = ()
    """Texts with a number of rows each, such as reasons."""
    start: tuple[str, str] | None = None
    """The label and address of a button that starts something."""


class JobPage(ModelAdmin):
    """Mixin for admins of jobs (put it first). Columns in `file_fields` hold files that are deleted with their row."""

    forbids: Sequence[str] = ("change",)

    file_fields: ClassVar[tuple[str, ...]] = ()
    change_form_outer_before_template = "admin/job_frame.html"

    def report(self, job: Any) -> JobReport:
        raise NotImplementedError

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        return {"live": self._live(request, obj)}

    @page("progress", "<int:pk>/progress/", "view")
    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Answer with the part of the page that shows progress and fetches itself again."""
        return HttpResponse(self._live(request, self.job(request, pk)))

    @page("cancel", "<int:pk>/cancel/", "delete")
    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Cancel the job on POST."""
        job = self.job(request, pk)
        if request.method == "POST":
            jobs.cancel(job, _("Cancelled by %s.") % request.user)
            self.message_user(request, _("Cancelled. Changes made so far stay."), messages.SUCCESS)
        return redirect(self._url("change", job))

    def job(self, request: HttpRequest, pk: int) -> Any:
        """Return the job of an address. Raises Http404."""
        job = self.get_object(request, str(pk))
        if job is None:
            raise Http404
        return job

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self._delete_files([obj])
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._delete_files(list(queryset))
        super().delete_queryset(request, queryset)

    @admin.display(description=gettext_lazy("State"), ordering="state")
    def status(self, job: Any) -> SafeString:
        return display.badge(job.get_state_display(), _TONES.get(job.state, "neutral"))

    @admin.display(description=gettext_lazy("Progress"))
    def progress(self, job: Any) -> SafeString | str:
        return display.bar(job.done, job.total) if job.is_under_way else display.NOTHING

    @admin.display(description=gettext_lazy("Result"))
    def result(self, job: Any) -> str:
        return job.error or self.report(job).result or display.NOTHING

    @admin.display(description=gettext_lazy("By"))
    def by(self, job: Any) -> str:
        return str(job.created_by) if job.created_by else display.NOTHING

    created_when = column("created_at", gettext_lazy("Created"), display.when, ordering="id")
    """An import has a column `created`, a number."""

    def _live(self, request: HttpRequest, job: Any) -> SafeString:
        context = {
            "job": job,
            "report": self.report(job),
            "state": self.status(job),
            "percent": round(100 * job.progress),
            "eta": job.eta(),
            "progress_url": self._url("progress", job),
            "cancel_url": self._url("cancel", job)
            if self.has_delete_permission(request, job)
            else "",
        }
        return render_to_string("admin/job.html", context, request)

    def _url(self, page: str, job: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}", args=[job.pk])

    def _delete_files(self, rows: list[Any]) -> None:
        for row in rows:
            for name in self.file_fields:
                if file := getattr(row, name):
                    transaction.on_commit(partial(file.storage.delete, file.name))
