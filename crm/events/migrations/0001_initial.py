import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.db import migrations, models

import crm.credentials
import crm.events.columns


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="FeedCursor",
            fields=[
                (
                    "name",
                    models.CharField(
                        max_length=100, primary_key=True, serialize=False, verbose_name="subscriber"
                    ),
                ),
                (
                    "transaction",
                    crm.events.columns.TransactionIdField(default=0, editable=False),
                ),
                ("position", models.BigIntegerField(default=0)),
                (
                    "moved_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="last read"
                    ),
                ),
                ("behind_since", models.DateTimeField(null=True, verbose_name="behind since")),
                ("batch_size", models.PositiveIntegerField(null=True)),
                ("failures", models.PositiveSmallIntegerField(default=0, verbose_name="failures")),
                ("retry_at", models.DateTimeField(null=True, verbose_name="next attempt")),
                ("one_by_one", models.PositiveIntegerField(default=0)),
                ("error", models.TextField(default="", verbose_name="last error")),
            ],
            options={
                "verbose_name": "event feed",
                "verbose_name_plural": "event feeds",
            },
        ),
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "url",
                    models.CharField(
                        max_length=1000,
                        validators=[django.core.validators.URLValidator(schemes=["https", "http"])],
                        verbose_name="address",
                    ),
                ),
                (
                    "types",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Types such as customer.created, or campaign.* for all of a kind. Leave empty for all.",
                        verbose_name="events",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("secret", crm.credentials.SealedText(editable=False, verbose_name="secret")),
                ("previous_secret", crm.credentials.SealedText(default="", editable=False)),
                ("previous_until", models.DateTimeField(editable=False, null=True)),
                (
                    "notify",
                    models.EmailField(
                        blank=True,
                        help_text="We e-mail this address when the webhook is switched off.",
                        max_length=254,
                        verbose_name="notification e-mail",
                    ),
                ),
                (
                    "failures",
                    models.PositiveIntegerField(
                        default=0, editable=False, verbose_name="consecutive failures"
                    ),
                ),
                (
                    "failing_since",
                    models.DateTimeField(editable=False, null=True, verbose_name="failing since"),
                ),
                (
                    "held_until",
                    models.DateTimeField(editable=False, null=True, verbose_name="paused until"),
                ),
                (
                    "switched_off_why",
                    models.TextField(
                        default="", editable=False, verbose_name="reason for switching off"
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
            ],
            options={
                "verbose_name": "webhook",
                "verbose_name_plural": "webhooks",
            },
        ),
        migrations.CreateModel(
            name="DeadLetter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("subscriber", models.CharField(max_length=100, verbose_name="subscriber")),
                ("position", models.BigIntegerField(verbose_name="event")),
                ("type", models.CharField(max_length=100, verbose_name="type")),
                ("customer_id", models.BigIntegerField(null=True, verbose_name="customer")),
                ("error", models.TextField(verbose_name="error")),
                ("at", models.DateTimeField(auto_now=True, verbose_name="when")),
            ],
            options={
                "verbose_name": "dead letter",
                "verbose_name_plural": "dead letters",
                "constraints": [
                    models.UniqueConstraint(
                        models.F("position"), models.F("subscriber"), name="dead_letter_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="MarketingEvent",
            fields=[
                ("position", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "transaction",
                    crm.events.columns.TransactionIdField(
                        db_default=crm.events.columns.CurrentTransactionId(), editable=False
                    ),
                ),
                (
                    "event_id",
                    models.UUIDField(
                        db_default=crm.events.columns.Uuid7(), editable=False, verbose_name="id"
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
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("event_id", models.UUIDField(verbose_name="event")),
                ("type", models.CharField(max_length=100, verbose_name="type")),
                ("customer_id", models.BigIntegerField(null=True, verbose_name="customer")),
                ("body", models.TextField(verbose_name="body")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("delivered", "Delivered"),
                            ("failed", "Failed"),
                        ],
                        default="pending",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                (
                    "next_attempt_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        null=True,
                        verbose_name="next attempt",
                    ),
                ),
                ("leased_until", models.DateTimeField(null=True)),
                (
                    "response_code",
                    models.PositiveSmallIntegerField(null=True, verbose_name="response code"),
                ),
                ("ms", models.PositiveIntegerField(null=True, verbose_name="milliseconds")),
                ("error", models.CharField(blank=True, max_length=1000, verbose_name="error")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="created"
                    ),
                ),
                ("delivered_at", models.DateTimeField(null=True, verbose_name="delivered")),
                (
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="events.webhookendpoint",
                        verbose_name="webhook",
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook delivery",
                "verbose_name_plural": "webhook deliveries",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "pending")),
                        fields=["endpoint", "next_attempt_at"],
                        name="delivery_due",
                    ),
                    models.Index(
                        condition=models.Q(("state", "pending")),
                        fields=["endpoint", "customer_id", "id"],
                        name="delivery_order",
                    ),
                    models.Index(fields=["endpoint", "-id"], name="delivery_log"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "pending"), _negated=True),
                            ("next_attempt_at__isnull", False),
                            _connector="OR",
                        ),
                        name="pending_delivery_has_a_time",
                    )
                ],
            },
        ),
    ]
