"""The base classes of every admin in this project."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin import ShowFacets
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest
from django.utils.functional import Promise
from unfold.admin import ModelAdmin as UnfoldModelAdmin

from crm import masking
from crm.adminkit.fields import MultilineField
from crm.estimated_counts import CheapPaginator

Page = Callable[..., Any]


class ModelAdmin(UnfoldModelAdmin):
    """unfold's ModelAdmin with lists that stay fast on big tables: one estimated count, and no counts of filters."""

    paginator = CheapPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 200
    list_filter_submit = True
    compressed_fields = True
    warn_unsaved_form = True
    formfield_overrides = {models.TextField: {"form_class": MultilineField}}
    empty_says: str | Promise = ""
    """The hint shown in an empty list: what the list holds, and how rows get there."""

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Leave out personal fields where personal data is masked, so that searching does not reveal it."""
        return masking.searchable(self.model, list(super().get_search_fields(request)))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        allowed = super().lookup_allowed(lookup, value, request)
        return allowed and not (masking.is_on() and masking.is_personal(self.model, lookup))

    def guarded(self, page: Page, *permissions: str) -> Page:
        """Guard a page of this admin by permissions: a verb such as `view` for this model, or a full name.

        As for actions, `allowed_permissions` of the page holds them.
        """

        @wraps(page)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if not all(self._is_given(request, each) for each in permissions):
                raise PermissionDenied
            kwargs.pop("model_admin", None)  # added by unfold
            return page(request, *args, **kwargs)

        checked.allowed_permissions = permissions  # type: ignore[attr-defined]
        return checked

    def _is_given(self, request: HttpRequest, permission: str) -> bool:
        if "." in permission:
            return request.user.has_perm(permission)
        return bool(getattr(self, f"has_{permission}_permission")(request))


class ReadOnlyModelAdmin(ModelAdmin):
    """An admin without add, change and delete."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
