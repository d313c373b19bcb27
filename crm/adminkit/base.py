"""The ModelAdmin that every admin of this project starts from."""

from __future__ import annotations

from django.contrib.admin import ShowFacets
from unfold.admin import ModelAdmin as UnfoldModelAdmin

from crm.counts import CheapPaginator


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
