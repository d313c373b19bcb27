"""The base classes of every admin in this project."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from operator import attrgetter
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import ShowFacets
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from unfold.admin import ModelAdmin as UnfoldModelAdmin
from unfold.views import ChangeList

from crm import masking
from crm.estimated_counts import CheapPaginator

Page = Callable[..., Any]


COLUMNS = "columns"
"""The parameter of a list that names the columns shown (crm.accounts.saved_views)."""


class List(ChangeList):
    """A list that is not ordered by masked personal data, because the position in it reveals much of it."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not (self.query or self.has_active_filters):
            self.full_result_count = self.result_count  # nothing more to show

    def get_filters_params(self, params: Any = None) -> Any:
        lookups = super().get_filters_params(params)
        lookups.pop(COLUMNS, None)
        return lookups

    def get_ordering_field(self, field_name: Any) -> Any:
        field = super().get_ordering_field(field_name)
        hidden = isinstance(field, str) and masking.is_on()
        return None if hidden and masking.is_personal(self.model, field) else field


class MultilineField(forms.CharField):
    """A multi-line text with the line ends as typed; browsers send CRLF for each (HTML, 4.10.21.4)."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"strip": False, **options})

    def to_python(self, value: Any) -> str:
        """Return the text with LF for every line end; a blank text is empty."""
        text = (super().to_python(value) or "").replace("\r\n", "\n").replace("\r", "\n")
        return text if text.strip() else ""


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
    forbids: Sequence[str] = ()
    """Actions that no permission allows here: `add`, `change`, `delete`."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return "add" not in self.forbids and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return "change" not in self.forbids and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return "delete" not in self.forbids and super().has_delete_permission(request, obj)

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Leave out personal fields where personal data is masked, so that searching does not reveal it."""
        return masking.searchable(self.model, list(super().get_search_fields(request)))

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return List

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        allowed = super().lookup_allowed(lookup, value, request)
        return allowed and not (masking.is_on() and masking.is_personal(self.model, lookup))

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Return the variables of the templates around an object's form."""
        return {}

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        if change and obj and request.method == "POST":  # the form has written into it
            obj = self.get_object(request, str(obj.pk))
        if change and obj:
            context |= self.page_context(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        """Return the views that are decorated as pages."""
        cls, prefix = type(self), f"{self.opts.app_label}_{self.opts.model_name}"
        views = [name for name in dir(cls) if hasattr(getattr(cls, name, None), "admin_page")]
        return tuple(
            (route, f"{prefix}_{name}", self.guarded(getattr(self, view), *permissions))
            for view in views
            for name, route, permissions in [getattr(cls, view).admin_page]
        )

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


def page(name: str, route: str, *permissions: str) -> Callable[[Page], Page]:
    """Decorate a view of an admin as a page at a route below its list, for users with the permissions (see ModelAdmin.guarded).

    Its URL is called `admin:app_model_name`.
    """

    def mark(view: Page) -> Page:
        view.admin_page = (name, route, permissions)  # type: ignore[attr-defined]
        return view

    return mark


def column(
    path: str,
    description: str | Promise,
    show: Callable[[Any], Any],
    *,
    ordering: str | None = None,
) -> Callable[[Any, Any], Any]:
    """Return a column of a list: the value at a path from the row, such as `run.sent_at`, formatted."""
    value_of = attrgetter(path)

    @admin.display(description=description, ordering=ordering)  # type: ignore[arg-type]
    def shown(_admin: Any, row: Any) -> Any:
        return show(value_of(row))

    return shown
