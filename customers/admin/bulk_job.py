"""Bulk jobs: their progress, and the files of exports."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesCheckboxFilter

from crm import masking
from crm.adminkit import display
from crm.adminkit.base import page
from crm.adminkit.job_page import JobPage, JobReport
from customers.bulk import FORMATS
from customers.models import BulkJob, Segment

Action = BulkJob.Action


@admin.register(BulkJob)
class BulkJobAdmin(JobPage):
    """The actions of the list of customers create jobs; here staff follow them."""

    forbids = ("add", "change")

    list_display = ("subject", "status", "progress", "result", "by", "created_when")
    list_select_related = ("created_by",)
    list_filter = (("action", ChoicesCheckboxFilter), ("state", ChoicesCheckboxFilter))
    change_list_template = "admin/customers/bulkjob/list.html"
    file_fields = ("file",)

    class Media:
        css = {"all": ("kindling/customers.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[BulkJob]:
        return super().get_queryset(request).defer("customer_ids")

    def get_fields(self, request: HttpRequest, obj: BulkJob | None = None) -> tuple[str, ...]:
        return ()

    @page("file", "<int:pk>/file/", "view", "customers.view_customer")
    def file_view(self, request: HttpRequest, pk: int) -> FileResponse:
        """Download an exported file, if the user may see customers and what it contains."""
        job = self.job(request, pk)
        if not job.options.get("masked"):
            masking.refuse()
        if not job.file:
            raise Http404
        name = f"customers.{job.options['format']}"
        return FileResponse(job.file.open("rb"), as_attachment=True, filename=name)

    def report(self, job: BulkJob) -> JobReport:
        links = [(_("Back to the customers"), reverse("admin:customers_customer_changelist"))]
        if job.file:
            file = reverse("admin:customers_bulkjob_file", args=[job.pk])
            links.insert(0, (_("Download the file"), file))
        is_file_gone = job.action == Action.EXPORT and job.state == "finished" and not job.file
        return JobReport(
            title=self.subject(job),
            result=_result(job),
            links=links,
            note=_("The file was deleted. Export again to get a new one.") if is_file_gone else "",
        )

    @admin.display(description=gettext_lazy("Action"), ordering="action")
    def subject(self, job: BulkJob) -> str:
        """“Add tags: vip, spring”."""
        match job.action:
            case Action.EXPORT:
                details = FORMATS[job.options["format"]]
            case Action.ADD_TAGS | Action.REMOVE_TAGS:
                details = ", ".join(job.options["tags"])
            case _:
                segment = Segment.objects.filter(pk=job.options["segment"]).first()
                details = str(segment or _("deleted segment"))
        return f"{job.get_action_display()}: {details}"


def _result(job: BulkJob) -> str:
    if job.state != "finished":
        return ""
    if job.action == Action.EXPORT:
        return _("%s customers in the file") % display.number(job.total)
    return _("%(changed)s of %(total)s customers changed") % {
        "changed": display.number(job.changed),
        "total": display.number(job.total),
    }
