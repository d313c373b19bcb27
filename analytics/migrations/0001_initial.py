from decimal import Decimal

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="CampaignCost",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(default="fixed", max_length=50, verbose_name="kind")),
                (
                    "basis",
                    models.CharField(
                        choices=[
                            ("fixed", "Once"),
                            ("message", "Per message"),
                            ("click", "Per click"),
                        ],
                        db_default="fixed",
                        default="fixed",
                        max_length=10,
                        verbose_name="basis",
                    ),
                ),
                (
                    "amount",
                    models.DecimalField(decimal_places=4, max_digits=14, verbose_name="amount"),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
            ],
            options={
                "verbose_name": "campaign cost",
                "verbose_name_plural": "campaign costs",
            },
        ),
        migrations.CreateModel(
            name="CampaignMetrics",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "variant",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=100,
                        verbose_name="variant",
                    ),
                ),
                ("hour", models.DateTimeField(verbose_name="hour")),
                ("sent", models.PositiveIntegerField(db_default=0, default=0, verbose_name="sent")),
                (
                    "delivered",
                    models.PositiveIntegerField(db_default=0, default=0, verbose_name="delivered"),
                ),
                (
                    "bounced",
                    models.PositiveIntegerField(db_default=0, default=0, verbose_name="bounced"),
                ),
                (
                    "refused",
                    models.PositiveIntegerField(db_default=0, default=0, verbose_name="refused"),
                ),
                (
                    "opened",
                    models.PositiveIntegerField(db_default=0, default=0, verbose_name="opened"),
                ),
                (
                    "opens",
                    models.PositiveIntegerField(db_default=0, default=0, verbose_name="opens"),
                ),
                (
                    "clicked",
                    models.PositiveIntegerField(db_default=0, default=0, verbose_name="clicked"),
                ),
                (
                    "clicks",
                    models.PositiveIntegerField(db_default=0, default=0, verbose_name="clicks"),
                ),
                (
                    "opened_by_machine",
                    models.PositiveIntegerField(
                        db_default=0, default=0, verbose_name="opened by a bot"
                    ),
                ),
                (
                    "clicked_by_machine",
                    models.PositiveIntegerField(
                        db_default=0, default=0, verbose_name="clicked by a bot"
                    ),
                ),
                (
                    "complained",
                    models.PositiveIntegerField(db_default=0, default=0, verbose_name="complained"),
                ),
                (
                    "converted",
                    models.PositiveIntegerField(db_default=0, default=0, verbose_name="converted"),
                ),
                (
                    "unsubscribed",
                    models.PositiveIntegerField(
                        db_default=0, default=0, verbose_name="unsubscribed"
                    ),
                ),
                (
                    "revenue",
                    models.DecimalField(
                        db_default=Decimal("0"),
                        decimal_places=2,
                        default=Decimal("0"),
                        max_digits=14,
                        verbose_name="revenue",
                    ),
                ),
            ],
            options={
                "verbose_name": "campaign metrics",
                "verbose_name_plural": "campaign metrics",
            },
        ),
        migrations.CreateModel(
            name="ModelRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("rfm", "RFM quintiles"),
                            ("timing", "Best send time"),
                            ("bg_nbd", "Purchases (BG/NBD)"),
                            ("gamma_gamma", "Spend (gamma-gamma)"),
                            ("churn", "Churn risk (logistic regression)"),
                        ],
                        max_length=20,
                        verbose_name="model",
                    ),
                ),
                (
                    "fitted_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="fitted",
                    ),
                ),
                ("data_from", models.DateField(null=True, verbose_name="data from")),
                ("data_until", models.DateField(null=True, verbose_name="data until")),
                ("customers", models.PositiveIntegerField(default=0, verbose_name="customers")),
                ("parameters", models.JSONField(default=dict, verbose_name="parameters")),
                ("quality", models.JSONField(default=dict, verbose_name="quality")),
            ],
            options={
                "verbose_name": "model run",
                "verbose_name_plural": "model runs",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="SharedDashboard",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("dashboard", models.CharField(max_length=30, verbose_name="dashboard")),
                (
                    "query",
                    models.CharField(
                        blank=True,
                        help_text="The query string of the dashboard.",
                        max_length=1000,
                        verbose_name="filters",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="shared",
                    ),
                ),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
                (
                    "revoked_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="revoked"),
                ),
                (
                    "opened",
                    models.PositiveIntegerField(
                        db_default=0, default=0, editable=False, verbose_name="views"
                    ),
                ),
                (
                    "last_opened_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="last viewed"),
                ),
            ],
            options={
                "verbose_name": "shared dashboard",
                "verbose_name_plural": "shared dashboards",
                "ordering": ["-id"],
            },
        ),
    ]
