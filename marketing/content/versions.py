"""Freeze templates as versions when they are saved and sent, so that a sent message keeps its content and links."""

from __future__ import annotations

from dataclasses import asdict
from difflib import unified_diff

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from crm.accounts.models import User
from marketing.content import build, links
from marketing.content.channel_parts import ALL_PARTS
from marketing.models import CampaignRun, CampaignTemplate, RunVariant, TemplateVersion, TrackedLink


@transaction.atomic
def save_template(template: CampaignTemplate, *, by: User | None) -> TemplateVersion:
    """Save a template, and store it as a version. Raises ContentError when it cannot be read."""
    template.save()
    return freeze(template, by=by)


@transaction.atomic
def freeze(template: CampaignTemplate, *, by: User | None = None) -> TemplateVersion:
    """Return a version of the template and its snippets as they are now: the newest if nothing changed, else a new one.

    Raises ContentError when the template cannot be read.
    """
    locked = CampaignTemplate.objects.select_for_update().get(pk=template.pk)
    says = {part: getattr(locked, part) for part in ALL_PARTS} | asdict(build.build(locked))
    newest = locked.versions.order_by("-number").first()
    if newest and all(getattr(newest, part) == value for part, value in says.items()):
        return newest
    version = TemplateVersion.objects.create(
        template=locked, number=newest.number + 1 if newest else 1, created_by=by, **says
    )
    TrackedLink.objects.bulk_create(
        TrackedLink(version=version, position=position, url=url)
        for position, url in enumerate(
            links.in_message(version.html, version.text, version.link), start=1
        )
    )
    return version


def freeze_variants(run: CampaignRun) -> None:
    """Freeze the template of each variant of the run's campaign, for this run."""
    RunVariant.objects.bulk_create(
        RunVariant(
            run=run, name=variant.name, weight=variant.weight, version=freeze(variant.template)
        )
        for variant in run.campaign.variants.select_related("template")
    )


def repeat_variants(earlier: CampaignRun, run: CampaignRun) -> None:
    """Give the variants of a run the versions of an earlier run."""
    RunVariant.objects.bulk_create(
        RunVariant(run=run, name=variant.name, weight=variant.weight, version=variant.version)
        for variant in earlier.variants.select_related("version").order_by("pk")
    )


@transaction.atomic
def restore_version(version: TemplateVersion, *, by: User | None = None) -> TemplateVersion:
    """Restore the content of a version; returns the newest version after that."""
    template = version.template
    for part in ALL_PARTS:
        setattr(template, part, getattr(version, part))
    return save_template(template, by=by)


def versions_of(template: CampaignTemplate) -> QuerySet[TemplateVersion, TemplateVersion]:
    """Return the template's versions, newest first, each with `sent`: whether a run has used it."""
    by_run = CampaignRun.objects.filter(version=OuterRef("pk"))
    by_variant = RunVariant.objects.filter(version=OuterRef("pk"))
    sent = Exists(by_run) | Exists(by_variant)
    return template.versions.annotate(sent=sent).order_by("-number")


def version_changes(before: TemplateVersion, after: TemplateVersion) -> dict[str, list[str]]:
    """Return the parts that differ, each as a unified diff without its head."""
    return {
        part: _diff(getattr(before, part), getattr(after, part))
        for part in ALL_PARTS
        if getattr(before, part) != getattr(after, part)
    }


def _diff(before: str, after: str) -> list[str]:
    lines = unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=3)
    return list(lines)[2:]
