"""Lists with a choice of columns, and saved views: filters, order and columns under a name.

Both are in the query string of the list, so that a view is a link. A saved view has no search, which may be personal data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django.contrib import messages
from django.contrib.admin.utils import label_for_field
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, PAGE_VAR, SEARCH_VAR
from django.db.models import Model, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm import masking
from crm.accounts.models import SavedView
from crm.adminkit.base import COLUMNS, ModelAdmin, page

NOT_SAVED = (SEARCH_VAR, PAGE_VAR, ERROR_FLAG, "_popup")


class SavedViews(ModelAdmin):
    """Mixin for the admin of a big list (put it first)."""

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        """Return the chosen columns in their usual order; the first one, which links to the row, always."""
        usual = list(super().get_list_display(request))
        chosen = request.GET.get(COLUMNS, "").split(",")
        kept = [each for each in usual if each in chosen]
        return [usual[0], *(each for each in kept if each != usual[0])] if kept else usual

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        views = {"views": self._views(request), **(extra_context or {})}
        return super().changelist_view(request, views)

    @page("columns", "columns/", "view")
    def choose_columns(self, request: HttpRequest) -> HttpResponse:
        """Redirect to the list with the chosen columns."""
        query = QueryDict(request.GET.get("query", ""), mutable=True)
        query.pop(ORDER_VAR, None)  # counts columns
        query[COLUMNS] = ",".join(request.GET.getlist("column"))
        return self._list(query.urlencode())

    @page("save_view", "save-view/", "view")
    @method_decorator(require_POST)
    def save_view(self, request: HttpRequest) -> HttpResponse:
        """Save the posted query string under a name; the same name replaces the user's earlier view."""
        name = request.POST.get("name", "").strip()[:60]
        query = _saved(request.POST.get("query", ""))
        if not name or len(query) > 2000:
            self.message_user(request, _("Enter a name for the view."), messages.ERROR)
            return self._list(query)
        SavedView.objects.update_or_create(
            user=cast(Any, request.user),  # staff, signed in
            model=self.opts.label_lower,
            name=name,
            defaults={"query": query, "is_shared": "shared" in request.POST},
        )
        self.message_user(request, _("View “%s” saved.") % name, messages.SUCCESS)
        return self._list(query)

    @page("remove_view", "remove-view/<int:pk>/", "view")
    @method_decorator(require_POST)
    def remove_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Delete a view of the user."""
        view = get_object_or_404(
            SavedView, pk=pk, user=request.user.pk, model=self.opts.label_lower
        )
        view.delete()
        self.message_user(request, _("View “%s” deleted.") % view, messages.SUCCESS)
        return self._list("")

    def _views(self, request: HttpRequest) -> dict[str, Any]:
        """Return the context of admin/saved_views.html."""
        mine = request.user.pk
        here = _saved(request.GET.urlencode())
        of_list = SavedView.objects.filter(model=self.opts.label_lower)
        views = [
            each
            for each in of_list.filter(Q(user=mine) | Q(is_shared=True))
            if not (masking.is_on() and _names_personal_data(self.model, each.query))
        ]
        usual = super().get_list_display(request)
        shown = self.get_list_display(request)
        return {
            "saved": views,
            "query": here,
            "mine": next(
                (each for each in views if each.query == here and each.user_id == mine), None
            ),
            "columns": [
                (name, label_for_field(name, self.model, self), name in shown) for name in usual[1:]
            ],
            "first_column": usual[0],
            "columns_url": self._url("columns"),
            "save_url": self._url("save_view"),
            "remove_url_name": f"admin:{self._prefix}_remove_view",
        }

    @property
    def _prefix(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}"

    def _url(self, name: str) -> str:
        return reverse(f"admin:{self._prefix}_{name}")

    def _list(self, query: str) -> HttpResponse:
        return HttpResponseRedirect(f"{self._url('changelist')}?{query}")


def _names_personal_data(model: type[Model], query: str) -> bool:
    return any(masking.is_personal(model, name) for name in QueryDict(query))


def _saved(query: str) -> str:
    """Return a query string in one order, without its search and page."""
    given = QueryDict(query, mutable=True)
    for name in NOT_SAVED:
        given.pop(name, None)
    ordered = QueryDict(mutable=True)
    for name in sorted(given):
        ordered.setlist(name, given.getlist(name))
    return ordered.urlencode()
