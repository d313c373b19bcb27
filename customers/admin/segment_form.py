"""The form of a segment, and the field in which rules are written: with examples, and who they would be."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from customers.admin.rule_words import WORDS
from customers.models import Segment
from customers.models.segment import everyone
from customers.segments import references
from customers.segments.fields import ATTRIBUTE, known
from customers.segments.operators import OPERATORS
from customers.segments.rules import RuleError


def _all_of(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"operator": "AND", "conditions": list(conditions)}


EXAMPLES = [
    (
        _("Spent over 2,000 and at least 50 orders"),
        _all_of(
            {"field": "total_spend", "operator": ">", "value": 2000},
            {"field": "order_count", "operator": ">=", "value": 50},
        ),
    ),
    (
        _("Bought before, but not in 90 days"),
        _all_of(
            {"field": "last_order_at", "operator": "is_set"},
            {"field": "last_order_at", "operator": "inactive_days", "value": 90},
        ),
    ),
    (
        _("New in the last 30 days, reachable by e-mail"),
        _all_of(
            {"field": "registered_at", "operator": "in_last_days", "value": 30},
            {"field": "subscribed", "operator": "contains", "value": "email"},
        ),
    ),
    (
        _("Birthday within a week"),
        _all_of({"field": "date_of_birth", "operator": "anniversary_in_days", "value": 7}),
    ),
]


class RulesWidget(UnfoldAdminTextareaWidget):
    """A builder of nested rules and their JSON as two views of one value, with a live look at who matches."""

    template_name = "admin/customers/segment/rules.html"

    class Media:
        css = {"all": ["kindling/segment-rules.css"]}
        js = ("kindling/segment-rules.js",)

    def __init__(self) -> None:
        super().__init__(
            attrs={"class": "code", "rows": 14, "spellcheck": "false", "data-rules": ""}
        )

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return {
            **super().get_context(name, value, attrs),
            "examples": [(label, json.dumps(rules)) for label, rules in EXAMPLES],
            "preview_url": reverse("admin:customers_segment_preview"),
            "language": _language(),
            "words": WORDS,
        }


def _language() -> dict[str, Any]:
    """What the builder has to know of the rule language."""
    fields = [
        {
            "name": field.name,
            "label": str(field.label),
            "type": str(field.type),
            "choices": {value: str(label) for value, label in field.choices.items()},
        }
        for field in known()
    ]
    return {
        "fields": fields,
        "attribute": ATTRIBUTE,
        "operators": {str(kind): each for kind, each in OPERATORS.items()},
    }


class RulesField(forms.JSONField):
    """Rules as text. That they fit is checked by the form, which knows the segment that they are of."""

    widget = RulesWidget

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return json.dumps(value, indent=2, ensure_ascii=False)
        return super().prepare_value(value)


class SegmentForm(forms.ModelForm):
    rules = RulesField(
        label=_("Rules"),
        help_text=_("Who is in it; a static segment does not look at them."),
        initial=everyone,
    )

    class Meta:
        model = Segment
        fields: ClassVar[list[str]] = ["name", "slug", "kind", "description", "rules"]

    def clean_rules(self) -> dict[str, Any]:
        try:
            return references.check(self.cleaned_data["rules"], of=self.instance)
        except RuleError as refused:
            raise ValidationError(
                [f"{each['path']}: {each['message']}".removeprefix(": ") for each in refused.errors]
            ) from None

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if self.instance.pk and slug != self.initial["slug"]:
            try:
                references.check_may_be_renamed(Segment.objects.get(pk=self.instance.pk))
            except references.InUse as in_use:
                raise ValidationError(str(in_use)) from None
        return slug
