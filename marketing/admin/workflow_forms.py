"""The forms of a workflow: its settings, the plan of publishing, and resuming."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelect2Widget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanSwitchWidget,
)

from crm.adminkit import display
from marketing import workflows
from marketing.admin.schedule_form import zone_choices
from marketing.models import Workflow

UNDECIDED = ""


class SettingsForm(forms.ModelForm):
    """The parts of a workflow outside its definition."""

    timezone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        choices=zone_choices,
        widget=UnfoldAdminSelect2Widget(),
        help_text=gettext_lazy("Stands in for a customer's unknown time zone."),
    )

    class Meta:
        model = Workflow
        fields = ("name", "description", "slug", "timezone", "tags")


class PlanForm(forms.Form):
    """Asks what becomes of the customers at each step of the published version, with their number."""

    activate = forms.BooleanField(
        required=False,
        initial=True,
        label=gettext_lazy("Let customers enter at once"),
        widget=UnfoldBooleanSwitchWidget(),
    )

    def __init__(self, workflow: Workflow, data: Any = None) -> None:
        super().__init__(data)
        if workflow.state != Workflow.State.DRAFT:
            del self.fields["activate"]
        steps = list((workflow.draft or {}).get("steps") or {})
        self.standing = {
            step: number for step, number in workflows.standing(workflow.pk).items() if step
        }
        for step, number in self.standing.items():
            goes_on = step in steps
            self.fields[f"step-{step}"] = forms.ChoiceField(
                label=step,
                required=not goes_on,
                help_text=_("%(number)s customers") % {"number": display.people(number)},
                choices=[
                    (UNDECIDED, _("Continue there") if goes_on else _("Choose …")),
                    (workflows.STAY, _("Stay in the old version")),
                    (workflows.EXIT, _("Leave the workflow")),
                    *((key, _("Continue at “%(step)s”") % {"step": key}) for key in steps if key != step),
                ],
                widget=UnfoldAdminSelectWidget(),
            )  # fmt: skip

    @property
    def plan(self) -> dict[str, str]:
        """Return the plan as workflows.publish takes it."""
        return {
            step: wanted
            for step in self.standing
            if (wanted := self.cleaned_data.get(f"step-{step}"))
        }


class ResumeForm(forms.Form):
    """Asks which steps that fell due in the pause are left out."""

    skip_hours_late = forms.FloatField(
        required=False,
        min_value=0,
        max_value=24 * 366,
        label=gettext_lazy("End passages more than … hours late"),
        help_text=gettext_lazy("Leave empty to end none."),
        widget=UnfoldAdminDecimalFieldWidget(),
    )
