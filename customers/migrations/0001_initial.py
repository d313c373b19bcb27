from decimal import Decimal

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import django.db.models.functions.math
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import crm.credentials
import crm.events.columns
import customers.models.commerce
import customers.models.segment


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ErasedAddress",
            fields=[
                ("digest", models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                (
                    "opt_outs",
                    models.JSONField(
                        db_default=[],
                        default=list,
                        help_text="[channel, topic] pairs of its opt-outs, which hold again when the person comes back.",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "verbose_name": "erased address",
                "verbose_name_plural": "erased addresses",
            },
        ),
        migrations.CreateModel(
            name="ErasureKey",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False),
                ),
                ("sealed", crm.credentials.SealedText(verbose_name="key")),
            ],
            options={
                "verbose_name": "key of erasures",
                "verbose_name_plural": "keys of erasures",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="erasure_key_is_one")
                ],
            },
        ),
        migrations.CreateModel(
            name="Segment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("slug", models.SlugField(db_index=False, max_length=200, verbose_name="slug")),
                (
                    "description",
                    models.TextField(
                        blank=True, db_default="", default="", verbose_name="description"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("dynamic", "Dynamic"), ("static", "Static")],
                        default="dynamic",
                        help_text="Dynamic segments follow their rules; static ones are lists.",
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                (
                    "rules",
                    models.JSONField(
                        blank=True, default=customers.models.segment.everyone, verbose_name="rules"
                    ),
                ),
                (
                    "size",
                    models.PositiveIntegerField(default=0, editable=False, verbose_name="size"),
                ),
                (
                    "refreshed_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="refreshed"),
                ),
                (
                    "refresh_ms",
                    models.PositiveIntegerField(
                        editable=False, null=True, verbose_name="refresh took"
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
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
            ],
            options={
                "verbose_name": "segment",
                "verbose_name_plural": "segments",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Customer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "external_id",
                    models.CharField(
                        blank=True, max_length=200, null=True, verbose_name="external id"
                    ),
                ),
                (
                    "email",
                    models.CharField(blank=True, max_length=320, null=True, verbose_name="e-mail"),
                ),
                (
                    "phone",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="In E.164: +4930123456.",
                        max_length=32,
                        verbose_name="phone",
                    ),
                ),
                (
                    "push_address",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        editable=False,
                        help_text="Copied from the newest push subscription.",
                        max_length=50,
                        verbose_name="push address",
                    ),
                ),
                (
                    "first_name",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=200,
                        verbose_name="first name",
                    ),
                ),
                (
                    "last_name",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=200,
                        verbose_name="last name",
                    ),
                ),
                (
                    "date_of_birth",
                    models.DateField(blank=True, null=True, verbose_name="date of birth"),
                ),
                (
                    "city",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=200, verbose_name="city"
                    ),
                ),
                (
                    "region",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=200, verbose_name="region"
                    ),
                ),
                (
                    "country",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="ISO 3166-1 alpha-2.",
                        max_length=2,
                        verbose_name="country",
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=20,
                        verbose_name="language",
                    ),
                ),
                (
                    "timezone",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=64,
                        verbose_name="time zone",
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=100, verbose_name="source"
                    ),
                ),
                (
                    "lifecycle_status",
                    models.CharField(
                        choices=[
                            ("lead", "Lead"),
                            ("active", "Active"),
                            ("inactive", "Inactive"),
                            ("churned", "Churned"),
                        ],
                        db_default="lead",
                        default="lead",
                        max_length=20,
                        verbose_name="lifecycle status",
                    ),
                ),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100),
                        blank=True,
                        db_default=[],
                        default=list,
                        size=None,
                        verbose_name="tags",
                    ),
                ),
                (
                    "attributes",
                    models.JSONField(
                        blank=True, db_default={}, default=dict, verbose_name="attributes"
                    ),
                ),
                (
                    "registered_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="registered"),
                ),
                (
                    "opted_out_channels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20),
                        blank=True,
                        db_default=[],
                        default=list,
                        editable=False,
                        help_text="Copied from the newest consent of each channel.",
                        size=None,
                        verbose_name="opted out of",
                    ),
                ),
                (
                    "opted_out_topics",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=121),
                        blank=True,
                        db_default=[],
                        default=list,
                        editable=False,
                        help_text="channel:topic, copied from the newest consent of each.",
                        size=None,
                        verbose_name="opted out of topics",
                    ),
                ),
                (
                    "paused_until",
                    models.DateTimeField(
                        editable=False,
                        help_text="Copied from the newest pause.",
                        null=True,
                        verbose_name="paused until",
                    ),
                ),
                (
                    "from_browser",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        editable=False,
                        help_text="No server, file or user has sent this customer yet.",
                        verbose_name="known from browsers alone",
                    ),
                ),
                (
                    "erased_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="erased"),
                ),
                (
                    "opening_spend",
                    models.DecimalField(
                        db_default=Decimal("0"),
                        decimal_places=2,
                        default=Decimal("0"),
                        editable=False,
                        max_digits=14,
                    ),
                ),
                ("opening_orders", models.IntegerField(db_default=0, default=0, editable=False)),
                ("opening_visits", models.IntegerField(db_default=0, default=0, editable=False)),
                (
                    "total_spend",
                    models.DecimalField(
                        db_default=Decimal("0"),
                        decimal_places=2,
                        default=Decimal("0"),
                        editable=False,
                        max_digits=14,
                        verbose_name="total spend",
                    ),
                ),
                (
                    "order_count",
                    models.IntegerField(
                        db_default=0, default=0, editable=False, verbose_name="orders"
                    ),
                ),
                (
                    "average_order_value",
                    models.DecimalField(
                        decimal_places=2,
                        editable=False,
                        max_digits=14,
                        null=True,
                        verbose_name="average order value",
                    ),
                ),
                (
                    "visit_count",
                    models.IntegerField(
                        db_default=0, default=0, editable=False, verbose_name="visits"
                    ),
                ),
                (
                    "first_order_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="first order"),
                ),
                (
                    "last_order_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="last order"),
                ),
                (
                    "last_visit_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="last visit"),
                ),
                (
                    "last_interaction_at",
                    models.DateTimeField(
                        editable=False, null=True, verbose_name="last interaction"
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
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="updated",
                    ),
                ),
            ],
            options={
                "verbose_name": "customer",
                "verbose_name_plural": "customers",
                "permissions": [
                    ("see_personal_data", "Can see names, addresses and other personal data"),
                    ("export_personal_data", "Can export all personal data of a customer"),
                    ("erase_customer", "Can erase a customer"),
                    ("merge_customer", "Can merge customers and undo merges"),
                ],
                "indexes": [
                    models.Index(fields=["-registered_at", "-id"], name="customer_newest"),
                    models.Index(fields=["total_spend"], name="customer_total_spend"),
                    models.Index(fields=["last_order_at"], name="customer_last_order"),
                    django.contrib.postgres.indexes.GinIndex(fields=["tags"], name="customer_tags"),
                    models.Index(
                        django.db.models.functions.text.Lower("city"), name="customer_city_folded"
                    ),
                    models.Index(
                        condition=models.Q(("from_browser", True)),
                        fields=["id"],
                        name="customer_from_browser",
                    ),
                    models.Index(
                        django.contrib.postgres.indexes.OpClass("phone", "varchar_pattern_ops"),
                        name="customer_phone_begins",
                    ),
                    models.Index(
                        django.contrib.postgres.indexes.OpClass(
                            django.db.models.functions.text.Lower("email"), "text_pattern_ops"
                        ),
                        name="customer_email_begins",
                    ),
                    models.Index(
                        django.contrib.postgres.indexes.OpClass(
                            django.db.models.functions.text.Lower("external_id"), "text_pattern_ops"
                        ),
                        name="customer_external_id_begins",
                    ),
                    models.Index(
                        django.contrib.postgres.indexes.OpClass(
                            django.db.models.functions.text.Lower("first_name"), "text_pattern_ops"
                        ),
                        name="customer_first_name_begins",
                    ),
                    models.Index(
                        django.contrib.postgres.indexes.OpClass(
                            django.db.models.functions.text.Lower("last_name"), "text_pattern_ops"
                        ),
                        name="customer_last_name_begins",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("external_id",), name="customer_external_id_unique"
                    ),
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("email"),
                        name="customer_email_unique",
                        violation_error_message="Another customer has this e-mail address.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("external_id", ""), _negated=True),
                            models.Q(("email", ""), _negated=True),
                        ),
                        name="customer_absent_ids_are_null",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportJob",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "done",
                    models.PositiveIntegerField(
                        db_default=0, default=0, editable=False, verbose_name="done"
                    ),
                ),
                (
                    "error",
                    models.TextField(
                        blank=True, db_default="", default="", editable=False, verbose_name="error"
                    ),
                ),
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
                ("kind", models.CharField(max_length=30, verbose_name="kind")),
                ("file", models.FileField(upload_to="imports/%Y/%m/", verbose_name="file")),
                (
                    "name",
                    models.CharField(editable=False, max_length=255, verbose_name="file name"),
                ),
                (
                    "mapping",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="Column of the file → field; columns left out are ignored.",
                        verbose_name="mapping",
                    ),
                ),
                (
                    "reading",
                    models.JSONField(
                        blank=True, default=dict, editable=False, verbose_name="format details"
                    ),
                ),
                (
                    "consent",
                    models.JSONField(
                        blank=True,
                        db_default={},
                        default=dict,
                        editable=False,
                        help_text="What cells mean, which columns state nothing, and the evidence of a new consent.",
                        verbose_name="answers about consent",
                    ),
                ),
                (
                    "create_missing",
                    models.BooleanField(
                        default=False,
                        help_text="Create customers that orders name but that do not exist. Otherwise such orders are rejected.",
                        verbose_name="create missing customers",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("uploaded", "Uploaded"),
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("finished", "Finished"),
                            ("failed", "Failed"),
                        ],
                        default="uploaded",
                        editable=False,
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("total", models.PositiveIntegerField(db_default=100, default=100, editable=False)),
                (
                    "begun",
                    models.JSONField(
                        default=None,
                        editable=False,
                        help_text="Reading, formats and position, by which the next turn resumes.",
                        null=True,
                    ),
                ),
                (
                    "stage",
                    models.CharField(
                        blank=True, default="", editable=False, max_length=20, verbose_name="stage"
                    ),
                ),
                (
                    "rows",
                    models.PositiveIntegerField(default=0, editable=False, verbose_name="rows"),
                ),
                (
                    "created",
                    models.PositiveIntegerField(default=0, editable=False, verbose_name="created"),
                ),
                (
                    "updated",
                    models.PositiveIntegerField(default=0, editable=False, verbose_name="updated"),
                ),
                (
                    "unchanged",
                    models.PositiveIntegerField(
                        default=0, editable=False, verbose_name="unchanged"
                    ),
                ),
                (
                    "rejected",
                    models.PositiveIntegerField(default=0, editable=False, verbose_name="rejected"),
                ),
                (
                    "opt_outs_kept",
                    models.PositiveIntegerField(
                        db_default=0, default=0, editable=False, verbose_name="unchanged opt-outs"
                    ),
                ),
                (
                    "unread_cells",
                    models.JSONField(
                        default=dict,
                        editable=False,
                        help_text="Field → cells that were stored as attributes.",
                        verbose_name="unread cells",
                    ),
                ),
                (
                    "rejected_file",
                    models.FileField(
                        editable=False, null=True, upload_to="", verbose_name="rejected rows"
                    ),
                ),
                (
                    "reasons",
                    models.JSONField(
                        db_default={},
                        default=dict,
                        editable=False,
                        help_text="Reason of rejected rows or unread cells, without values → their number.",
                        verbose_name="reasons",
                    ),
                ),
                (
                    "wants_preview",
                    models.BooleanField(db_default=False, default=False, editable=False),
                ),
                (
                    "unread",
                    models.JSONField(
                        editable=False,
                        help_text="What a call may state, until a worker has read the columns that it did not map.",
                        null=True,
                    ),
                ),
                (
                    "store",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Store of orders whose row has none. Order ids are unique in a store.",
                        max_length=100,
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "import",
                "verbose_name_plural": "imports",
                "ordering": ["-id"],
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "running"])),
                        fields=["leased_until"],
                        name="importjob_under_way",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Order",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("external_id", models.CharField(max_length=200, verbose_name="order id")),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="orders",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
                ("placed_at", models.DateTimeField(verbose_name="placed")),
                (
                    "store",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Order ids are unique in a store.",
                        max_length=100,
                        verbose_name="store",
                    ),
                ),
                (
                    "currency",
                    models.CharField(
                        default=customers.models.commerce.site_currency,
                        max_length=3,
                        verbose_name="currency",
                    ),
                ),
                (
                    "amount",
                    models.DecimalField(
                        decimal_places=2,
                        help_text="Paid amount after discounts; the sum of the lines, if there are lines.",
                        max_digits=14,
                        verbose_name="amount",
                    ),
                ),
                (
                    "discount",
                    models.DecimalField(
                        db_default=Decimal("0"),
                        decimal_places=2,
                        default=Decimal("0"),
                        max_digits=14,
                        verbose_name="discount",
                    ),
                ),
                (
                    "attributes",
                    models.JSONField(
                        blank=True, db_default={}, default=dict, verbose_name="attributes"
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
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="updated",
                    ),
                ),
                (
                    "is_whole",
                    models.BooleanField(
                        db_default=False, default=False, verbose_name="takes the whole order back"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("order", "Order"),
                            ("refund", "Refund"),
                            ("cancellation", "Cancellation"),
                            ("return", "Return"),
                        ],
                        db_default="order",
                        default="order",
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                (
                    "rate",
                    models.DecimalField(
                        blank=True,
                        decimal_places=12,
                        help_text="Value of one unit of the currency in the site's currency, on the day.",
                        max_digits=24,
                        null=True,
                        verbose_name="exchange rate",
                    ),
                ),
                (
                    "refund_of",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refunds",
                        to="customers.order",
                        verbose_name="refunded order",
                    ),
                ),
                (
                    "refunded",
                    models.DecimalField(
                        db_default=Decimal("0"),
                        decimal_places=2,
                        default=Decimal("0"),
                        help_text="Part of the amount that refunds, cancellations and returns took back.",
                        max_digits=14,
                        verbose_name="refunded",
                    ),
                ),
                (
                    "refunded_order",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=200,
                        verbose_name="id of the refunded order",
                    ),
                ),
                (
                    "net",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(
                            models.When(
                                refund_of=None,
                                then=django.db.models.functions.math.Round(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("amount"), "-", models.F("refunded")
                                        ),
                                        "*",
                                        models.F("rate"),
                                    ),
                                    2,
                                ),
                            ),
                            default=Decimal("0"),
                        ),
                        help_text="Amount after refunds in the site's currency; empty without an exchange rate.",
                        output_field=models.DecimalField(
                            decimal_places=2, max_digits=20, verbose_name="net amount"
                        ),
                        verbose_name="net amount",
                    ),
                ),
            ],
            options={
                "verbose_name": "order",
                "verbose_name_plural": "orders",
            },
        ),
        migrations.CreateModel(
            name="Pause",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("until", models.DateTimeField(blank=True, null=True, verbose_name="until")),
                (
                    "evidence",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=500,
                        verbose_name="evidence",
                    ),
                ),
                (
                    "decided_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="when"
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pauses",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "pause",
                "verbose_name_plural": "pauses",
            },
        ),
        migrations.CreateModel(
            name="Product",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sku", models.CharField(max_length=200, verbose_name="SKU")),
                (
                    "name",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=300, verbose_name="name"
                    ),
                ),
                (
                    "department",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=200,
                        verbose_name="department",
                    ),
                ),
                (
                    "category",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=200,
                        verbose_name="category",
                    ),
                ),
                (
                    "brand",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=200, verbose_name="brand"
                    ),
                ),
                (
                    "price",
                    models.DecimalField(
                        blank=True, decimal_places=2, max_digits=14, null=True, verbose_name="price"
                    ),
                ),
                (
                    "launch_date",
                    models.DateField(blank=True, null=True, verbose_name="launch date"),
                ),
                (
                    "attributes",
                    models.JSONField(
                        blank=True, db_default={}, default=dict, verbose_name="attributes"
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
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="updated",
                    ),
                ),
            ],
            options={
                "verbose_name": "product",
                "verbose_name_plural": "products",
                "indexes": [
                    models.Index(fields=["category"], name="product_category"),
                    models.Index(
                        django.db.models.functions.text.Lower("category"),
                        name="product_category_folded",
                    ),
                    models.Index(
                        django.db.models.functions.text.Lower("brand"), name="product_brand_folded"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("sku",), name="product_sku_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="OrderLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="customers.order",
                        verbose_name="order",
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(
                        help_text="From 1, as in the source.", verbose_name="position"
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="customers.product",
                        verbose_name="product",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Name in the source, if the line is not a product of the catalogue.",
                        max_length=300,
                        verbose_name="name",
                    ),
                ),
                (
                    "quantity",
                    models.DecimalField(
                        db_default=Decimal("1"),
                        decimal_places=3,
                        default=Decimal("1"),
                        max_digits=14,
                        verbose_name="quantity",
                    ),
                ),
                (
                    "amount",
                    models.DecimalField(
                        db_default=Decimal("0"),
                        decimal_places=2,
                        default=Decimal("0"),
                        max_digits=14,
                        verbose_name="amount",
                    ),
                ),
                (
                    "discount",
                    models.DecimalField(
                        db_default=Decimal("0"),
                        decimal_places=2,
                        default=Decimal("0"),
                        max_digits=14,
                        verbose_name="discount",
                    ),
                ),
                (
                    "refunded",
                    models.DecimalField(
                        db_default=Decimal("0"),
                        decimal_places=2,
                        default=Decimal("0"),
                        max_digits=14,
                        verbose_name="refunded",
                    ),
                ),
            ],
            options={
                "verbose_name": "order line",
                "verbose_name_plural": "order lines",
            },
        ),
        migrations.CreateModel(
            name="PushSubscription",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="push_subscriptions",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
                ("endpoint", models.TextField(verbose_name="endpoint")),
                ("p256dh", models.CharField(max_length=100)),
                ("auth", models.CharField(max_length=50)),
                (
                    "application_key",
                    models.CharField(
                        help_text="The public key that the browser subscribed with; no other can write to it.",
                        max_length=100,
                    ),
                ),
                (
                    "user_agent",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=300,
                        verbose_name="browser",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="since",
                    ),
                ),
            ],
            options={
                "verbose_name": "push subscription",
                "verbose_name_plural": "push subscriptions",
            },
        ),
        migrations.CreateModel(
            name="SegmentMembership",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "entered_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="since"
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="customers.customer",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="customers.segment",
                    ),
                ),
            ],
            options={
                "verbose_name": "membership",
                "verbose_name_plural": "memberships",
            },
        ),
        migrations.AddField(
            model_name="segment",
            name="members",
            field=models.ManyToManyField(
                editable=False,
                related_name="segments",
                through="customers.SegmentMembership",
                to="customers.customer",
            ),
        ),
        migrations.CreateModel(
            name="SegmentSize",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="from")),
                ("size", models.PositiveIntegerField(verbose_name="size")),
                (
                    "segment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sizes",
                        to="customers.segment",
                    ),
                ),
            ],
            options={
                "verbose_name": "size of a segment",
                "verbose_name_plural": "sizes of segments",
            },
        ),
        migrations.CreateModel(
            name="SegmentTrigger",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "event",
                    models.CharField(
                        help_text="As on the timeline: order_placed, page_viewed, …",
                        max_length=100,
                        verbose_name="event",
                    ),
                ),
                (
                    "where",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Conditions on the event's properties, all of which must hold; as in rules.",
                        verbose_name="where",
                    ),
                ),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("reevaluate", "Re-evaluate"),
                            ("add", "Add to the segment"),
                            ("remove", "Remove from the segment"),
                        ],
                        max_length=20,
                        verbose_name="action",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="triggers",
                        to="customers.segment",
                        verbose_name="segment",
                    ),
                ),
            ],
            options={
                "verbose_name": "trigger",
                "verbose_name_plural": "triggers",
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="ServiceInteraction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "external_id",
                    models.CharField(
                        help_text="A digest of the row if the source has no id.",
                        max_length=200,
                        verbose_name="id in the source",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="service_interactions",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("complaint", "Complaint"),
                            ("inquiry", "Inquiry"),
                            ("feedback", "Feedback"),
                        ],
                        db_default="inquiry",
                        default="inquiry",
                        max_length=20,
                        verbose_name="type",
                    ),
                ),
                ("occurred_at", models.DateTimeField(verbose_name="when")),
                (
                    "channel",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=50, verbose_name="channel"
                    ),
                ),
                (
                    "subject",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=300,
                        verbose_name="subject",
                    ),
                ),
                (
                    "message",
                    models.TextField(blank=True, db_default="", default="", verbose_name="message"),
                ),
                (
                    "product",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="service_interactions",
                        to="customers.product",
                        verbose_name="product",
                    ),
                ),
                (
                    "resolution",
                    models.TextField(
                        blank=True, db_default="", default="", verbose_name="resolution"
                    ),
                ),
                (
                    "resolved_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="resolved"),
                ),
                (
                    "satisfaction",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="1 to 5.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(5),
                        ],
                        verbose_name="satisfaction",
                    ),
                ),
                (
                    "attributes",
                    models.JSONField(
                        blank=True, db_default={}, default=dict, verbose_name="attributes"
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
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="updated",
                    ),
                ),
            ],
            options={
                "verbose_name": "service ticket",
                "verbose_name_plural": "service tickets",
            },
        ),
        migrations.CreateModel(
            name="Suppression",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "E-mail"),
                            ("sms", "SMS"),
                            ("whatsapp", "WhatsApp"),
                            ("push", "Push"),
                            ("social", "Social"),
                            ("webhook", "Webhook"),
                        ],
                        default="email",
                        max_length=20,
                        verbose_name="channel",
                    ),
                ),
                ("address", models.CharField(max_length=320, verbose_name="address")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("hard_bounce", "Hard bounce"),
                            ("complaint", "Complaint"),
                            ("manual", "Manual"),
                        ],
                        default="manual",
                        max_length=20,
                        verbose_name="reason",
                    ),
                ),
                (
                    "evidence",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=500,
                        verbose_name="evidence",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="since",
                    ),
                ),
            ],
            options={
                "verbose_name": "suppression",
                "verbose_name_plural": "suppression list",
                "constraints": [
                    models.UniqueConstraint(
                        models.F("channel"),
                        django.db.models.functions.text.Lower("address"),
                        name="suppression_unique",
                        violation_error_message="This address is already on the suppression list.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Topic",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("slug", models.SlugField(db_index=False, max_length=100, verbose_name="slug")),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                (
                    "description",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Text next to the topic in the preference centre.",
                        max_length=500,
                        verbose_name="description",
                    ),
                ),
                (
                    "order",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="Lower numbers come first.",
                        verbose_name="order",
                    ),
                ),
            ],
            options={
                "verbose_name": "topic",
                "verbose_name_plural": "topics",
                "ordering": ["order", "name"],
                "constraints": [
                    models.UniqueConstraint(fields=("slug",), name="topic_slug_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="Visit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "external_id",
                    models.CharField(
                        help_text="A digest of the row if the source has no id.",
                        max_length=200,
                        verbose_name="id in the source",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="visits",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
                ("occurred_at", models.DateTimeField(verbose_name="when")),
                (
                    "url",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=2000,
                        verbose_name="address",
                    ),
                ),
                (
                    "title",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=300, verbose_name="title"
                    ),
                ),
                (
                    "referrer",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=2000,
                        verbose_name="referrer",
                    ),
                ),
                (
                    "device",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=100, verbose_name="device"
                    ),
                ),
                ("pages", models.PositiveIntegerField(blank=True, null=True, verbose_name="pages")),
                (
                    "seconds",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="seconds"),
                ),
                (
                    "attributes",
                    models.JSONField(
                        blank=True, db_default={}, default=dict, verbose_name="attributes"
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
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="updated",
                    ),
                ),
            ],
            options={
                "verbose_name": "visit",
                "verbose_name_plural": "visits",
            },
        ),
        migrations.CreateModel(
            name="WaitingMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("anonymous_id", models.CharField(max_length=320)),
                ("message", models.JSONField()),
                (
                    "received_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "verbose_name": "waiting message",
                "verbose_name_plural": "waiting messages",
                "indexes": [
                    models.Index(fields=["anonymous_id", "id"], name="waiting_message_of"),
                    django.contrib.postgres.indexes.BrinIndex(
                        fields=["received_at"], name="waiting_message_age"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WriteKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="Source of the events: web shop, app, …",
                        max_length=100,
                        verbose_name="name",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("server", "Server: a secret of a program"),
                            ("browser", "Browser: readable in a page or an app"),
                        ],
                        db_default="server",
                        default="server",
                        help_text="A browser key adds events, and sets traits of customers that your server has not sent.",
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                (
                    "secret",
                    crm.credentials.SealedText(
                        blank=True,
                        db_default="",
                        default="",
                        editable=False,
                        verbose_name="signing secret",
                    ),
                ),
                (
                    "prefix",
                    models.CharField(editable=False, max_length=12, verbose_name="begins with"),
                ),
                ("digest", models.CharField(editable=False, max_length=64)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                (
                    "last_used_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="last used"),
                ),
                (
                    "revoked_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="revoked"),
                ),
            ],
            options={
                "verbose_name": "write key",
                "verbose_name_plural": "write keys",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(fields=("digest",), name="write_key_digest_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="ReceivedMessage",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "write_key_id",
                        "message_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("message_id", models.CharField(max_length=200)),
                (
                    "received_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "write_key",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="received",
                        to="customers.writekey",
                    ),
                ),
            ],
            options={
                "verbose_name": "received message",
                "verbose_name_plural": "received messages",
            },
        ),
        migrations.CreateModel(
            name="BulkJob",
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
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("add_tags", "Add tags"),
                            ("remove_tags", "Remove tags"),
                            ("add_to_segment", "Add to segment"),
                            ("remove_from_segment", "Remove from segment"),
                            ("export", "Export"),
                        ],
                        max_length=20,
                        verbose_name="action",
                    ),
                ),
                ("options", models.JSONField(default=dict, verbose_name="options")),
                (
                    "customer_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                (
                    "changed",
                    models.PositiveIntegerField(db_default=0, default=0, verbose_name="changed"),
                ),
                ("file", models.FileField(null=True, upload_to="", verbose_name="file")),
            ],
            options={
                "verbose_name": "bulk job",
                "verbose_name_plural": "bulk jobs",
                "ordering": ["-id"],
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "running"])),
                        fields=["leased_until"],
                        name="bulkjob_under_way",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AddressOptOut",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "E-mail"),
                            ("sms", "SMS"),
                            ("whatsapp", "WhatsApp"),
                            ("push", "Push"),
                            ("social", "Social"),
                            ("webhook", "Webhook"),
                        ],
                        max_length=20,
                        verbose_name="channel",
                    ),
                ),
                (
                    "topic",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=100, verbose_name="topic"
                    ),
                ),
                ("address", models.CharField(max_length=320, verbose_name="address")),
                (
                    "evidence",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=500,
                        verbose_name="evidence",
                    ),
                ),
                (
                    "decided_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="when"
                    ),
                ),
            ],
            options={
                "verbose_name": "opt-out of an address",
                "verbose_name_plural": "opt-outs of addresses",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("address", "channel", "topic"), name="address_opt_out_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Consent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consents",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "E-mail"),
                            ("sms", "SMS"),
                            ("whatsapp", "WhatsApp"),
                            ("push", "Push"),
                            ("social", "Social"),
                            ("webhook", "Webhook"),
                        ],
                        max_length=20,
                        verbose_name="channel",
                    ),
                ),
                (
                    "topic",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=100, verbose_name="topic"
                    ),
                ),
                (
                    "decision",
                    models.CharField(
                        choices=[
                            ("opted_in", "Opted in"),
                            ("opted_out", "Opted out"),
                            ("pending", "Asked to confirm"),
                        ],
                        max_length=20,
                        verbose_name="decision",
                    ),
                ),
                (
                    "evidence",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Source of the decision: a form, a link in a message, a file.",
                        max_length=500,
                        verbose_name="evidence",
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Column of a file or field of a call that stated it.",
                        max_length=100,
                        verbose_name="source",
                    ),
                ),
                (
                    "restated",
                    models.BooleanField(db_default=False, default=False, verbose_name="restated"),
                ),
                (
                    "decided_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="when"
                    ),
                ),
            ],
            options={
                "verbose_name": "consent",
                "verbose_name_plural": "consents",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("restated", False),
                            models.Q(("source", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="consent_restated_by_a_source",
                    )
                ],
                "indexes": [
                    models.Index(
                        fields=["customer", "channel", "topic", "-decided_at"],
                        name="consent_newest",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CustomerInterest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("category", models.CharField(max_length=200, verbose_name="category")),
                (
                    "score",
                    models.FloatField(
                        db_default=1, default=1, help_text="0 to 1.", verbose_name="score"
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("stated", "Stated"),
                            ("purchased", "Purchased"),
                            ("browsed", "Browsed"),
                        ],
                        default="stated",
                        max_length=20,
                        verbose_name="source",
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="updated"
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="interests",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "interest",
                "verbose_name_plural": "interests",
                "constraints": [
                    models.UniqueConstraint(
                        models.F("customer"),
                        django.db.models.functions.text.Lower("category"),
                        models.F("source"),
                        name="interest_once_a_source",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CustomerProfile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "customer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="profile",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "engagement_score",
                    models.FloatField(help_text="0 to 100.", null=True, verbose_name="engagement"),
                ),
                (
                    "churn_risk",
                    models.FloatField(help_text="0 to 1.", null=True, verbose_name="churn risk"),
                ),
                (
                    "lifetime_value",
                    models.DecimalField(
                        decimal_places=2, max_digits=14, null=True, verbose_name="lifetime value"
                    ),
                ),
                (
                    "satisfaction",
                    models.FloatField(help_text="1 to 5.", null=True, verbose_name="satisfaction"),
                ),
                (
                    "recency_score",
                    models.PositiveSmallIntegerField(null=True, verbose_name="recency"),
                ),
                (
                    "frequency_score",
                    models.PositiveSmallIntegerField(null=True, verbose_name="frequency"),
                ),
                (
                    "monetary_score",
                    models.PositiveSmallIntegerField(null=True, verbose_name="monetary value"),
                ),
                (
                    "rfm_segment",
                    models.CharField(
                        db_default="", default="", max_length=50, verbose_name="RFM segment"
                    ),
                ),
                (
                    "preferred_channel",
                    models.CharField(
                        db_default="", default="", max_length=20, verbose_name="preferred channel"
                    ),
                ),
                (
                    "best_hour",
                    models.PositiveSmallIntegerField(
                        help_text="0 to 23 on the customer's clock: when they read messages.",
                        null=True,
                        verbose_name="best send time",
                    ),
                ),
                (
                    "favourite_category",
                    models.CharField(
                        db_default="", default="", max_length=200, verbose_name="favourite category"
                    ),
                ),
                (
                    "favourite_brand",
                    models.CharField(
                        db_default="", default="", max_length=200, verbose_name="favourite brand"
                    ),
                ),
                (
                    "most_viewed_category",
                    models.CharField(
                        db_default="",
                        default="",
                        max_length=200,
                        verbose_name="most viewed category",
                    ),
                ),
                (
                    "last_interaction_type",
                    models.CharField(
                        db_default="", default="", max_length=100, verbose_name="last interaction"
                    ),
                ),
                (
                    "seconds_on_site",
                    models.PositiveBigIntegerField(null=True, verbose_name="seconds on the site"),
                ),
                (
                    "average_time_on_site",
                    models.FloatField(
                        help_text="Seconds per visit.",
                        null=True,
                        verbose_name="average time on the site",
                    ),
                ),
                (
                    "response_rate",
                    models.FloatField(
                        help_text="0 to 1: share of the last year's messages that were opened or clicked.",
                        null=True,
                        verbose_name="response rate",
                    ),
                ),
                (
                    "alive_probability",
                    models.FloatField(
                        help_text="0 to 1, by BG/NBD.", null=True, verbose_name="still a customer"
                    ),
                ),
                (
                    "expected_orders",
                    models.FloatField(
                        help_text="In the next year, by BG/NBD.",
                        null=True,
                        verbose_name="expected orders",
                    ),
                ),
                (
                    "computed_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        verbose_name="computed",
                    ),
                ),
            ],
            options={
                "verbose_name": "profile",
                "verbose_name_plural": "profiles",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("engagement_score__gte", 0), ("engagement_score__lte", 100)),
                            ("engagement_score__isnull", True),
                            _connector="OR",
                        ),
                        name="profile_engagement_score_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("churn_risk__gte", 0), ("churn_risk__lte", 1)),
                            ("churn_risk__isnull", True),
                            _connector="OR",
                        ),
                        name="profile_churn_risk_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("response_rate__gte", 0), ("response_rate__lte", 1)),
                            ("response_rate__isnull", True),
                            _connector="OR",
                        ),
                        name="profile_response_rate_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("alive_probability__gte", 0), ("alive_probability__lte", 1)),
                            ("alive_probability__isnull", True),
                            _connector="OR",
                        ),
                        name="profile_alive_probability_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("satisfaction__gte", 1), ("satisfaction__lte", 5)),
                            ("satisfaction__isnull", True),
                            _connector="OR",
                        ),
                        name="profile_satisfaction_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("best_hour__gte", 0), ("best_hour__lte", 23)),
                            ("best_hour__isnull", True),
                            _connector="OR",
                        ),
                        name="profile_best_hour_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("recency_score__gte", 1), ("recency_score__lte", 5)),
                            ("recency_score__isnull", True),
                            _connector="OR",
                        ),
                        name="profile_recency_score_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("frequency_score__gte", 1), ("frequency_score__lte", 5)),
                            ("frequency_score__isnull", True),
                            _connector="OR",
                        ),
                        name="profile_frequency_score_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("monetary_score__gte", 1), ("monetary_score__lte", 5)),
                            ("monetary_score__isnull", True),
                            _connector="OR",
                        ),
                        name="profile_monetary_score_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ErasureReceipt",
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
                (
                    "customer_id",
                    models.BigIntegerField(
                        help_text="The number of the record, which stays without a person.",
                        verbose_name="customer",
                    ),
                ),
                (
                    "removed",
                    models.JSONField(
                        default=dict,
                        help_text="Numbers of erased rows, files and lines, by kind.",
                        verbose_name="removed",
                    ),
                ),
                (
                    "failures",
                    models.JSONField(
                        db_default={},
                        default=dict,
                        help_text="The steps that failed, with the kind of error. They run again every minute.",
                        verbose_name="failures",
                    ),
                ),
                ("wanted", models.JSONField(default=dict, editable=False)),
            ],
            options={
                "verbose_name": "erasure",
                "verbose_name_plural": "erasures",
                "ordering": ["-id"],
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "running"])),
                        fields=["leased_until"],
                        name="erasurereceipt_under_way",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("customer_id",), name="erasure_once_a_customer"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("finished_at__isnull", True), ("wanted", {}), _connector="OR"
                        ),
                        name="erasure_finished_holds_nothing_personal",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Identity",
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
                            ("external_id", "External id"),
                            ("email", "E-mail"),
                            ("phone", "Phone"),
                            ("device", "Device"),
                            ("anonymous", "Anonymous id"),
                        ],
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                (
                    "value",
                    models.CharField(
                        help_text="Normalised: e-mail in lower case, phone in E.164.",
                        max_length=320,
                        verbose_name="value",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="since",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="identities",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "identity",
                "verbose_name_plural": "identities",
                "indexes": [
                    models.Index(
                        condition=models.Q(("kind", "phone")),
                        fields=["value"],
                        name="identity_phone",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "phone"), _negated=True),
                        fields=("kind", "value"),
                        name="identity_unique",
                    ),
                    models.UniqueConstraint(
                        fields=("customer", "kind", "value"), name="identity_once_a_customer"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Interaction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("type", models.CharField(max_length=100, verbose_name="type")),
                ("occurred_at", models.DateTimeField(verbose_name="when")),
                (
                    "properties",
                    models.JSONField(db_default={}, default=dict, verbose_name="properties"),
                ),
                ("campaign_id", models.BigIntegerField(null=True, verbose_name="campaign")),
                ("execution_id", models.BigIntegerField(null=True, verbose_name="message")),
                (
                    "transaction",
                    crm.events.columns.TransactionIdField(
                        db_default=crm.events.columns.CurrentTransactionId(), editable=False
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="interactions",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "interaction",
                "verbose_name_plural": "interactions",
                "indexes": [
                    models.Index(fields=["customer", "-occurred_at"], name="interaction_timeline"),
                    models.Index(
                        fields=["type", "occurred_at"],
                        include=("customer",),
                        name="interaction_type_time",
                    ),
                    models.Index(fields=["transaction", "id"], name="interaction_reading"),
                ],
            },
        ),
        migrations.CreateModel(
            name="LikelyDuplicate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "other",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                        verbose_name="likely duplicate",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("email", "Same mailbox"),
                            ("name_and_phone", "Same name and phone"),
                        ],
                        max_length=20,
                        verbose_name="reason",
                    ),
                ),
                (
                    "found_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="found",
                    ),
                ),
                (
                    "dismissed_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="dismissed"),
                ),
            ],
            options={
                "verbose_name": "likely duplicate",
                "verbose_name_plural": "likely duplicates",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("customer", "other"), name="likely_duplicate_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Merge",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "survivor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="merges",
                        to="customers.customer",
                        verbose_name="merged into",
                    ),
                ),
                ("duplicate_id", models.BigIntegerField(verbose_name="duplicate")),
                ("duplicate", models.JSONField(editable=False)),
                ("before", models.JSONField(editable=False)),
                ("after", models.JSONField(editable=False)),
                ("moved", models.JSONField(editable=False)),
                ("set_aside", models.JSONField(editable=False)),
                (
                    "reason",
                    models.CharField(
                        choices=[("by_hand", "By hand"), ("identified", "Identified")],
                        default="by_hand",
                        max_length=20,
                        verbose_name="reason",
                    ),
                ),
                (
                    "merged_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "merged_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="merged",
                    ),
                ),
                (
                    "undone_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="undone"),
                ),
            ],
            options={
                "verbose_name": "merge",
                "verbose_name_plural": "merges",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("undone_at__isnull", True)),
                        fields=("duplicate_id",),
                        name="merge_duplicate_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ExchangeRate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField(verbose_name="day")),
                ("base", models.CharField(max_length=3, verbose_name="base currency")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                (
                    "rate",
                    models.DecimalField(
                        decimal_places=12,
                        help_text="Units of the currency for one unit of the base currency.",
                        max_digits=24,
                        verbose_name="rate",
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="updated",
                    ),
                ),
            ],
            options={
                "verbose_name": "exchange rate",
                "verbose_name_plural": "exchange rates",
                "ordering": ["-day", "base", "currency"],
            },
        ),
        migrations.CreateModel(
            name="RefusedId",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("field", models.CharField(max_length=100, verbose_name="field")),
                (
                    "value",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Empty where it is personal data.",
                        max_length=200,
                        verbose_name="value",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("placeholder", "Stands for no id"),
                            (
                                "other_email",
                                "Not merged: the customers have different e-mail addresses",
                            ),
                            ("taken", "Belongs to another customer"),
                            (
                                "unsigned",
                                "Unsigned call of a browser about a customer of your server",
                            ),
                            ("changed", "Unsigned change of an e-mail address or phone number"),
                            ("consent", "Unsigned opt-in of a browser"),
                            ("signature", "The signature is not that of the user id"),
                            ("unconfirmed", "Order of a browser, to be confirmed by your server"),
                            ("reserved", "Name of an event of Kindling"),
                        ],
                        max_length=20,
                        verbose_name="reason",
                    ),
                ),
                (
                    "times",
                    models.PositiveBigIntegerField(db_default=1, default=1, verbose_name="times"),
                ),
                (
                    "first_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="first seen",
                    ),
                ),
                (
                    "last_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="last seen",
                    ),
                ),
                (
                    "write_key",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refused_ids",
                        to="customers.writekey",
                        verbose_name="write key",
                    ),
                ),
            ],
            options={
                "verbose_name": "refused id",
                "verbose_name_plural": "refused ids",
                "ordering": ["-last_at", "-id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("write_key", "field", "value", "reason"), name="refused_id_once"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["customer", "placed_at"], name="order_customer_placed"),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["-placed_at"], name="order_placed"),
        ),
        migrations.AddIndex(
            model_name="pause",
            index=models.Index(fields=["customer", "-decided_at"], name="pause_newest"),
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.UniqueConstraint(
                fields=("order", "position"), name="order_line_position_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="pushsubscription",
            constraint=models.UniqueConstraint(fields=("endpoint",), name="push_endpoint_unique"),
        ),
        migrations.AddConstraint(
            model_name="segmentmembership",
            constraint=models.UniqueConstraint(
                fields=("segment", "customer"), name="segment_membership_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="segment",
            constraint=models.UniqueConstraint(fields=("slug",), name="segment_slug_unique"),
        ),
        migrations.AddIndex(
            model_name="segmentsize",
            index=models.Index(fields=["segment", "-at"], name="segment_size_newest"),
        ),
        migrations.AddIndex(
            model_name="serviceinteraction",
            index=models.Index(fields=["customer", "-occurred_at"], name="service_customer_newest"),
        ),
        migrations.AddIndex(
            model_name="serviceinteraction",
            index=models.Index(fields=["-occurred_at"], name="service_newest"),
        ),
        migrations.AddConstraint(
            model_name="serviceinteraction",
            constraint=models.UniqueConstraint(
                fields=("external_id",), name="service_external_id_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="serviceinteraction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("satisfaction__isnull", True),
                    models.Q(("satisfaction__gte", 1), ("satisfaction__lte", 5)),
                    _connector="OR",
                ),
                name="service_satisfaction_1_to_5",
            ),
        ),
        migrations.AddIndex(
            model_name="visit",
            index=models.Index(fields=["customer", "-occurred_at"], name="visit_customer_newest"),
        ),
        migrations.AddIndex(
            model_name="visit",
            index=models.Index(fields=["-occurred_at"], name="visit_newest"),
        ),
        migrations.AddConstraint(
            model_name="visit",
            constraint=models.UniqueConstraint(
                fields=("external_id",), name="visit_external_id_unique"
            ),
        ),
        migrations.AddIndex(
            model_name="receivedmessage",
            index=django.contrib.postgres.indexes.BrinIndex(
                fields=["received_at"], name="received_message_age"
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("refund_of__isnull", False)),
                fields=["refund_of"],
                name="order_refund_of",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(
                    models.Q(("refunded_order", ""), _negated=True), ("refund_of", None)
                ),
                fields=["refunded_order"],
                name="order_refund_waits",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("rate", None)),
                fields=["currency", "placed_at"],
                name="order_waits_for_rate",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.UniqueConstraint(
                fields=("external_id", "store", "kind"), name="order_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount__gte", 0), ("kind", "order")),
                    models.Q(models.Q(("kind", "order"), _negated=True), ("amount__lte", 0)),
                    _connector="OR",
                ),
                name="order_adds_and_refund_takes",
            ),
        ),
        migrations.AddConstraint(
            model_name="exchangerate",
            constraint=models.UniqueConstraint(
                fields=("currency", "day", "base"), name="exchange_rate_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="exchangerate",
            constraint=models.CheckConstraint(
                condition=models.Q(("rate__gt", 0)), name="exchange_rate_above_zero"
            ),
        ),
    ]
