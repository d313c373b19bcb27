"""Form fields of an event: its name, and conditions on its properties as JSON."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from customers.segments import event_types


class ConditionsField(forms.JSONField):
    """Conditions as JSON; None shows an empty field, not `null`."""

    def __init__(self, **options: Any) -> None:
        example = '[{"field": "category", "operator": "=", "value": "Books"}]'
        widget = UnfoldAdminTextInputWidget(attrs={"placeholder": example})
        super().__init__(label=_("Where"), required=False, widget=widget, **options)

    def prepare_value(self, value: Any) -> Any:
        return super().prepare_value(value) if value else ""


class EventWidget(UnfoldAdminTextInputWidget):
    """A text input for any event name, with the known ones to choose from."""

    template_name = "admin/customers/segment/event.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        known = {**(attrs or {}), "list": f"{name}-events"}
        context = super().get_context(name, value, known)
        return {**context, "events": [(each.name, each.label) for each in event_types.in_use()]}
