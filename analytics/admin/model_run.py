"""Runs of the models behind profiles: when, on which data, and how good they were."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from analytics.models import ModelRun
from crm.adminkit import display
from crm.adminkit.base import ModelAdmin


@admin.register(ModelRun)
class ModelRunAdmin(ModelAdmin):
    list_display = ("kind", "when", "data_from", "data_until", "people", "in_short")
    list_filter = ("kind",)
    fields = ("kind", "fitted_at", "data_from", "data_until", "customers", "found", "worth")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("Fitted"), ordering="fitted_at")
    def when(self, run: ModelRun) -> SafeString | str:
        return display.when(run.fitted_at)

    @admin.display(description=_("Customers"), ordering="customers")
    def people(self, run: ModelRun) -> str:
        return display.number(run.customers)

    @admin.display(description=_("In short"))
    def in_short(self, run: ModelRun) -> SafeString | str:
        if not run.parameters and not run.quality:
            return display.badge(_("Too little data"))
        if "auc" in run.quality:
            return _("AUC %(auc).3f, by recency alone %(recency).3f") % {
                "auc": run.quality["auc"],
                "recency": run.quality["auc_of_recency"],
            }
        figures = {k: v for k, v in run.parameters.items() if isinstance(v, float)}
        return (
            ", ".join(f"{name} {value:.4g}" for name, value in figures.items()) or display.NOTHING
        )

    @admin.display(description=_("Parameters"))
    def found(self, run: ModelRun) -> SafeString:
        return _as_text(run.parameters)

    @admin.display(description=_("Quality"))
    def worth(self, run: ModelRun) -> SafeString:
        return _as_text(run.quality)


def _as_text(kept: dict[str, Any]) -> SafeString:
    return format_html('<pre class="code">{}</pre>', json.dumps(kept, indent=2))
