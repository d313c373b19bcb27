"""Triggers on the page of their segment: which event does what to it."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from customers.admin.conditions_field import ConditionsField
from customers.admin.event_widget import EventWidget
from customers.models import SegmentTrigger
from customers.segments.language.rules import RuleError
from customers.segments.membership import triggers


class TriggerForm(forms.ModelForm):
    where = ConditionsField()

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
