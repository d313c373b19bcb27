"""The name of an event in a form."""

from __future__ import annotations

from typing import Any

from unfold.widgets import UnfoldAdminTextInputWidget

from customers.segments.language import event_types


class EventWidget(UnfoldAdminTextInputWidget):
    """Any name, with those that are known to choose from."""

    template_name = "admin/customers/segment/event.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        known = {**(attrs or {}), "list": f"{name}-events"}
        context = super().get_context(name, value, known)
        return {**context, "events": [(each.name, each.label) for each in event_types.in_use()]}
