import django.db.models.functions.datetime
from django.db import migrations, models

import crm.events.transactions
import crm.events.uuid7


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="ConsumerCursor",
            fields=[
                ("name", models.CharField(max_length=100, primary_key=True, serialize=False)),
                (
                    "transaction",
                    crm.events.transactions.TransactionIdField(default=0, editable=False),
                ),
                ("position", models.BigIntegerField(default=0)),
                ("moved_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "verbose_name": "consumer cursor",
                "verbose_name_plural": "consumer cursors",
            },
        ),
        migrations.CreateModel(
            name="MarketingEvent",
            fields=[
                ("position", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "transaction",
                    crm.events.transactions.TransactionIdField(
                        db_default=crm.events.transactions.CurrentTransactionId(), editable=False
                    ),
                ),
                (
                    "event_id",
                    models.UUIDField(
                        db_default=crm.events.uuid7.Uuid7(), editable=False, verbose_name="id"
                    ),
                ),
                ("type", models.CharField(max_length=100, verbose_name="type")),
                (
                    "source",
                    models.CharField(db_default="kindling", max_length=100, verbose_name="source"),
                ),
                (
                    "subject",
                    models.CharField(db_default="", max_length=200, verbose_name="subject"),
                ),
                ("customer_id", models.BigIntegerField(null=True, verbose_name="customer")),
                ("data", models.JSONField(db_default={}, verbose_name="data")),
                (
                    "time",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="time"
                    ),
                ),
            ],
            options={
                "verbose_name": "event",
                "verbose_name_plural": "events",
                "indexes": [
                    models.Index(
                        models.F("transaction"), models.F("position"), name="event_reading_order"
                    ),
                    models.Index(fields=["type", "-time"], name="event_type_time"),
                ],
                "constraints": [
                    models.UniqueConstraint(models.F("event_id"), name="event_id_unique")
                ],
            },
        ),
    ]
