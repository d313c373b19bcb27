from decimal import Decimal

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("analytics", "0001_initial"),
        ("marketing", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="campaigncost",
            name="campaign",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="costs",
                to="marketing.campaign",
                verbose_name="campaign",
            ),
        ),
        migrations.AddField(
            model_name="campaignmetrics",
            name="run",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="metrics",
                to="marketing.campaignrun",
                verbose_name="run",
            ),
        ),
        migrations.AddIndex(
            model_name="modelrun",
            index=models.Index(fields=["kind", "-id"], name="model_run_newest"),
        ),
        migrations.AddField(
            model_name="shareddashboard",
            name="created_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="shared by",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaigncost",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gte", Decimal("0"))),
                name="campaign_cost_not_negative",
                violation_error_message="Enter a cost of 0 or more.",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaignmetrics",
            constraint=models.UniqueConstraint(
                fields=("run", "hour", "variant"), name="metrics_run_hour_variant_unique"
            ),
        ),
        migrations.CreateModel(
            name="ProfileRebuild",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("finished", "Finished"),
                            ("failed", "Failed"),
                        ],
                        default="queued",
                        editable=False,
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "done",
                    models.PositiveIntegerField(
                        db_default=0, default=0, editable=False, verbose_name="done"
                    ),
                ),
                (
                    "total",
                    models.PositiveIntegerField(
                        db_default=0, default=0, editable=False, verbose_name="total"
                    ),
                ),
                (
                    "error",
                    models.TextField(
                        blank=True, db_default="", default="", editable=False, verbose_name="error"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                (
                    "started_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="started"),
                ),
                (
                    "finished_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="finished"),
                ),
                ("lease", models.UUIDField(editable=False, null=True)),
                ("leased_until", models.DateTimeField(editable=False, null=True)),
                ("position", models.BigIntegerField(default=0, editable=False)),
                ("changed", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
            ],
            options={
                "verbose_name": "profile rebuild",
                "verbose_name_plural": "profile rebuilds",
                "ordering": ["-id"],
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "running"])),
                        fields=["leased_until"],
                        name="profilerebuild_under_way",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("finished_at", None)),
                        fields=("finished_at",),
                        name="profile_rebuild_one_at_a_time",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
    ]
