from decimal import Decimal

import django.db.models.deletion
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
                violation_error_message="A cost is not negative.",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaignmetrics",
            constraint=models.UniqueConstraint(
                fields=("run", "hour", "variant"), name="metrics_run_hour_variant_unique"
            ),
        ),
    ]
