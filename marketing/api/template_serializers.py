"""Serialize templates."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.validators import validate_email
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from crm.accounts.current_user import user_of
from crm.api.fields import PublicId
from customers.models.consent import Channel
from marketing.api.fields import CustomerReference, Reference
from marketing.content import ALL_PARTS, PARTS, ContentError, format_of, save_template, validate
from marketing.models import CampaignTemplate, Sender, TemplateVersion


class TemplateSerializer(serializers.ModelSerializer[CampaignTemplate]):
    id = PublicId("tpl")
    channel = serializers.ChoiceField(choices=Channel.choices, default=Channel.EMAIL)
    body = serializers.CharField(
        trim_whitespace=False,
        help_text=gettext_lazy("With Liquid, or {name}. The body of a webhook is JSON."),
    )
    body_format = serializers.ChoiceField(
        choices=CampaignTemplate.BodyFormat.choices,
        required=False,
        help_text=gettext_lazy("Of an e-mail; detected from the body if not given."),
    )
    version = serializers.SerializerMethodField(help_text=gettext_lazy("The newest one's number."))

    class Meta:
        model = CampaignTemplate
        fields: ClassVar[list[str]] = [
            "id", "name", "channel", *ALL_PARTS, "version", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields: ClassVar[list[str]] = ["created_at"]

    def get_version(self, template: CampaignTemplate) -> int | None:
        return getattr(template, "newest", None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.instance is None:
            attrs.setdefault("body_format", format_of(attrs["body"]))
        written = {**self._as_it_is(), **attrs}
        self._refuse_alien_parts(attrs, written.get("channel", Channel.EMAIL))
        try:
            validate(CampaignTemplate(**written))
        except ContentError as error:
            raise serializers.ValidationError({error.part: [str(error)]}) from error
        return attrs

    def create(self, validated_data: dict[str, Any]) -> CampaignTemplate:
        return self._saved(CampaignTemplate(**validated_data))

    def update(
        self, instance: CampaignTemplate, validated_data: dict[str, Any]
    ) -> CampaignTemplate:
        for field, value in validated_data.items():
            setattr(instance, field, value)
        return self._saved(instance)

    def _saved(self, template: CampaignTemplate) -> CampaignTemplate:
        version = save_template(template, by=user_of(self.context["request"]))
        template.newest = version.number  # type: ignore[attr-defined]
        return template

    def _as_it_is(self) -> dict[str, Any]:
        if self.instance is None:
            return {}
        return {part: getattr(self.instance, part) for part in ("channel", *ALL_PARTS)}

    def _refuse_alien_parts(self, attrs: dict[str, Any], channel: str) -> None:
        """Refuse parts that the channel does not have; a format is ignored outside e-mail."""
        known = {*PARTS[channel], "body_format"}
        if alien := [part for part in ALL_PARTS if attrs.get(part) and part not in known]:
            message = gettext_lazy("Messages of this channel have no such part.")
            raise serializers.ValidationError(dict.fromkeys(alien, message))


class LookSerializer(serializers.Serializer[Any]):
    customer = CustomerReference(
        required=False, help_text=gettext_lazy("Id or external id; a random one if not given.")
    )


class TestSendSerializer(LookSerializer):
    to = serializers.CharField(
        max_length=320, help_text=gettext_lazy("An address of the template's channel.")
    )
    sender = Reference("snd", queryset=Sender.objects.all(), required=False)

    def validate_to(self, to: str) -> str:
        if self.context["channel"] == Channel.EMAIL:
            validate_email(to)
        return to


class FindingSerializer(serializers.Serializer[Any]):
    level = serializers.ChoiceField(
        choices=["error", "warning"],
        help_text=gettext_lazy("An error keeps a campaign from starting."),
    )
    code = serializers.CharField()
    message = serializers.CharField()


class SmsSizeSerializer(serializers.Serializer[Any]):
    encoding = serializers.ChoiceField(choices=["GSM-7", "UCS-2"])
    units = serializers.IntegerField()
    segments = serializers.IntegerField()


class MessagePreviewSerializer(serializers.Serializer[Any]):
    subject = serializers.CharField()
    preheader = serializers.CharField()
    html = serializers.CharField()
    text = serializers.CharField()
    link = serializers.CharField()
    unknown = serializers.ListField(
        child=serializers.CharField(), help_text=gettext_lazy("Variables that no recipient has.")
    )
    findings = FindingSerializer(many=True)
    warnings = serializers.SerializerMethodField(
        help_text=gettext_lazy("The messages of the findings that are no errors.")
    )
    customer = CustomerReference(allow_null=True)
    sms = SmsSizeSerializer(allow_null=True)

    def get_warnings(self, seen: Any) -> list[str]:
        return [each.message for each in seen.findings if each.level == "warning"]


class TestReceiptSerializer(serializers.Serializer[Any]):
    provider_id = serializers.CharField()
    simulated = serializers.BooleanField(help_text=gettext_lazy("Nothing was delivered."))


class VersionSerializer(serializers.ModelSerializer[TemplateVersion]):
    by: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(
        source="created_by", slug_field="email", read_only=True, allow_null=True
    )
    sent = serializers.BooleanField(
        read_only=True, help_text=gettext_lazy("Whether a campaign has used it.")
    )

    class Meta:
        model = TemplateVersion
        fields: ClassVar[list[str]] = [
            "number",
            "created_at",
            "by",
            "sent",
            *ALL_PARTS,
            "html",
            "text",
        ]


class ChangesSerializer(serializers.Serializer[Any]):
    before = serializers.IntegerField()
    after = serializers.IntegerField()
    changes = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text=gettext_lazy("Each part that differs, as the lines of a unified diff."),
    )
