"""The admin of workflows: their list, the editor of drafts, the published version with its figures, and publishing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesCheckboxFilter

from crm import masking
from crm.accounts.current_user import user_of
from crm.adminkit import confirm, display
from crm.adminkit.base import List, ModelAdmin, page
from crm.adminkit.confirm import Fact
from marketing import workflows
from marketing.admin import badges, workflow_editor, workflow_live, workflow_trial
from marketing.admin.workflow_forms import PlanForm, ResumeForm, SettingsForm
from marketing.models import Workflow

State = Workflow.State


class Move(NamedTuple):
    """A move of marketing.workflows: the states in which it is offered, its button, and the question before it."""

    act: Callable[..., Workflow]
    states: frozenset[str]
    label: str | Promise
    icon: str
    title: str | Promise
    note: str | Promise


MOVES = {
    "activate": Move(
        workflows.activate,
        frozenset({State.DRAFT}),
        gettext_lazy("Activate"),
        "play_arrow",
        gettext_lazy("Activate this workflow?"),
        gettext_lazy("Customers enter the published version from now on."),
    ),
    "pause": Move(
        workflows.pause,
        frozenset({State.ACTIVE}),
        gettext_lazy("Pause"),
        "pause",
        gettext_lazy("Pause this workflow?"),
        gettext_lazy("No customer enters or moves until you resume it. Waits end meanwhile."),
    ),
    "resume": Move(
        workflows.resume,
        frozenset({State.PAUSED}),
        gettext_lazy("Resume"),
        "play_arrow",
        gettext_lazy("Resume this workflow?"),
        gettext_lazy("Steps that fell due meanwhile are taken now, but for those left out below."),
    ),
    "archive": Move(
        workflows.archive,
        frozenset({State.ACTIVE, State.PAUSED}),
        gettext_lazy("Archive"),
        "archive",
        gettext_lazy("Archive this workflow?"),
        gettext_lazy(
            "It ends for good, with every passage under way. Its messages that have not left are skipped."
        ),
    ),
}


class WorkflowList(List):
    """A page of workflows, each with its overview."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        found = workflows.overview_of([each.pk for each in self.result_list])
        for workflow in self.result_list:
            workflow.overview = found.get(workflow.pk, workflows.Overview())


@admin.register(Workflow)
class WorkflowAdmin(ModelAdmin):
    form = SettingsForm
    list_per_page = 25
    list_display = ("title", "status", "under_way", "entered", "goal_rate", "last_error", "changed")
    list_filter = (("state", ChoicesCheckboxFilter),)
    search_fields = ("name", "description")
    search_help_text = gettext_lazy("Name or description")
    empty_says = gettext_lazy(
        "A workflow takes customers through steps: it waits, looks, sends and ends. Start from one that is ready."
    )
    fields = ("name", "description", "slug", "timezone", "tags")
    change_form_outer_before_template = "admin/marketing/workflow/head.html"

    class Media:
        css: ClassVar[dict[str, Sequence[str]]] = {"all": ("kindling/workflow.css",)}

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[List]:
        return WorkflowList

    def has_run_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("marketing.run_workflow")

    def has_delete_permission(self, request: HttpRequest, obj: Workflow | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not obj.enrollments.exists())

    @admin.display(description=gettext_lazy("Name"), ordering="name")
    def title(self, workflow: Workflow) -> SafeString:
        return format_html(
            '<span class="flex flex-col"><span class="font-semibold text-important">{}</span><span>{}</span></span>',
            workflow.name,
            workflows.entry_in_words(workflow.draft),
        )

    @admin.display(description=gettext_lazy("State"), ordering="state")
    def status(self, workflow: Workflow) -> SafeString:
        return badges.workflow_state(workflow)

    @admin.display(description=gettext_lazy("Under way"))
    def under_way(self, workflow: Any) -> str:
        return display.people(workflow.overview.under_way)

    @admin.display(description=gettext_lazy("Entered in 7 days"))
    def entered(self, workflow: Any) -> SafeString:
        overview = workflow.overview
        return format_html(
            '<span class="wf-entered"><b>{}</b>{}</span>',
            display.people(overview.entered_in_week),
            workflow_live.sparkline(overview.by_day),
        )

    @admin.display(description=gettext_lazy("Goal rate"))
    def goal_rate(self, workflow: Any) -> str:
        if not workflow.version_id or not (workflow.draft or {}).get("goal"):
            return display.NOTHING
        return display.rate(workflow.overview.goals, workflow.overview.entered)

    @admin.display(description=gettext_lazy("Last error"))
    def last_error(self, workflow: Any) -> SafeString | str:
        if not workflow.overview.failed:
            return display.NOTHING
        return format_html(
            '<span class="wf-error" title="{0}">{0}</span>',
            masking.seen(workflow.overview.error, masking.prose) or _("failed"),
        )

    @admin.display(description=gettext_lazy("Changed"), ordering="updated_at")
    def changed(self, workflow: Workflow) -> SafeString | str:
        return display.when(workflow.updated_at)

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the workflows to start from; make a draft of the chosen one, and open it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            starter = workflows.find_starter(request.POST.get("starter", ""))
            if starter is None:
                raise Http404
            workflow = workflows.start_from(starter, by=user_of(request))
            return HttpResponseRedirect(_page(workflow))
        return self._page(
            request, "gallery", title=_("New workflow"), starters=workflows.STARTERS
        )  # fmt: skip

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the editor of the draft, which saves it by save_draft()."""
        if request.method == "POST" and not self.has_change_permission(request):
            raise PermissionDenied
        workflow = self._viewed(request, object_id)
        can_save = self._can_save(request, workflow)
        editor = workflow_editor.data(request, workflow, can_save=can_save)
        return self._page(
            request, "editor", workflow, active="change", editor=editor, can_save=can_save
        )

    @page("draft", "<int:object_id>/draft/", "change")
    def save_draft(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Save the draft as the editor has it, and return its problems. A draft saved by another user meanwhile is a 409."""
        workflow = self._viewed(request, object_id)
        if request.method != "POST" or not self._can_save(request, workflow):
            raise PermissionDenied
        return workflow_editor.save(request, workflow)

    @page("settings", "<int:object_id>/settings/", "view")
    def settings_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Show the form with the name and what else is no part of the definition."""
        workflow = self._viewed(request, object_id)
        context = self._context(request, workflow, active="settings")
        return super().change_view(request, str(object_id), extra_context=context)

    @page("live", "<int:object_id>/live/", "view")
    def live(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Show the published version with its figures at each step."""
        workflow = self._viewed(request, object_id)
        return self._page(
            request, "live", workflow, active="live", **workflow_live.context(request, workflow)
        )

    @page("trial", "<int:object_id>/trial/", "change", *workflows.REHEARSAL_RIGHTS)
    def trial(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Walk a customer through the draft, and back-test it."""
        workflow = self._viewed(request, object_id)
        context = workflow_trial.context(request, workflow)
        if context.pop("is_started"):
            return HttpResponseRedirect(_page(workflow, "trial"))
        return self._page(request, "trial", workflow, active="trial", **context)

    @page("backtest", "<int:object_id>/backtest/", "change", *workflows.REHEARSAL_RIGHTS)
    def backtest(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Return the progress or the result of the newest back-test."""
        newest = self._viewed(request, object_id).backtests.first()
        return HttpResponse(workflow_trial.render_backtest(newest) if newest else "")

    @page("versions", "<int:object_id>/versions/", "view")
    def versions(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Show each published version, and what it changed."""
        workflow = self._viewed(request, object_id)
        known = list(workflow.versions.select_related("published_by"))
        pairs = zip(known, [*known[1:], None], strict=True)
        listed = [
            (each, workflows.differences(before, each) if before and not masking.is_on() else [])
            for each, before in pairs
        ]
        return self._page(request, "versions", workflow, active="versions", listed=listed)

    @page("publish", "<int:object_id>/publish/", "run")
    def publish(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Ask what becomes of the customers under way, count it, and publish the draft."""
        workflow = self._viewed(request, object_id)
        form = PlanForm(workflow, request.POST if request.method == "POST" else None)
        transfer, problems, warnings = None, [], []
        try:
            definition = workflows.check(workflow.draft, workflow)
            warnings = workflows.warnings_of(definition, workflow)
        except workflows.DefinitionError as error:
            problems = error.errors
        if not problems and form.is_valid():
            try:
                if confirm.given(request):
                    return self._publish(request, workflow, form)
                transfer = _counted(workflows.plan_transfer(workflow, form.plan))
            except (workflows.DefinitionError, workflows.Unmapped, PermissionDenied) as error:
                form.add_error(None, str(error))
        return self._page(
            request,
            "publish",
            workflow,
            title=_("Publish “%(name)s”") % {"name": workflow.name},
            active="change",
            form=form,
            problems=problems,
            transfer=transfer,
            changes=_changes(workflow),
            warnings=warnings,
            next_number=workflow.versions.count() + 1,
            confirmed_field=confirm.FIELD,
        )

    @page("move", "<int:object_id>/move/<slug:name>/", "run")
    def move(self, request: HttpRequest, object_id: int, name: str) -> HttpResponse:
        """Ask first, and then activate, pause, resume or archive the workflow."""
        workflow = self._viewed(request, object_id)
        if name not in MOVES:
            raise Http404
        made = MOVES[name]
        form = ResumeForm(request.POST or None) if name == "resume" else None
        if not confirm.given(request) or (form is not None and not form.is_valid()):
            under_way = sum(workflows.standing(workflow.pk).values())
            return confirm.page(
                self, request, title=made.title, button=made.label, note=made.note, danger=name == "archive", back=_page(workflow),
                facts=[Fact(display.people(under_way), _("customers under way"))], about=workflow, form=form,
            )  # fmt: skip
        try:
            made.act(workflow, **(form.cleaned_data if form else {}))
        except workflows.ImpossibleMove as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            result = _("The workflow is %(state)s.") % {
                "state": workflow.get_state_display().lower()
            }
            self.message_user(request, result, messages.SUCCESS)
        return HttpResponseRedirect(_page(workflow, "live" if name == "activate" else "change"))

    def delete_model(self, request: HttpRequest, obj: Workflow) -> None:
        workflows.discard(obj)

    def response_change(self, request: HttpRequest, obj: Workflow) -> HttpResponse:
        self.message_user(request, _("Settings saved."), messages.SUCCESS)
        return HttpResponseRedirect(_page(obj, "settings"))

    def _publish(self, request: HttpRequest, workflow: Workflow, form: PlanForm) -> HttpResponse:
        version, _transfer = workflows.publish(workflow, by=user_of(request), plan=form.plan)
        if form.cleaned_data.get("activate") and workflow.state == State.DRAFT:
            workflows.activate(workflow)
        result = _("Version %(number)s published.") % {"number": version.number}
        self.message_user(request, result, messages.SUCCESS)
        return HttpResponseRedirect(_page(workflow, "live"))

    def _can_save(self, request: HttpRequest, workflow: Workflow) -> bool:
        """Return whether the user may save the draft; with masked data the editor would save what is shown, not what is there."""
        allowed = self.has_change_permission(request, workflow)
        return allowed and not masking.is_on() and workflow.state != State.ARCHIVED

    def _viewed(self, request: HttpRequest, object_id: int | str) -> Workflow:
        if not self.has_view_permission(request):
            raise PermissionDenied
        found: Workflow = get_object_or_404(
            Workflow.objects.select_related("version", "draft_by"),
            pk=object_id if str(object_id).isdecimal() else None,
        )
        return found

    def _page(
        self, request: HttpRequest, name: str, workflow: Workflow | None = None, **context: Any
    ) -> TemplateResponse:
        shared = self._context(request, workflow, context.get("active", ""))
        whole = {**shared, "media": self.media, **context}
        return TemplateResponse(request, f"admin/marketing/workflow/{name}.html", whole)

    def _context(
        self, request: HttpRequest, workflow: Workflow | None, active: str
    ) -> dict[str, Any]:
        context = {**self.admin_site.each_context(request), "opts": self.opts}
        if workflow is None:
            return context
        return {
            **context,
            "title": workflow.name,
            "object": workflow,
            "original": workflow,
            "workflow": workflow,
            "badge": badges.workflow_state(workflow),
            "tabs": self._tabs(request, workflow, active),
            "moves": self._moves(request, workflow),
            "can_publish": self.has_run_permission(request) and workflow.state != State.ARCHIVED,
            "is_fullwidth": "1",
        }

    def _tabs(
        self, request: HttpRequest, workflow: Workflow, active: str
    ) -> list[dict[str, Any]]:  # fmt: skip
        tabs = [("change", _("Draft")), ("live", _("Live")), ("versions", _("Versions"))]
        if all(self._is_given(request, each) for each in ("change", *workflows.REHEARSAL_RIGHTS)):
            tabs.insert(1, ("trial", _("Try out")))
        found = [
            {"title": title, "link": _page(workflow, name), "active": name == active}
            for name, title in tabs
        ]
        if request.user.has_perm("marketing.view_enrollment"):
            people = reverse("admin:marketing_enrollment_changelist")
            link = f"{people}?workflow__id__exact={workflow.pk}"
            found.append({"title": _("Passages"), "link": link, "active": False})
        settings = {"title": _("Settings"), "link": _page(workflow, "settings")}
        return [*found, {**settings, "active": active == "settings"}]

    def _moves(self, request: HttpRequest, workflow: Workflow) -> list[dict[str, Any]]:
        if not self.has_run_permission(request):
            return []
        return [
            {
                "label": each.label,
                "icon": each.icon,
                "link": reverse("admin:marketing_workflow_move", args=[workflow.pk, name]),
            }
            for name, each in MOVES.items()
            if workflow.state in each.states and (workflow.version_id or name != "activate")
        ]


def _counted(transfer: workflows.Transfer) -> list[Fact]:
    """Return how many customers a plan lets continue, stay, leave, move, and leaves undecided."""
    counts: list[tuple[int, str | Promise]] = [
        (transfer.go_on, _("continue where they are")),
        (transfer.stay, _("stay in the old version")),
        (transfer.exit, _("leave the workflow")),
        *(
            (number, _("continue at “%(step)s”") % {"step": step})
            for step, number in transfer.moved.items()
        ),
        *(
            (number, _("undecided, at “%(step)s”") % {"step": step})
            for step, number in transfer.unmapped.items()
        ),
    ]
    return [Fact(display.people(number), label) for number, label in counts if number]


def _changes(workflow: Workflow) -> list[str]:
    """Return the lines of the diff from the published version to the draft; users with masked data see none."""
    if workflow.version is None or masking.is_on():
        return []
    return workflows.draft_differences(workflow)


def _page(workflow: Workflow, name: str = "change") -> str:
    return reverse(f"admin:marketing_workflow_{name}", args=[workflow.pk])
