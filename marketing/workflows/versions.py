"""Publish drafts as versions, and take the passages under way over to them by a plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import unified_diff

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.accounts.models import User
from crm.adminkit import display
from marketing import campaigns
from marketing.content import ContentError
from marketing.models import Enrollment, Workflow, WorkflowStep, WorkflowVersion
from marketing.workflows import document
from marketing.workflows.checks import check
from marketing.workflows.definition import Definition
from marketing.workflows.engine import end_by_hand
from marketing.workflows.passages import standing
from marketing.workflows.reading import DefinitionError
from marketing.workflows.steps.send import Send

STAY, EXIT, GO_ON = "stay", "exit", "go_on"


@dataclass(frozen=True, slots=True)
class Transfer:
    """The effect of publishing on the passages under way, as numbers."""

    go_on: int = 0
    stay: int = 0
    exit: int = 0
    moved: Mapping[str, int] = field(default_factory=dict)
    unmapped: Mapping[str, int] = field(default_factory=dict)


class Unmapped(ValueError):
    """Passages stand at steps that the draft does not have, and the plan does not say what becomes of them."""

    def __init__(self, transfer: Transfer) -> None:
        steps = ", ".join(
            f"{key} ({display.people(number)})" for key, number in transfer.unmapped.items()
        )
        super().__init__(_("Say what becomes of the customers at: %(steps)s.") % {"steps": steps})
        self.transfer = transfer


def plan_transfer(workflow: Workflow, plan: Mapping[str, str]) -> Transfer:
    """Return what publishing the draft would do to the passages under way. Raises DefinitionError."""
    return _transfer(workflow, check(workflow.draft, workflow), plan)


@transaction.atomic
def publish(
    workflow: Workflow, *, by: User | None, plan: Mapping[str, str] | None = None
) -> tuple[WorkflowVersion, Transfer]:
    """Publish the draft as the next version; `plan` maps the keys of steps to stay, exit, or the key of the step to go to.

    Passages at a step that the new version has, go on there. Raises DefinitionError, Unmapped, PermissionDenied where approval is
    required and `by` edited the draft, and NotReady or ContentError for a message that could not be sent.
    """
    plan = plan or {}
    locked = Workflow.objects.select_for_update().get(pk=workflow.pk)
    _check_approved(locked, by)
    definition = check(locked.draft, locked)
    transfer = _transfer(locked, definition, plan)
    if transfer.unmapped:
        raise Unmapped(transfer)
    newest = locked.versions.first()
    version = WorkflowVersion.objects.create(
        workflow=locked,
        number=newest.number + 1 if newest else 1,
        definition=locked.draft,
        published_by=by,
    )
    _put_steps(locked, version, definition, by)
    _take_over(locked, version, definition, plan)
    locked.version = version
    locked.save(update_fields=["version", "updated_at"])
    workflow.version = version
    return version, transfer


def differences(one: WorkflowVersion, other: WorkflowVersion) -> list[str]:
    """Return the lines of a unified diff between two versions."""
    before, after = (
        document.as_text(document.shown(each.definition)).splitlines() for each in (one, other)
    )
    return list(unified_diff(before, after, f"v{one.number}", f"v{other.number}", lineterm=""))


def draft_differences(workflow: Workflow) -> list[str]:
    """Return the lines of a unified diff from the published version to the draft."""
    assert workflow.version
    before, after = (
        document.as_text(each).splitlines()
        for each in (workflow.version.definition, workflow.draft)
    )
    return list(unified_diff(before, after, f"v{workflow.version.number}", _("draft"), lineterm=""))


def _check_approved(workflow: Workflow, by: User | None) -> None:
    """Raise PermissionDenied where a second user has to publish, as CAMPAIGN_APPROVAL requires of campaigns."""
    if not settings.CAMPAIGN_APPROVAL:
        return
    if by is None or not by.has_perm(campaigns.APPROVE_PERMISSION):
        raise PermissionDenied(_("Only a user who may approve campaigns publishes a workflow."))
    if by.pk in (workflow.draft_by_id, workflow.created_by_id):
        raise PermissionDenied(_("Another user than the author of the draft publishes it."))


def _transfer(workflow: Workflow, definition: Definition, plan: Mapping[str, str]) -> Transfer:
    _check_plan(definition, plan)
    counts: Counter[str] = Counter()
    moved: Counter[str] = Counter()
    unmapped = {}
    for step, number in standing(workflow.pk).items():
        match _fate(definition, plan, step):
            case None:
                unmapped[step] = number
            case ("move", key):
                moved[key] += number
            case (fate, _key):
                counts[fate] += number
    return Transfer(counts[GO_ON], counts[STAY], counts[EXIT], dict(moved), unmapped)


def _fate(definition: Definition, plan: Mapping[str, str], step: str) -> tuple[str, str] | None:
    """Return the fate of passages at a step: go_on, stay, exit, or move with a key; None where the plan gives none."""
    wanted = plan.get(step)
    if wanted in (STAY, EXIT):
        return wanted, ""
    if wanted is not None:
        return "move", wanted
    return (GO_ON, step) if step in definition.steps else None


def _check_plan(definition: Definition, plan: Mapping[str, str]) -> None:
    errors = [
        {
            "path": f"plan.{step}",
            "message": _("Give stay, exit, or the key of a step of the draft."),
        }
        for step, wanted in plan.items()
        if wanted not in (STAY, EXIT) and wanted not in definition.steps
    ]
    if errors:
        raise DefinitionError(errors)


def _put_steps(
    workflow: Workflow, version: WorkflowVersion, definition: Definition, by: User | None
) -> None:
    """Make a row of each step, and start the campaigns of send steps with their content as it is now."""
    known = {
        step.key: step.campaign
        for step in WorkflowStep.objects.filter(version__workflow=workflow, campaign__isnull=False)
        .select_related("campaign")
        .order_by("version__number")
    }
    for key, step in definition.steps.items():
        campaign = None
        if isinstance(step, Send):
            campaign = step.campaign(workflow, known.get(key))
            try:
                campaigns.start_for_step(campaign, step.campaign_variants(), by=by)
            except (campaigns.NotReady, ContentError) as error:
                raise DefinitionError([{"path": f"steps.{key}", "message": str(error)}]) from error
        WorkflowStep.objects.create(version=version, key=key, type=step.type, campaign=campaign)


def _take_over(
    workflow: Workflow,
    version: WorkflowVersion,
    definition: Definition,
    plan: Mapping[str, str],
) -> None:
    """Do with the passages under way what the plan says; those that stay keep their version."""
    for step in standing(workflow.pk):
        match _fate(definition, plan, step):
            case ("exit", _key):
                _exit_at(workflow, step)
            case ("move" | "go_on", key):
                _put_at(workflow, step, key, version)


def _put_at(workflow: Workflow, step: str, key: str, version: WorkflowVersion) -> None:
    """Put passages at a step of the new version. Where the step is unchanged, they continue to wait."""
    same = [
        each.pk
        for each in workflow.versions.all()
        if step == key and each.definition["steps"].get(key) == version.definition["steps"][key]
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH moved AS (
                UPDATE marketing_enrollment AS passage SET
                    version_id = %(version)s, step = %(key)s,
                    state = CASE WHEN version_id = ANY(%(same)s) THEN state ELSE 'active' END,
                    visits = visits + CASE WHEN version_id = ANY(%(same)s) THEN 0 ELSE 1 END,
                    due_at = CASE WHEN version_id = ANY(%(same)s) THEN due_at END,
                    wake_at = CASE WHEN version_id = ANY(%(same)s) THEN wake_at ELSE %(now)s END,
                    waiting_for = CASE WHEN version_id = ANY(%(same)s) THEN waiting_for ELSE '' END
                WHERE workflow_id = %(workflow)s AND step = %(step)s AND state IN ('active', 'waiting')
                RETURNING id, customer_id
            )
            INSERT INTO marketing_enrollmentevent (enrollment_id, workflow_id, version_id, customer_id, kind, step, branch, at)
            SELECT id, %(workflow)s, %(version)s, customer_id, 'moved', %(step)s, %(key)s, %(now)s FROM moved ORDER BY id
            """,
            {
                "workflow": workflow.pk,
                "version": version.pk,
                "step": step,
                "key": key,
                "same": same,
                "now": timezone.now(),
            },
        )


def _exit_at(workflow: Workflow, step: str) -> None:
    ids = workflow.enrollments.filter(step=step, state__in=Enrollment.UNDER_WAY)
    end_by_hand(workflow, list(ids.values_list("pk", flat=True)), Enrollment.ExitReason.PUBLISHED)
