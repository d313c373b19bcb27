"""Edit what templates share: snippets and images."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget

from crm.accounts.current_user import user_of
from crm.adminkit import display
from crm.adminkit.base import ModelAdmin, column
from marketing import images
from marketing.admin.template_form import SnippetForm
from marketing.content import users_of
from marketing.images import CONTENT_TYPES
from marketing.models import Image, Snippet


@admin.register(Snippet)
class SnippetAdmin(ModelAdmin):
    form = SnippetForm
    list_display = ("name", "description", "how", "changed")
    search_fields = ("name", "description")
    search_help_text = _("Name or description")
    empty_says = _(
        "A snippet is a part that many templates share, such as a signature: changed once, it changes in all of them."
    )

    @admin.display(description=_("Tag"))
    def how(self, snippet: Snippet) -> SafeString:
        return format_html("<code>{{% render '{}' %}}</code>", snippet.name)

    changed = column("updated_at", _("Changed"), display.when, ordering="updated_at")

    def get_readonly_fields(
        self, request: HttpRequest, obj: Snippet | None = None
    ) -> tuple[str, ...]:
        """Fix the name of a snippet, which templates render it by."""
        return ("name",) if obj else ()

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def has_delete_permission(self, request: HttpRequest, obj: Snippet | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not users_of(obj.name))


class UploadForm(forms.ModelForm):
    """A new image, read from its file."""

    upload = forms.FileField(
        label=_("File"),
        help_text=_("PNG, JPEG, GIF or WebP, at most 5 MB."),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ",".join(CONTENT_TYPES.values())}),
    )

    class Meta:
        model = Image
        fields = ("name", "alt")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "name" in self.fields:  # not for who only looks
            self.fields["name"].required = False

    def clean_upload(self) -> images.Picture:
        file = self.cleaned_data["upload"]
        self.file_name: str = file.name
        try:
            return images.read(file)
        except images.BadImage as error:
            raise forms.ValidationError(str(error)) from error


@admin.register(Image)
class ImageAdmin(ModelAdmin):
    list_display = ("thumbnail", "name", "alt", "dimensions", "weight", "uploaded")
    list_display_links = ("thumbnail", "name")
    search_fields = ("name", "alt")
    search_help_text = _("Name or alternative text")
    empty_says = _(
        "Images are stored here, so that messages still show them when they are opened years later."
    )

    def get_form(
        self, request: HttpRequest, obj: Image | None = None, change: bool = False, **options: Any
    ) -> Any:
        return super().get_form(
            request, obj, change, **(options if obj else {**options, "form": UploadForm})
        )

    def get_fields(self, request: HttpRequest, obj: Image | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("upload", "name", "alt")
        return ("thumbnail", "name", "alt", "address", "dimensions", "weight")

    def get_readonly_fields(
        self, request: HttpRequest, obj: Image | None = None
    ) -> tuple[str, ...]:
        return ("thumbnail", "address", "dimensions", "weight") if obj else ()

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def save_model(self, request: HttpRequest, obj: Image, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=["name", "alt"])
            return
        name = obj.name or form.file_name
        picture = form.cleaned_data["upload"]
        obj.pk = images.store(picture, name=name, alt=obj.alt, by=user_of(request)).pk
        obj.refresh_from_db()

    def has_delete_permission(self, request: HttpRequest, obj: Image | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not images.is_shown(obj))

    def delete_model(self, request: HttpRequest, obj: Image) -> None:
        images.discard(obj)

    @admin.display(description=_("Image"))
    def thumbnail(self, image: Image) -> SafeString:
        return format_html('<img class="thumbnail" src="{}" alt="{}">', image.path, image.alt)

    @admin.display(description=_("Address"))
    def address(self, image: Image) -> SafeString:
        return format_html("<code>{}</code>", image.url)

    @admin.display(description=_("Pixels"), ordering="width")
    def dimensions(self, image: Image) -> str:
        return f"{image.width} × {image.height}"

    @admin.display(description=_("Size"), ordering="size")
    def weight(self, image: Image) -> str:
        return _("%s KB") % display.number(-(-image.size // 1000))

    uploaded = column("created_at", _("Uploaded"), display.when, ordering="created_at")
