"""Freezing what a template says, so that every sent message knows its words and links."""

from __future__ import annotations

from django.db import transaction

from marketing.content import links
from marketing.models import CampaignRun, CampaignTemplate, RunVariant, TemplateVersion, TrackedLink


@transaction.atomic
def freeze(template: CampaignTemplate) -> TemplateVersion:
    """The version that says what the template says now: the newest one if nothing changed, else a new one with its links."""
    locked = CampaignTemplate.objects.select_for_update().get(pk=template.pk)
    newest = locked.versions.order_by("-number").first()
    if newest and _says_the_same(newest, locked):
        return newest
    version = TemplateVersion.objects.create(
        template=locked,
        number=newest.number + 1 if newest else 1,
        subject=locked.subject,
        body=locked.body,
        plain_text=locked.plain_text,
    )
    TrackedLink.objects.bulk_create(
        TrackedLink(version=version, position=position, url=url)
        for position, url in enumerate(links.find(version.body), start=1)
    )
    return version


def freeze_variants(run: CampaignRun) -> None:
    """Freeze what each variant of the run's campaign says, for this run."""
    RunVariant.objects.bulk_create(
        RunVariant(
            run=run, name=variant.name, weight=variant.weight, version=freeze(variant.template)
        )
        for variant in run.campaign.variants.select_related("template")
    )


def _says_the_same(version: TemplateVersion, template: CampaignTemplate) -> bool:
    return (version.subject, version.body, version.plain_text) == (
        template.subject,
        template.body,
        template.plain_text,
    )
