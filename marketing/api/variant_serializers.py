"""The variants of a campaign and how their winner is found, as the API takes and tells them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from marketing.api.fields import Reference
from marketing.content import liquid
from marketing.models import Campaign, CampaignTemplate, CampaignVariant

WinnerBy = Campaign.WinnerBy

TEST_SHARE = 20
"""In percent, where somebody asks for a winner and says nothing else."""


class VariantSerializer(serializers.ModelSerializer[CampaignVariant]):
    """One of several messages: a template, or a text that becomes one."""

    template = Reference(
        "tpl",
        queryset=CampaignTemplate.objects.all(),
        required=False,
        help_text=gettext_lazy("Id or name of a template; or give a message instead."),
    )
    message = serializers.CharField(
        write_only=True,
        required=False,
        trim_whitespace=False,
        help_text=gettext_lazy("Text or HTML with Liquid or {name}; becomes a template."),
    )
    subject = serializers.CharField(
        write_only=True,
        required=False,
        max_length=500,
        help_text=gettext_lazy("Of a message; the campaign's name if none is given."),
    )

    class Meta:
        model = CampaignVariant
        fields: ClassVar[list[str]] = ["name", "weight", "template", "message", "subject"]

    def validate_message(self, message: str) -> str:
        try:
            liquid.compile_template(message, html=True)
        except liquid.ContentError as error:
            raise serializers.ValidationError(str(error)) from error
        return message

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len({"template", "message"} & set(attrs)) != 1:
            raise serializers.ValidationError(
                {"template": _("A variant has either a template or a message.")}
            )
        return attrs


class WinnerSerializer(serializers.Serializer[Campaign]):
    """How it is found out what the rest gets, and what was found."""

    by = serializers.ChoiceField(
        source="winner_by",
        choices=[choice for choice in WinnerBy.choices if choice[0]],
        allow_blank=True,
        help_text=gettext_lazy("time, confidence, or bandit (Thompson sampling)."),
    )
    metric = serializers.ChoiceField(
        source="winner_metric", choices=Campaign.Metric.choices, required=False
    )
    after_hours = serializers.DecimalField(
        source="winner_after_hours",
        max_digits=6,
        decimal_places=2,
        min_value=0,
        max_value=720,
        required=False,
        coerce_to_string=False,
        help_text=gettext_lazy("How long the test takes; by confidence and as a bandit, at most."),
    )
    confidence = serializers.DecimalField(
        source="winner_confidence",
        max_digits=4,
        decimal_places=3,
        min_value=Decimal("0.5"),
        max_value=Decimal("0.999"),
        required=False,
        coerce_to_string=False,
        help_text=gettext_lazy("The probability to be the best that decides."),
    )
    name = serializers.CharField(source="winner", read_only=True)
    why = serializers.CharField(source="winner_why", read_only=True)
    decided_at = serializers.DateTimeField(source="winner_at", read_only=True, allow_null=True)


def check_variants(variants: Sequence[dict[str, Any]]) -> None:
    """Raises ValidationError where two have one name."""
    names = [variant["name"].casefold() for variant in variants]
    if len(set(names)) < len(names):
        raise serializers.ValidationError(
            {"variants": _("Two variants of a campaign have different names.")}
        )


def complete_test(attrs: dict[str, Any], campaign: Campaign | None) -> None:
    """What goes without saying: who asks for a winner tests on a part, and who tests on a part wants a winner.

    Raises ValidationError for a test on everybody, which leaves nobody to get the winner.
    """
    known_by = campaign.winner_by if campaign else WinnerBy.NOTHING
    known_share = campaign.test_share if campaign else TEST_SHARE
    if attrs.get("test_share", 100) < 100 and not attrs.get("winner_by", known_by):
        attrs["winner_by"] = WinnerBy.TIME
    if attrs.get("winner_by"):
        share = attrs.setdefault("test_share", known_share if known_share < 100 else TEST_SHARE)
        if share >= 100:
            raise serializers.ValidationError(
                {"test_share": _("Below 100: somebody has to be left to get the winner.")}
            )
