"""The forms of bulk actions: tags, or a segment."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from customers import clean
from customers.models import Segment
from customers.models.segment import free_slug


class TagsForm(forms.Form):
    tags = forms.CharField(
        label=gettext_lazy("Tags"),
        max_length=1_000,
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True}),
        help_text=gettext_lazy("Separate several tags with commas."),
    )

    def clean_tags(self) -> list[str]:
        try:
            tags = clean.tags(self.cleaned_data["tags"])
        except ValueError as refused:
            raise forms.ValidationError(str(refused)) from None
        if not tags:
            raise forms.ValidationError(_("Enter at least one tag."))
        return tags

    def options(self) -> dict[str, Any]:
        return {"tags": self.cleaned_data["tags"]}


class SegmentListForm(forms.Form):
    """Chooses a static segment; dynamic ones follow their rules."""

    segment = forms.ModelChoiceField(
        Segment.objects.filter(kind=Segment.Kind.STATIC).order_by("name"),
        label=gettext_lazy("Static segment"),
        widget=UnfoldAdminSelectWidget(),
        help_text=gettext_lazy(
            "Dynamic segments are not listed, because their members follow their rules."
        ),
    )

    def options(self) -> dict[str, Any]:
        return {"segment": self.cleaned_data["segment"].pk}


class AnySegmentListForm(SegmentListForm):
    """Chooses a static segment, or creates one."""

    name = forms.CharField(
        label=gettext_lazy("Or name of a new segment"),
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["segment"].required = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if bool(cleaned.get("segment")) == bool(cleaned.get("name")) and not self.errors:
            raise forms.ValidationError(_("Choose a segment, or enter the name of a new one."))
        return cleaned

    def options(self) -> dict[str, Any]:
        name = self.cleaned_data["name"]
        if not name:
            return super().options()
        made = Segment.objects.create(name=name, slug=free_slug(name), kind=Segment.Kind.STATIC)
        return {"segment": made.pk}
