"""The figures of a test that is planned, as its page's address has them; rates, lifts and chances in percent, as people say them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from analytics.experiments import sample_size
from analytics.experiments.plan import Plan

RATE, REVENUE = "rate", "revenue"
MOST_ARMS = 10
MOST_PEOPLE = 1_000_000_000

USUAL: dict[str, Any] = {
    "kind": RATE,
    "rate": 5,
    "mean": 20,
    "deviation": 60,
    "lift": 10,
    "arms": 2,
    "confidence": round(100 * (1 - sample_size.ALPHA)),
    "power": round(100 * sample_size.POWER),
    "days": 7,
}


class PlanForm(forms.Form):
    """`rate` is for tests of rates, `mean` and `deviation` are for tests of revenue; the others are for both."""

    kind = forms.ChoiceField(choices=[(RATE, _("a rate")), (REVENUE, _("revenue a person"))])
    rate = forms.FloatField(label=_("Rate now, %"), min_value=0.001, max_value=99.9, required=False)
    mean = forms.FloatField(
        label=_("Mean a person now"), min_value=0.01, max_value=1_000_000, required=False
    )
    deviation = forms.FloatField(
        label=_("Standard deviation"), min_value=0.01, max_value=1_000_000, required=False
    )
    lift = forms.FloatField(label=_("Lift to see, %"), min_value=0.1, max_value=1000)
    arms = forms.IntegerField(label=_("Arms"), min_value=2, max_value=MOST_ARMS)
    confidence = forms.FloatField(label=_("Confidence, %"), min_value=50, max_value=99.99)
    power = forms.FloatField(label=_("Power, %"), min_value=50, max_value=99.9)
    people = forms.IntegerField(
        label=_("People there are"), min_value=1, max_value=MOST_PEOPLE, required=False
    )
    per_day = forms.IntegerField(
        label=_("People a day"), min_value=1, max_value=MOST_PEOPLE, required=False
    )
    days = forms.IntegerField(label=_("Days each is looked at"), min_value=1, max_value=365)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        of_kind = ("mean", "deviation") if given.get("kind") == REVENUE else ("rate",)
        for name in of_kind:
            if name not in self.errors and given.get(name) is None:
                self.add_error(name, _("A plan starts from this."))
        return given

    @property
    def plan(self) -> Plan:
        """Of a form that is valid."""
        given = self.cleaned_data
        by_revenue = given["kind"] == REVENUE
        return Plan(
            base=given["mean"] if by_revenue else given["rate"] / 100,
            deviation=given["deviation"] if by_revenue else None,
            lift=given["lift"] / 100,
            arms=given["arms"],
            alpha=1 - given["confidence"] / 100,
            power=given["power"] / 100,
            people=given["people"],
            per_day=given["per_day"],
            days=given["days"],
        )
