"""Runs of the predictive models: the time, the data and the quality of each."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from analytics.models import ModelRun
from crm.adminkit import display
from crm.adminkit.base import ModelAdmin, column


@admin.register(ModelRun)
class ModelRunAdmin(ModelAdmin):
    forbids = ("add", "change", "delete")
    list_display = ("kind", "when", "data_from", "data_until", "customer_count", "summary")
    list_filter = ("kind",)
    fields = (
        "kind",
        "fitted_at",
        "data_from",
        "data_until",
        "customers",
        "parameters_json",
        "quality_json",
    )
    readonly_fields = fields

    when = column("fitted_at", _("Fitted"), display.when, ordering="fitted_at")
    customer_count = column("customers", _("Customers"), display.number, ordering="customers")

    @admin.display(description=_("Summary"))
    def summary(self, run: ModelRun) -> SafeString | str:
        if not run.parameters and not run.quality:
            return display.badge(_("Not enough data"))
        if "auc" in run.quality:
            return _("AUC %(auc).3f, of recency alone %(recency).3f") % {
                "auc": run.quality["auc"],
                "recency": run.quality["auc_of_recency"],
            }
        figures = {k: v for k, v in run.parameters.items() if isinstance(v, float)}
        return (
            ", ".join(f"{name} {value:.4g}" for name, value in figures.items()) or display.NOTHING
        )

    @admin.display(description=_("Parameters"))
    def parameters_json(self, run: ModelRun) -> SafeString:
        return _as_json(run.parameters)

    @admin.display(description=_("Quality"))
    def quality_json(self, run: ModelRun) -> SafeString:
        return _as_json(run.quality)


def _as_json(figures: dict[str, Any]) -> SafeString:
    return format_html('<pre class="code">{}</pre>', json.dumps(figures, indent=2))
