"""The form of a segment."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from customers.admin.rules_field import RulesField, RulesWidget, checked_as_of
from customers.models import Segment
from customers.models.segment import everyone
from customers.segments.language import validate


class SegmentForm(forms.ModelForm):
    rules = RulesField(
        label=_("Rules"),
        help_text=_("Who is in it; a static segment does not look at them."),
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
        return checked_as_of(self.cleaned_data["rules"], self.instance)

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if self.instance.pk and slug != self.initial["slug"]:
            try:
                validate.check_may_be_renamed(Segment.objects.get(pk=self.instance.pk))
            except validate.InUse as in_use:
                raise ValidationError(str(in_use)) from None
        return slug
