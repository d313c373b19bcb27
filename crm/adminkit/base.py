"""The ModelAdmin that every admin of this project starts from."""

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
    """unfold's, with lists that stay quick on big tables: one cheap count, and none of the whole table or of each value of a filter."""

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
    """What comes into the list, and how; said where there is nothing in it yet."""

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Whom personal data is hidden from must not find it out by searching."""
        return masking.searchable(self.model, list(super().get_search_fields(request)))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        allowed = super().lookup_allowed(lookup, value, request)
        return allowed and not (masking.is_on() and masking.is_personal(self.model, lookup))

    def guarded(self, page: Page, *permissions: str) -> Page:
        """A page of this admin's own, for those who have all the permissions: as for actions, `view` of this model or the full name of one.

        What it takes can be read from the page, as from an action: `allowed_permissions`.
        """

        @wraps(page)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if not all(self._is_given(request, each) for each in permissions):
                raise PermissionDenied
            kwargs.pop(
                "model_admin", None
            )  # unfold's gift to pages of an admin, who know their own
            return page(request, *args, **kwargs)

        checked.allowed_permissions = permissions  # type: ignore[attr-defined]
        return checked

    def _is_given(self, request: HttpRequest, permission: str) -> bool:
        if "." in permission:
            return request.user.has_perm(permission)
        return bool(getattr(self, f"has_{permission}_permission")(request))
