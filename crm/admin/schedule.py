"""Periodic tasks in the look of this admin; third-party models without a use are hidden."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.sites.models import Site
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django_celery_beat import admin as beat_admin
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from crm.adminkit import display
from crm.adminkit.base import ModelAdmin, column

SHOWN = (ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask)
HIDDEN = (
    EmailAddress, Site, SocialAccount, SocialApp, SocialToken, SolarSchedule, UserSession,
)  # fmt: skip

for model in (*SHOWN, *HIDDEN):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class TaskSelect(UnfoldAdminSelectWidget, beat_admin.TaskSelectWidget):
    """celery-beat's list of known tasks, with the admin's widget."""


class PeriodicTaskForm(beat_admin.PeriodicTaskForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "task" in self.fields:  # absent on the read-only page
            self.fields["task"].widget = UnfoldAdminTextInputWidget()
            self.fields["regtask"].widget = TaskSelect()


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(beat_admin.PeriodicTaskAdmin, ModelAdmin):
    form = PeriodicTaskForm
    change_form_template = None  # celery-beat's has a script inline, which our policy refuses
    date_hierarchy = None
    list_display = ("name", "state", "schedule", "last_run", "total_run_count")
    list_filter = ("enabled", "one_off")
    list_select_related = ("interval", "crontab", "clocked")
    fieldsets = (
        (None, {"fields": ("name", "regtask", "task", "enabled", "description")}),
        (
            _("Schedule"),
            {
                "fields": (
                    "interval",
                    "crontab",
                    "clocked",
                    "start_time",
                    "one_off",
                    "last_run_at",
                )
            },
        ),
        (
            _("Arguments"),
            {
                "fields": ("args", "kwargs", "expire_seconds", "queue"),
                "classes": ("collapse",),
            },
        ),
    )
    readonly_fields = ("last_run_at",)

    @admin.display(description=_("State"), ordering="enabled")
    def state(self, task: PeriodicTask) -> SafeString:
        return (
            display.badge(_("on"), "success")
            if task.enabled
            else display.badge(_("off"), "neutral")
        )

    @admin.display(description=_("Schedule"))
    def schedule(self, task: PeriodicTask) -> str:
        return str(task.interval or task.crontab or task.clocked or display.NOTHING)

    last_run = column("last_run_at", _("Last run"), display.when, ordering="last_run_at")


@admin.register(IntervalSchedule, CrontabSchedule, ClockedSchedule)
class ScheduleAdmin(ModelAdmin):
    """Opened from a task, to create a schedule."""

    def get_model_perms(self, request: Any) -> dict[str, bool]:
        return {}
