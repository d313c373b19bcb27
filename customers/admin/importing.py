"""The import button of a list."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from crm.adminkit.base import ModelAdmin


class ImportButton(ModelAdmin):
    """Mixin for admins (put it first); set `import_kind`."""

    import_kind = ""
    actions_list: Any = ("import_file",)
    change_list_template = "admin/customers/importable_list.html"

    @action(description=_("Import"), icon="upload_file", permissions=["import_file"])
    def import_file(self, request: HttpRequest) -> HttpResponse:
        return redirect(f"{reverse('admin:customers_importjob_add')}?kind={self.import_kind}")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {**(extra_context or {}), "import_kind": self.import_kind}
        return super().changelist_view(request, context)

    def has_import_file_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("customers.add_importjob")
