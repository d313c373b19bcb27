"""Forms of a segment and of its triggers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminTextareaWidget

from crm import masking
from crm.adminkit import display
from customers.admin.rules_field import (
    ConditionsField,
    EventWidget,
    RulesField,
    RulesWidget,
    name_event,
    validate_rules_of,
)
from customers.models import Segment, SegmentTrigger
from customers.models.segment import everyone
from customers.segments import (
    RuleError,
    SegmentInUse,
    check_can_rename,
    shown_conditions,
    triggers,
)


class SegmentForm(forms.ModelForm):
    rules = RulesField(
        label=_("Rules"),
        help_text=_("Define who belongs to the segment. A static segment ignores them."),
        initial=everyone,
    )

    class Meta:
        model = Segment
        fields: ClassVar[list[str]] = ["name", "slug", "kind", "description", "rules"]
        widgets: ClassVar[dict[str, Any]] = {
            "description": UnfoldAdminTextareaWidget(attrs={"rows": 2})
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        widget = self.fields["rules"].widget
        if isinstance(widget, RulesWidget) and self.instance.pk:
            widget.segment = self.instance

    def clean_rules(self) -> dict[str, Any]:
        return validate_rules_of(self.cleaned_data["rules"], self.instance)

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if self.instance.pk and slug != self.initial["slug"]:
            try:
                check_can_rename(Segment.objects.get(pk=self.instance.pk))
            except SegmentInUse as in_use:
                raise ValidationError(str(in_use)) from None
        return slug


class TriggerForm(forms.ModelForm):
    where = ConditionsField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_event(self, "where", self.instance.event)

    class Meta:
        model = SegmentTrigger
        fields: ClassVar[list[str]] = ["event", "where", "action", "is_active"]
        widgets: ClassVar[dict[str, Any]] = {"event": EventWidget()}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if {"event", "action", "where"} - cleaned.keys():
            return cleaned
        try:
            cleaned["event"], cleaned["where"] = triggers.check(
                cleaned["event"],
                cleaned["where"] or [],
                cleaned["action"],
                self.instance.segment.kind,
            )
        except RuleError as refused:
            for error in refused.errors:
                field = error["path"].partition("[")[0]
                self.add_error(field, ValidationError(f"{error['path']}: {error['message']}"))
        return cleaned


class TriggerInline(TabularInline):
    model = SegmentTrigger
    form = TriggerForm
    tab = True
    extra = 0
    hide_title = True
    verbose_name_plural = _("triggers")
    readonly_fields = ("conditions",)

    def get_fields(self, request: HttpRequest, obj: Segment | None = None) -> Sequence[str]:
        """Leave values that the user may not see out of the conditions of a table that is only viewed."""
        if masking.is_on() and not self.has_change_permission(request, obj):
            return ["event", "conditions", "action", "is_active"]
        return TriggerForm.Meta.fields

    @admin.display(description=_("Where"))
    def conditions(self, trigger: SegmentTrigger) -> str:
        shown = shown_conditions(trigger.event, trigger.where)
        return json.dumps(shown, ensure_ascii=False) if shown else display.NOTHING
