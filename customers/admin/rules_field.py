"""The form fields for rules, of segments and campaigns, and for events with conditions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from customers.admin.rule_language import WORDS, language
from customers.models import Segment
from customers.segments import (
    PRESETS,
    RuleError,
    event_types,
    shown_conditions,
    shown_rules,
    validate_rules,
)


class RulesWidget(UnfoldAdminTextareaWidget):
    """A builder of nested rules and their JSON as two views of one value, with a live preview.

    `segment` is the segment of the rules; the preview shows the change of its members.
    """

    template_name = "admin/customers/segment/rules.html"
    segment: Segment | None = None

    class Media:
        css = {"all": ["kindling/segment-rules.css", "kindling/segment-text.css"]}
        js = (
            forms.Script("kindling/rules/start.js", type="module"),
            forms.Script("kindling/segment-text.js", type="module"),
        )

    def __init__(self) -> None:
        super().__init__(
            attrs={"class": "code", "rows": 14, "spellcheck": "false", "data-rules": ""}
        )

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return {
            **super().get_context(name, value, attrs),
            "examples": [(preset.name, json.dumps(preset.rules)) for preset in PRESETS],
            "segment": self.segment,
            "preview_url": reverse("admin:customers_segment_preview"),
            "suggest_url": reverse("admin:customers_segment_suggest"),
            "language": language(),
            "words": WORDS,
        }


class RulesField(forms.JSONField):
    """Rules in canonical form; errors have paths. An empty field is None if it is not required."""

    widget = RulesWidget

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return json.dumps(shown_rules(value), indent=2, ensure_ascii=False)
        return super().prepare_value(value)

    def clean(self, value: Any) -> Any:
        return _validated(validate_rules, super().clean(value))


def validate_rules_of(rules: Any, segment: Segment) -> Any:
    """Return the rules of a segment if they have no cycle. Raises ValidationError."""
    return _validated(lambda given: validate_rules(given, of=segment), rules)


def _validated(check: Callable[[Any], dict[str, Any]], rules: Any) -> Any:
    if rules is None:
        return None
    try:
        return check(rules)
    except RuleError as refused:
        raise ValidationError(
            [f"{each['path']}: {each['message']}".removeprefix(": ") for each in refused.errors]
        ) from None


def name_event(form: forms.BaseForm, name: str, event: str) -> None:
    """Set the event of the conditions in a field of the form, if it has one."""
    field = form.fields.get(name)
    if isinstance(field, ConditionsField):
        field.event = event


class ConditionsField(forms.JSONField):
    """Conditions on an `event` as JSON; None shows an empty field, not `null`."""

    event = ""

    def __init__(self, **options: Any) -> None:
        example = '[{"field": "category", "operator": "=", "value": "Books"}]'
        widget = UnfoldAdminTextInputWidget(attrs={"placeholder": example})
        super().__init__(label=_("Where"), required=False, widget=widget, **options)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list):
            value = shown_conditions(self.event, value)
        return super().prepare_value(value) if value else ""


class EventWidget(UnfoldAdminSelectWidget):
    """A choice of the known events, and below it an input for the name of one that was not recorded yet."""

    template_name = "admin/customers/segment/event.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        known = [(each.name, str(each.label).capitalize()) for each in event_types.in_use()]
        self.choices = [("", _("Choose an event")), *known]
        return {
            **super().get_context(name, value, attrs),
            "other_name": f"{name}_other",
            "other": "" if not value or value in dict(known) else value,
            "input_classes": " ".join(INPUT_CLASSES),
        }

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        other = data.get(f"{name}_other", "").strip()
        return other or super().value_from_datadict(data, files, name)
