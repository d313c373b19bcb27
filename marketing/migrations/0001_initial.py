import datetime
from decimal import Decimal

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import crm.credentials
import marketing.channels.receipts
import marketing.channels.registry
import marketing.models.campaign_parts


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("customers", "0001_initial"),
        ("events", "0001_initial"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CampaignRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(verbose_name="number")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("materialising", "Collecting the audience"),
                            ("sending", "Sending"),
                            ("paused", "Paused"),
                            ("finished", "Finished"),
                            ("cancelled", "Cancelled"),
                            ("failed", "Failed"),
                        ],
                        default="queued",
                        max_length=20,
                        verbose_name="state",
                    ),
                ),
                ("simulated", models.BooleanField(default=False, verbose_name="simulated")),
                (
                    "triggered",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="Events add its audience one by one, on the day of due_at.",
                    ),
                ),
                (
                    "last_customer_id",
                    models.BigIntegerField(
                        default=0, help_text="How far the audience is materialised, by customer id."
                    ),
                ),
                ("audience", models.PositiveIntegerField(default=0, verbose_name="audience")),
                (
                    "decides_at",
                    models.DateTimeField(
                        help_text="Customers outside the test audience wait until then at most.",
                        null=True,
                        verbose_name="winner decided at",
                    ),
                ),
                (
                    "batched_at",
                    models.DateTimeField(
                        help_text="When the bandit last assigned variants to a batch.", null=True
                    ),
                ),
                (
                    "error",
                    models.TextField(blank=True, db_default="", default="", verbose_name="error"),
                ),
                (
                    "pause_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("person", "Paused by a user"),
                            ("provider", "Provider unreachable"),
                            ("bounces", "Bounce rate too high"),
                            ("complaints", "Complaint rate too high"),
                            ("budget", "Budget used up"),
                            ("approval", "Changed since its approval"),
                        ],
                        db_default="",
                        default="",
                        max_length=20,
                        verbose_name="pause reason",
                    ),
                ),
                (
                    "watched_from",
                    models.DateTimeField(
                        help_text="Bounce and complaint rates count messages sent since then: a user resumed the run.",
                        null=True,
                    ),
                ),
                (
                    "due_at",
                    models.DateTimeField(
                        help_text="Its time in the schedule; empty for a run started by hand.",
                        null=True,
                        verbose_name="due",
                    ),
                ),
                (
                    "missed",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="Earlier times that passed while no scheduler was running.",
                        verbose_name="missed times",
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
                ("started_at", models.DateTimeField(null=True, verbose_name="started")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                (
                    "reacted_until",
                    models.DateTimeField(
                        help_text="Up to when simulated recipients have reacted.", null=True
                    ),
                ),
                (
                    "reactions_done_at",
                    models.DateTimeField(
                        help_text="When the last simulated recipient had reacted.", null=True
                    ),
                ),
            ],
            options={
                "verbose_name": "run",
                "verbose_name_plural": "runs",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Sender",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
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
                (
                    "provider",
                    models.CharField(
                        choices=marketing.channels.registry.provider_choices,
                        default="smtp",
                        help_text="The simulator sends nothing and invents the recipients' reactions.",
                        max_length=50,
                        verbose_name="provider",
                    ),
                ),
                (
                    "from_name",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=200,
                        verbose_name="from name",
                    ),
                ),
                (
                    "from_address",
                    models.CharField(
                        blank=True,
                        help_text="An e-mail address, or a phone number such as +4930123456.",
                        max_length=320,
                        verbose_name="from address",
                    ),
                ),
                (
                    "reply_to",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=320,
                        verbose_name="reply to",
                    ),
                ),
                (
                    "settings",
                    models.JSONField(
                        blank=True, db_default={}, default=dict, verbose_name="settings"
                    ),
                ),
                (
                    "credentials",
                    crm.credentials.SealedTexts(
                        blank=True, db_default={}, default=dict, editable=False
                    ),
                ),
                (
                    "is_default",
                    models.BooleanField(
                        default=False,
                        help_text="Used by campaigns without a sender of their own.",
                        verbose_name="default",
                    ),
                ),
                (
                    "per_second",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="The limit of all workers together. Empty: no limit.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="messages per second",
                    ),
                ),
                (
                    "per_day",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="The limit from midnight to midnight. Empty: no limit.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="messages per day",
                    ),
                ),
                (
                    "connections",
                    models.PositiveSmallIntegerField(
                        db_default=1,
                        default=1,
                        help_text="Messages that a worker sends at the same time. More are faster, and in doubt if the worker dies.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(50),
                        ],
                        verbose_name="connections",
                    ),
                ),
                (
                    "cost_per_message",
                    models.DecimalField(
                        db_default=Decimal("0"),
                        decimal_places=4,
                        default=Decimal("0"),
                        help_text="The provider's price; campaign budgets count with it.",
                        max_digits=10,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="cost per message",
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
                "verbose_name": "sender",
                "verbose_name_plural": "senders",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="SendOnce",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=100, verbose_name="send-once key")),
            ],
            options={
                "verbose_name": "send-once claim",
                "verbose_name_plural": "send-once claims",
            },
        ),
        migrations.CreateModel(
            name="Snippet",
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
                        max_length=100,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9]+(?:[-_][a-z0-9]+)*\\Z",
                                "Small letters and digits, with - or _ between them: footer, legal-notice.",
                            )
                        ],
                        verbose_name="name",
                    ),
                ),
                (
                    "description",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=300,
                        verbose_name="description",
                    ),
                ),
                (
                    "body",
                    models.TextField(
                        help_text="With Liquid, in the format of the templates.",
                        verbose_name="body",
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
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
            ],
            options={
                "verbose_name": "snippet",
                "verbose_name_plural": "snippets",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="TemplateVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "subject",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=500,
                        verbose_name="subject",
                    ),
                ),
                (
                    "preheader",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="What inboxes show after the subject; hidden in the message.",
                        max_length=500,
                        verbose_name="preheader",
                    ),
                ),
                (
                    "body_format",
                    models.CharField(
                        choices=[("html", "HTML"), ("mjml", "MJML"), ("text", "Plain text")],
                        db_default="html",
                        default="html",
                        max_length=10,
                        verbose_name="format",
                    ),
                ),
                (
                    "body",
                    models.TextField(
                        help_text="With Liquid: Hello {{ customer.first_name }}, or Hello {first_name}.",
                        verbose_name="body",
                    ),
                ),
                (
                    "plain_text",
                    models.TextField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Made from the body when empty.",
                        verbose_name="plain text",
                    ),
                ),
                (
                    "link",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Where a tap on the message leads.",
                        max_length=2000,
                        verbose_name="link",
                    ),
                ),
                ("number", models.PositiveIntegerField(verbose_name="version")),
                (
                    "html",
                    models.TextField(
                        blank=True, db_default="", default="", verbose_name="compiled HTML"
                    ),
                ),
                (
                    "text",
                    models.TextField(
                        blank=True, db_default="", default="", verbose_name="compiled text"
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
                "verbose_name": "template version",
                "verbose_name_plural": "template versions",
            },
        ),
        migrations.CreateModel(
            name="TrackedLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(
                        help_text="From 1, in reading order.", verbose_name="position"
                    ),
                ),
                ("url", models.TextField(verbose_name="address")),
            ],
            options={
                "verbose_name": "tracked link",
                "verbose_name_plural": "tracked links",
            },
        ),
        migrations.CreateModel(
            name="Campaign",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "goal_kind",
                    models.CharField(
                        choices=[
                            ("order", "Order"),
                            ("event", "Other event"),
                        ],
                        db_default="order",
                        default="order",
                        max_length=10,
                        verbose_name="goal",
                    ),
                ),
                (
                    "goal_event",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="As sent to /v1/track, such as “Trial Started”.",
                        max_length=100,
                        verbose_name="goal event",
                    ),
                ),
                (
                    "goal_value",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="The event property that counts as revenue. Leave empty for none.",
                        max_length=100,
                        verbose_name="value property",
                    ),
                ),
                (
                    "goal_window_days",
                    models.PositiveIntegerField(
                        default=marketing.models.campaign_parts.goal_window_days,
                        help_text="A goal reached within this many days after a click counts as a conversion.",
                        validators=[django.core.validators.MaxValueValidator(365)],
                        verbose_name="conversion window (days)",
                    ),
                ),
                (
                    "utm_source",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Leave empty for links without UTM tags.",
                        max_length=100,
                        verbose_name="UTM source",
                    ),
                ),
                (
                    "utm_medium",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Leave empty for the channel.",
                        max_length=100,
                        verbose_name="UTM medium",
                    ),
                ),
                (
                    "utm_campaign",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Leave empty for the campaign's name.",
                        max_length=200,
                        verbose_name="UTM campaign",
                    ),
                ),
                (
                    "holdout_percent",
                    models.DecimalField(
                        db_default=Decimal("0"),
                        decimal_places=2,
                        default=Decimal("0"),
                        help_text="This share of the audience receives nothing, always the same customers, for comparison.",
                        max_digits=5,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(90),
                        ],
                        verbose_name="holdout group (%)",
                    ),
                ),
                (
                    "send_once_key",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="A customer receives one message with the same key at most, from any campaign or run.",
                        max_length=100,
                        verbose_name="send-once key",
                    ),
                ),
                (
                    "hourly_limit",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Leave empty to send as fast as the sender can.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="rate limit (messages per hour)",
                    ),
                ),
                (
                    "cost_per_message",
                    models.DecimalField(
                        blank=True,
                        decimal_places=4,
                        help_text="Counts against the budget. Leave empty for the sender's cost.",
                        max_digits=10,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="cost per message",
                    ),
                ),
                (
                    "exempt_from_caps",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="For messages such as order confirmations.",
                        verbose_name="ignore frequency caps",
                    ),
                ),
                (
                    "exempt_from_quiet_hours",
                    models.BooleanField(
                        db_default=False, default=False, verbose_name="send during quiet hours"
                    ),
                ),
                (
                    "trigger_event",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="As on the timeline: order_placed, page_viewed, “Trial Started”, …",
                        max_length=100,
                        verbose_name="trigger event",
                    ),
                ),
                (
                    "trigger_where",
                    models.JSONField(
                        blank=True,
                        db_default=[],
                        default=list,
                        help_text="Conditions on the event's properties; all of them must match.",
                        verbose_name="event conditions",
                    ),
                ),
                (
                    "trigger_delay_minutes",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="After the event; 0 sends at once.",
                        validators=[django.core.validators.MaxValueValidator(527040)],
                        verbose_name="delay (minutes)",
                    ),
                ),
                (
                    "trigger_again_days",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="A customer can receive the campaign again after this many days. Leave empty for never.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(366),
                        ],
                        verbose_name="re-eligible after (days)",
                    ),
                ),
                (
                    "test_share",
                    models.PositiveSmallIntegerField(
                        db_default=100,
                        default=100,
                        help_text="This share receives the variants by weight; the rest waits for the winner.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="test audience (%)",
                    ),
                ),
                (
                    "winner_by",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "No winner: all customers by weight"),
                            ("time", "Best variant after the test duration"),
                            ("confidence", "Best variant at the confidence threshold"),
                            ("bandit", "Multi-armed bandit"),
                        ],
                        db_default="",
                        default="",
                        max_length=20,
                        verbose_name="winner selection",
                    ),
                ),
                (
                    "winner_metric",
                    models.CharField(
                        choices=[
                            ("open", "Opens"),
                            ("click", "Clicks"),
                            ("conversion", "Conversions"),
                            ("revenue", "Revenue per message"),
                        ],
                        db_default="click",
                        default="click",
                        max_length=20,
                        verbose_name="winning metric",
                    ),
                ),
                (
                    "winner_after_hours",
                    models.DecimalField(
                        db_default=Decimal("4"),
                        decimal_places=2,
                        default=Decimal("4"),
                        help_text="The longest duration, with a confidence threshold or a bandit.",
                        max_digits=6,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(720),
                        ],
                        verbose_name="test duration (hours)",
                    ),
                ),
                (
                    "winner_confidence",
                    models.DecimalField(
                        db_default=Decimal("0.95"),
                        decimal_places=3,
                        default=Decimal("0.95"),
                        help_text="The probability to be the best at which a variant wins, such as 0.95.",
                        max_digits=4,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal("0.5")),
                            django.core.validators.MaxValueValidator(Decimal("0.999")),
                        ],
                        verbose_name="confidence threshold",
                    ),
                ),
                (
                    "winner",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        editable=False,
                        max_length=100,
                        verbose_name="winner",
                    ),
                ),
                (
                    "winner_why",
                    models.TextField(
                        blank=True,
                        db_default="",
                        default="",
                        editable=False,
                        verbose_name="winning reason",
                    ),
                ),
                (
                    "winner_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="decided at"),
                ),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                (
                    "external_id",
                    models.CharField(
                        editable=False, max_length=200, null=True, verbose_name="external ID"
                    ),
                ),
                (
                    "historical",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        editable=False,
                        help_text="Sent by another system; its results were imported.",
                        verbose_name="imported",
                    ),
                ),
                (
                    "description",
                    models.TextField(
                        blank=True, db_default="", default="", verbose_name="description"
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("one_time", "One-time"),
                            ("recurring", "Recurring"),
                            ("triggered", "Triggered"),
                            ("workflow", "Workflow step"),
                        ],
                        default="one_time",
                        max_length=20,
                        verbose_name="type",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("scheduled", "Scheduled"),
                            ("running", "Running"),
                            ("paused", "Paused"),
                            ("completed", "Completed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="draft",
                        editable=False,
                        max_length=20,
                        verbose_name="state",
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
                        help_text="An imported campaign may name another medium, such as TV.",
                        max_length=50,
                        verbose_name="channel",
                    ),
                ),
                (
                    "reply_to",
                    models.EmailField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="For e-mail. Leave empty to use the sender's.",
                        max_length=254,
                        verbose_name="reply-to address",
                    ),
                ),
                (
                    "rules",
                    models.JSONField(
                        blank=True,
                        help_text="Instead of segments, or to narrow them down, in the segment rule language.",
                        null=True,
                        verbose_name="audience filter",
                    ),
                ),
                (
                    "scheduled_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="A recurring campaign repeats from then on.",
                        null=True,
                        verbose_name="start",
                    ),
                ),
                (
                    "timezone",
                    models.CharField(default="UTC", max_length=64, verbose_name="time zone"),
                ),
                (
                    "local_time",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="The campaign's time zone stands in for an unknown one.",
                        verbose_name="send in the customer's local time",
                    ),
                ),
                (
                    "frequency",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("secondly", "Every N seconds"),
                            ("hourly", "Hourly"),
                            ("daily", "Daily"),
                            ("weekly", "Weekly"),
                            ("monthly", "Monthly"),
                        ],
                        db_default="",
                        default="",
                        max_length=10,
                        verbose_name="frequency",
                    ),
                ),
                (
                    "interval",
                    models.PositiveIntegerField(
                        db_default=1,
                        default=1,
                        help_text="2 means every other time, counted from the start. For seconds, their number.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(10000),
                        ],
                        verbose_name="repeat every",
                    ),
                ),
                (
                    "weekdays",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("mon", "Monday"),
                                ("tue", "Tuesday"),
                                ("wed", "Wednesday"),
                                ("thu", "Thursday"),
                                ("fri", "Friday"),
                                ("sat", "Saturday"),
                                ("sun", "Sunday"),
                            ],
                            max_length=3,
                        ),
                        blank=True,
                        db_default=[],
                        default=list,
                        help_text="For weekly campaigns. Leave empty for the weekday of the start.",
                        size=None,
                        verbose_name="weekdays",
                    ),
                ),
                (
                    "day_of_month",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="For monthly campaigns; 31 is the last day of any month. Leave empty for the day of the start.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(31),
                        ],
                        verbose_name="day of the month",
                    ),
                ),
                (
                    "clock_time",
                    models.TimeField(
                        editable=False,
                        help_text="The local time of each run, where a clock change skips it on the start day.",
                        null=True,
                    ),
                ),
                (
                    "ends_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="No run starts after this time.",
                        null=True,
                        verbose_name="until",
                    ),
                ),
                (
                    "max_runs",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Every run counts.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="maximum number of runs",
                    ),
                ),
                (
                    "next_run_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="next run"),
                ),
                (
                    "budget",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        max_digits=14,
                        null=True,
                        verbose_name="budget",
                    ),
                ),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="tags",
                    ),
                ),
                (
                    "approval",
                    models.JSONField(
                        db_default={},
                        default=dict,
                        editable=False,
                        help_text="The newest approval: who, when, and fingerprints of what it covers; see campaigns/approval.py.",
                    ),
                ),
                (
                    "approved_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="approved"),
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
                (
                    "launched_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="launched"),
                ),
                (
                    "completed_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="completed"),
                ),
                (
                    "approved_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="approved by",
                    ),
                ),
                (
                    "changed_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="last changed by",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="created by",
                    ),
                ),
                (
                    "exclude_segments",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Customers in any of these segments are excluded.",
                        related_name="excluded_from",
                        to="customers.segment",
                        verbose_name="exclude segments",
                    ),
                ),
                (
                    "schedule",
                    models.OneToOneField(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="django_celery_beat.periodictask",
                    ),
                ),
                (
                    "segments",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Customers in any of these segments receive the message.",
                        related_name="campaigns",
                        to="customers.segment",
                        verbose_name="segments",
                    ),
                ),
                (
                    "topic",
                    models.ForeignKey(
                        blank=True,
                        help_text="Customers who opted out of the topic are skipped.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="campaigns",
                        to="customers.topic",
                        verbose_name="topic",
                    ),
                ),
            ],
            options={
                "verbose_name": "campaign",
                "verbose_name_plural": "campaigns",
                "ordering": ["-id"],
                "permissions": [
                    ("approve_campaign", "Can approve campaigns of others"),
                    ("launch_campaign", "Can launch, pause and end campaigns"),
                ],
            },
        ),
        migrations.CreateModel(
            name="RunPost",
            fields=[
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="post",
                        serialize=False,
                        to="marketing.campaignrun",
                        verbose_name="run",
                    ),
                ),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(
                        db_default=0, default=0, verbose_name="attempts"
                    ),
                ),
                (
                    "next_attempt_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        verbose_name="next attempt",
                    ),
                ),
                ("posted_at", models.DateTimeField(null=True, verbose_name="posted")),
                (
                    "provider_id",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=255,
                        verbose_name="provider's id",
                    ),
                ),
                (
                    "url",
                    models.URLField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=2000,
                        verbose_name="address",
                    ),
                ),
                (
                    "error",
                    models.TextField(blank=True, db_default="", default="", verbose_name="error"),
                ),
            ],
            options={
                "verbose_name": "post",
                "verbose_name_plural": "posts",
            },
        ),
        migrations.AddField(
            model_name="campaignrun",
            name="campaign",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="runs",
                to="marketing.campaign",
                verbose_name="campaign",
            ),
        ),
        migrations.AddField(
            model_name="campaignrun",
            name="created_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="created by",
            ),
        ),
        migrations.CreateModel(
            name="CampaignExecution",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "address",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=320,
                        verbose_name="address",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("sending", "Sending"),
                            ("retry", "Waiting to retry"),
                            ("sent", "Sent"),
                            ("delivered", "Delivered"),
                            ("bounced", "Bounced"),
                            ("complained", "Complained"),
                            ("failed", "Failed"),
                            ("skipped", "Skipped"),
                            ("unconfirmed", "Unconfirmed"),
                        ],
                        db_default="pending",
                        default="pending",
                        max_length=20,
                        verbose_name="state",
                    ),
                ),
                (
                    "skip_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("no_address", "No address"),
                            ("not_subscribed", "Not subscribed"),
                            ("suppressed", "Suppressed"),
                            ("already_sent", "Already received"),
                            ("frequency_cap", "Frequency cap"),
                            ("holdout", "Holdout"),
                            ("duplicate_address", "Duplicate address"),
                            ("invalid_content", "Content cannot be rendered"),
                            ("left_audience", "Left the audience"),
                            ("cancelled", "Cancelled"),
                        ],
                        db_default="",
                        default="",
                        max_length=20,
                        verbose_name="skip reason",
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
                (
                    "visit",
                    models.CharField(
                        editable=False,
                        help_text="Of a workflow's message: its passage and the visit of a step, which has one message.",
                        max_length=40,
                        null=True,
                    ),
                ),
                (
                    "context",
                    models.JSONField(
                        blank=True,
                        db_default={},
                        default=dict,
                        editable=False,
                        help_text="What the variables of this message alone stand for, under `event`, `data`, `entry` and `steps`.",
                    ),
                ),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(
                        db_default=0, default=0, verbose_name="attempts"
                    ),
                ),
                ("next_attempt_at", models.DateTimeField(null=True, verbose_name="next attempt")),
                ("lease", models.UUIDField(null=True)),
                ("leased_until", models.DateTimeField(null=True)),
                (
                    "provider_id",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=255,
                        verbose_name="provider's id",
                    ),
                ),
                (
                    "error",
                    models.TextField(blank=True, db_default="", default="", verbose_name="error"),
                ),
                (
                    "error_kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("hard_bounce", "No such address"),
                            ("soft_bounce", "Mailbox unavailable"),
                            ("blocked", "Blocked by the recipient's server"),
                            ("unwanted", "Unsubscribed at provider"),
                            ("refused", "Refused by the provider"),
                            ("account", "Sender refused"),
                            ("temporary", "Deferred"),
                            ("lost", "Outcome unknown"),
                        ],
                        db_default="",
                        default="",
                        max_length=20,
                        verbose_name="error kind",
                    ),
                ),
                (
                    "links",
                    models.JSONField(
                        editable=False,
                        help_text="Addresses that this message alone has, by position; the others are its version's.",
                        null=True,
                        verbose_name="links",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="created"
                    ),
                ),
                ("sending_at", models.DateTimeField(null=True, verbose_name="submitted")),
                ("sent_at", models.DateTimeField(null=True, verbose_name="sent")),
                ("delivered_at", models.DateTimeField(null=True, verbose_name="delivered")),
                ("bounced_at", models.DateTimeField(null=True, verbose_name="bounced")),
                ("complained_at", models.DateTimeField(null=True, verbose_name="complained")),
                ("failed_at", models.DateTimeField(null=True, verbose_name="failed")),
                ("opened_at", models.DateTimeField(null=True, verbose_name="opened")),
                ("clicked_at", models.DateTimeField(null=True, verbose_name="clicked")),
                (
                    "opened_by_machine_at",
                    models.DateTimeField(null=True, verbose_name="opened by a bot"),
                ),
                (
                    "clicked_by_machine_at",
                    models.DateTimeField(null=True, verbose_name="clicked by a bot"),
                ),
                ("converted_at", models.DateTimeField(null=True, verbose_name="converted")),
                ("unsubscribed_at", models.DateTimeField(null=True, verbose_name="unsubscribed")),
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
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="executions",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="executions",
                        to="marketing.campaignrun",
                        verbose_name="run",
                    ),
                ),
            ],
            options={
                "verbose_name": "message",
                "verbose_name_plural": "messages",
            },
        ),
        migrations.CreateModel(
            name="CampaignTemplate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "subject",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=500,
                        verbose_name="subject",
                    ),
                ),
                (
                    "preheader",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="What inboxes show after the subject; hidden in the message.",
                        max_length=500,
                        verbose_name="preheader",
                    ),
                ),
                (
                    "body_format",
                    models.CharField(
                        choices=[("html", "HTML"), ("mjml", "MJML"), ("text", "Plain text")],
                        db_default="html",
                        default="html",
                        max_length=10,
                        verbose_name="format",
                    ),
                ),
                (
                    "body",
                    models.TextField(
                        help_text="With Liquid: Hello {{ customer.first_name }}, or Hello {first_name}.",
                        verbose_name="body",
                    ),
                ),
                (
                    "plain_text",
                    models.TextField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Made from the body when empty.",
                        verbose_name="plain text",
                    ),
                ),
                (
                    "link",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Where a tap on the message leads.",
                        max_length=2000,
                        verbose_name="link",
                    ),
                ),
                ("name", models.CharField(max_length=200, verbose_name="name")),
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
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
                (
                    "is_of_message",
                    models.BooleanField(db_default=False, default=False, editable=False),
                ),
            ],
            options={
                "verbose_name": "template",
                "verbose_name_plural": "templates",
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("name",), name="template_name_unique")
                ],
            },
        ),
        migrations.AddField(
            model_name="campaign",
            name="template",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="campaigns",
                to="marketing.campaigntemplate",
                verbose_name="template",
            ),
        ),
        migrations.CreateModel(
            name="CampaignVariant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "weight",
                    models.PositiveIntegerField(
                        db_default=1,
                        default=1,
                        help_text="Its part of the test audience: 2 gets twice as many customers as 1.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(10000),
                        ],
                        verbose_name="weight",
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="variants",
                        to="marketing.campaign",
                        verbose_name="campaign",
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="variants",
                        to="marketing.campaigntemplate",
                        verbose_name="template",
                    ),
                ),
            ],
            options={
                "verbose_name": "variant",
                "verbose_name_plural": "variants",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="FrequencyRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "channel",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("email", "E-mail"),
                            ("sms", "SMS"),
                            ("whatsapp", "WhatsApp"),
                            ("push", "Push"),
                            ("social", "Social"),
                            ("webhook", "Webhook"),
                        ],
                        db_default="",
                        default="",
                        help_text="Leave empty for all channels together.",
                        max_length=20,
                        verbose_name="channel",
                    ),
                ),
                (
                    "messages",
                    models.PositiveIntegerField(
                        help_text="To one customer.",
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="maximum messages",
                    ),
                ),
                (
                    "days",
                    models.PositiveIntegerField(
                        default=7,
                        help_text="Of 24 hours each, counted back from the time of sending.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(366),
                        ],
                        verbose_name="period (days)",
                    ),
                ),
                (
                    "active",
                    models.BooleanField(db_default=True, default=True, verbose_name="active"),
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
                "verbose_name": "frequency cap",
                "verbose_name_plural": "frequency caps",
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("name",), name="frequency_rule_name_unique"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("days__gte", 1), ("days__lte", 366), ("messages__gte", 1)
                        ),
                        name="frequency_rule_in_bounds",
                        violation_error_message="Enter at least 1 message, and 1 to 366 days.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Image",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                (
                    "alt",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Read out, and shown where images are off. Leave it empty for mere decoration.",
                        max_length=300,
                        verbose_name="alternative text",
                    ),
                ),
                ("key", models.CharField(editable=False, max_length=40)),
                (
                    "file",
                    models.FileField(max_length=200, upload_to="images/", verbose_name="file"),
                ),
                ("width", models.PositiveIntegerField(editable=False, verbose_name="width")),
                ("height", models.PositiveIntegerField(editable=False, verbose_name="height")),
                ("size", models.PositiveIntegerField(editable=False, verbose_name="size in bytes")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="uploaded",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
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
                "verbose_name": "image",
                "verbose_name_plural": "images",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="LinkHit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(
                        help_text="The number of the link in the message; 0 is the hidden link.",
                        verbose_name="position",
                    ),
                ),
                (
                    "link",
                    models.TextField(blank=True, db_default="", default="", verbose_name="address"),
                ),
                ("at", models.DateTimeField(verbose_name="when")),
                (
                    "machine",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=50,
                        verbose_name="why a bot",
                    ),
                ),
                (
                    "execution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="hits",
                        to="marketing.campaignexecution",
                        verbose_name="message",
                    ),
                ),
            ],
            options={
                "verbose_name": "link hit",
                "verbose_name_plural": "link hits",
            },
        ),
        migrations.CreateModel(
            name="Preflight",
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
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="preflights",
                        to="marketing.campaign",
                        verbose_name="campaign",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "Rendering"),
                            ("finished", "Finished"),
                            ("stopped", "Stopped"),
                        ],
                        default="running",
                        editable=False,
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "content",
                    models.CharField(
                        help_text="The SHA-256 of the rendered content, to tell when it has changed.",
                        max_length=64,
                    ),
                ),
                ("last_customer_id", models.BigIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0, verbose_name="failed")),
            ],
            options={
                "verbose_name": "preflight",
                "verbose_name_plural": "preflights",
                "ordering": ["-id"],
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "running"])),
                        fields=["leased_until"],
                        name="preflight_under_way",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PreflightFailure",
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
                ("error", models.TextField(verbose_name="error")),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "preflight",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="failures",
                        to="marketing.preflight",
                        verbose_name="preflight",
                    ),
                ),
            ],
            options={
                "verbose_name": "failure of a preflight",
                "verbose_name_plural": "failures of preflights",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="ProviderEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("event_id", models.CharField(max_length=200)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            (
                                marketing.channels.receipts.ReceiptKind["DELIVERED"],
                                marketing.channels.receipts.ReceiptKind["DELIVERED"],
                            ),
                            (
                                marketing.channels.receipts.ReceiptKind["BOUNCED_HARD"],
                                marketing.channels.receipts.ReceiptKind["BOUNCED_HARD"],
                            ),
                            (
                                marketing.channels.receipts.ReceiptKind["BOUNCED_SOFT"],
                                marketing.channels.receipts.ReceiptKind["BOUNCED_SOFT"],
                            ),
                            (
                                marketing.channels.receipts.ReceiptKind["BLOCKED"],
                                marketing.channels.receipts.ReceiptKind["BLOCKED"],
                            ),
                            (
                                marketing.channels.receipts.ReceiptKind["COMPLAINED"],
                                marketing.channels.receipts.ReceiptKind["COMPLAINED"],
                            ),
                            (
                                marketing.channels.receipts.ReceiptKind["OPENED"],
                                marketing.channels.receipts.ReceiptKind["OPENED"],
                            ),
                            (
                                marketing.channels.receipts.ReceiptKind["CLICKED"],
                                marketing.channels.receipts.ReceiptKind["CLICKED"],
                            ),
                            (
                                marketing.channels.receipts.ReceiptKind["UNSUBSCRIBED"],
                                marketing.channels.receipts.ReceiptKind["UNSUBSCRIBED"],
                            ),
                            (
                                marketing.channels.receipts.ReceiptKind["SUBSCRIBED"],
                                marketing.channels.receipts.ReceiptKind["SUBSCRIBED"],
                            ),
                            (
                                marketing.channels.receipts.ReceiptKind["UNCLEAR_REPLY"],
                                marketing.channels.receipts.ReceiptKind["UNCLEAR_REPLY"],
                            ),
                            (
                                marketing.channels.receipts.ReceiptKind["ACCOUNT"],
                                marketing.channels.receipts.ReceiptKind["ACCOUNT"],
                            ),
                            (
                                marketing.channels.receipts.ReceiptKind["FAILED"],
                                marketing.channels.receipts.ReceiptKind["FAILED"],
                            ),
                            (
                                marketing.channels.receipts.ReceiptKind["UNKNOWN"],
                                marketing.channels.receipts.ReceiptKind["UNKNOWN"],
                            ),
                        ],
                        max_length=20,
                        verbose_name="event",
                    ),
                ),
                ("key", models.CharField(blank=True, db_default="", default="", max_length=100)),
                (
                    "provider_id",
                    models.CharField(blank=True, db_default="", default="", max_length=255),
                ),
                ("at", models.DateTimeField(verbose_name="when")),
                (
                    "received_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="received",
                    ),
                ),
                (
                    "detail",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=500, verbose_name="detail"
                    ),
                ),
                (
                    "link",
                    models.TextField(blank=True, db_default="", default="", verbose_name="link"),
                ),
                (
                    "machine",
                    models.BooleanField(db_default=False, default=False, verbose_name="by a bot"),
                ),
                (
                    "execution",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="provider_events",
                        to="marketing.campaignexecution",
                        verbose_name="message",
                    ),
                ),
            ],
            options={
                "verbose_name": "provider event",
                "verbose_name_plural": "provider events",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="QuietHours",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "channel",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("email", "E-mail"),
                            ("sms", "SMS"),
                            ("whatsapp", "WhatsApp"),
                            ("push", "Push"),
                            ("social", "Social"),
                            ("webhook", "Webhook"),
                        ],
                        db_default="",
                        default="",
                        help_text="Leave empty for all channels.",
                        max_length=20,
                        verbose_name="channel",
                    ),
                ),
                ("starts_at", models.TimeField(verbose_name="from")),
                (
                    "ends_at",
                    models.TimeField(
                        help_text="Sending resumes at this time.", verbose_name="until"
                    ),
                ),
                (
                    "active",
                    models.BooleanField(db_default=True, default=True, verbose_name="active"),
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
                "verbose_name": "quiet hours",
                "verbose_name_plural": "quiet hours",
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("name",), name="quiet_hours_name_unique"),
                    models.CheckConstraint(
                        condition=models.Q(("starts_at", models.F("ends_at")), _negated=True),
                        name="quiet_hours_end",
                        violation_error_message="Enter an end that differs from the start.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RunVariant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "weight",
                    models.PositiveIntegerField(db_default=1, default=1, verbose_name="weight"),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="variants",
                        to="marketing.campaignrun",
                        verbose_name="run",
                    ),
                ),
            ],
            options={
                "verbose_name": "variant of a run",
                "verbose_name_plural": "variants of runs",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="SenderBreaker",
            fields=[
                (
                    "sender",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="breaker",
                        serialize=False,
                        to="marketing.sender",
                        verbose_name="sender",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("closed", "Works"),
                            ("open", "Unreachable"),
                            ("probing", "Testing"),
                        ],
                        db_default="closed",
                        default="closed",
                        max_length=20,
                        verbose_name="state",
                    ),
                ),
                (
                    "failures",
                    models.PositiveIntegerField(
                        db_default=0, default=0, verbose_name="failures in a row"
                    ),
                ),
                (
                    "trips",
                    models.PositiveIntegerField(
                        db_default=0, default=0, verbose_name="times opened in a row"
                    ),
                ),
                ("opened_at", models.DateTimeField(null=True, verbose_name="opened")),
                ("probe_at", models.DateTimeField(null=True, verbose_name="probed at")),
                (
                    "last_error",
                    models.TextField(
                        blank=True, db_default="", default="", verbose_name="last error"
                    ),
                ),
                ("last_error_at", models.DateTimeField(null=True, verbose_name="last error at")),
            ],
            options={
                "verbose_name": "sender circuit breaker",
                "verbose_name_plural": "sender circuit breakers",
            },
        ),
        migrations.CreateModel(
            name="SenderPace",
            fields=[
                (
                    "sender",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="pace",
                        serialize=False,
                        to="marketing.sender",
                        verbose_name="sender",
                    ),
                ),
                (
                    "next_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        verbose_name="next message",
                    ),
                ),
                ("day", models.DateField(null=True, verbose_name="day")),
                (
                    "taken",
                    models.PositiveIntegerField(
                        db_default=0, default=0, verbose_name="used of the daily limit"
                    ),
                ),
                (
                    "held_until",
                    models.DateTimeField(
                        help_text="The provider requested a pause until then.",
                        null=True,
                        verbose_name="paused until",
                    ),
                ),
            ],
            options={
                "verbose_name": "sender rate limit",
                "verbose_name_plural": "sender rate limits",
            },
        ),
        migrations.AddConstraint(
            model_name="sender",
            constraint=models.UniqueConstraint(fields=("name",), name="sender_name_unique"),
        ),
        migrations.AddConstraint(
            model_name="sender",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_default", True)),
                fields=("channel",),
                name="sender_one_default_a_channel",
                violation_error_message="This channel has a default sender already: make that one ordinary first.",
            ),
        ),
        migrations.AddField(
            model_name="providerevent",
            name="sender",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="events",
                to="marketing.sender",
                verbose_name="sender",
            ),
        ),
        migrations.AddField(
            model_name="campaignrun",
            name="sender",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="runs",
                to="marketing.sender",
                verbose_name="sender",
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="sender",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="campaigns",
                to="marketing.sender",
                verbose_name="sender",
            ),
        ),
        migrations.AddField(
            model_name="sendonce",
            name="customer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="sent_once",
                to="customers.customer",
                verbose_name="customer",
            ),
        ),
        migrations.AddField(
            model_name="sendonce",
            name="execution",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="marketing.campaignexecution",
                verbose_name="message",
            ),
        ),
        migrations.AddConstraint(
            model_name="snippet",
            constraint=models.UniqueConstraint(
                fields=("name",),
                name="snippet_name_unique",
                violation_error_message="There is a snippet of this name already.",
            ),
        ),
        migrations.AddField(
            model_name="templateversion",
            name="created_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="by",
            ),
        ),
        migrations.AddField(
            model_name="templateversion",
            name="template",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="versions",
                to="marketing.campaigntemplate",
                verbose_name="template",
            ),
        ),
        migrations.AddField(
            model_name="runvariant",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="marketing.templateversion",
                verbose_name="content",
            ),
        ),
        migrations.AddField(
            model_name="campaignrun",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="runs",
                to="marketing.templateversion",
                verbose_name="content",
            ),
        ),
        migrations.AddField(
            model_name="trackedlink",
            name="version",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="links",
                to="marketing.templateversion",
                verbose_name="version",
            ),
        ),
        migrations.AddIndex(
            model_name="campaignexecution",
            index=models.Index(
                models.F("run"),
                django.db.models.functions.comparison.Coalesce(
                    "next_attempt_at",
                    models.Value(
                        datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                        models.DateTimeField(),
                    ),
                ),
                models.F("id"),
                condition=models.Q(("state__in", ["pending", "retry"])),
                name="execution_queue",
            ),
        ),
        migrations.AddIndex(
            model_name="campaignexecution",
            index=models.Index(
                condition=models.Q(("leased_until__isnull", False)),
                fields=["leased_until"],
                name="execution_leases",
            ),
        ),
        migrations.AddIndex(
            model_name="campaignexecution",
            index=models.Index(fields=["run", "state"], name="execution_run_state"),
        ),
        migrations.AddIndex(
            model_name="campaignexecution",
            index=models.Index(
                condition=models.Q(("sent_at__isnull", False)),
                fields=["run", "sent_at"],
                name="execution_sent",
            ),
        ),
        migrations.AddIndex(
            model_name="campaignexecution",
            index=models.Index(
                condition=models.Q(("provider_id__gt", "")),
                fields=["provider_id"],
                name="execution_provider_id",
            ),
        ),
        migrations.AddIndex(
            model_name="campaignexecution",
            index=models.Index(fields=["customer", "sending_at"], name="execution_customer"),
        ),
        migrations.AddIndex(
            model_name="campaignexecution",
            index=models.Index(
                condition=models.Q(("clicked_at__isnull", False)),
                fields=["customer", "-clicked_at"],
                name="execution_clicked",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaignexecution",
            constraint=models.UniqueConstraint(
                condition=models.Q(("visit__isnull", True)),
                fields=("run", "customer"),
                name="execution_once_a_run",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaignexecution",
            constraint=models.UniqueConstraint(
                condition=models.Q(("visit__isnull", False)),
                fields=("visit",),
                name="execution_once_a_visit",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaignexecution",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("skip_reason__gt", ""), ("state", "skipped")),
                    models.Q(models.Q(("state", "skipped"), _negated=True), ("skip_reason", "")),
                    _connector="OR",
                ),
                name="execution_skipped_has_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaignexecution",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "sending"), _negated=True),
                    ("lease__isnull", False),
                    _connector="OR",
                ),
                name="execution_sending_is_held",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaignvariant",
            constraint=models.UniqueConstraint(
                models.F("campaign"),
                django.db.models.functions.text.Lower("name"),
                name="variant_name_unique",
                violation_error_message="Choose a different name for each variant.",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaignvariant",
            constraint=models.CheckConstraint(
                condition=models.Q(("weight__gte", 1), ("weight__lte", 10000)),
                name="variant_weight_in_bounds",
                violation_error_message="Enter a weight from 1 to 10,000.",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaignvariant",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True), name="variant_has_name"
            ),
        ),
        migrations.AddConstraint(
            model_name="image",
            constraint=models.UniqueConstraint(fields=("key",), name="image_key_unique"),
        ),
        migrations.AddConstraint(
            model_name="preflight",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "running")),
                fields=("campaign",),
                name="preflight_one_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="preflightfailure",
            constraint=models.UniqueConstraint(
                fields=("preflight", "customer", "variant"), name="preflight_failure_once"
            ),
        ),
        migrations.AddIndex(
            model_name="providerevent",
            index=models.Index(
                condition=models.Q(("execution__isnull", True)),
                fields=["received_at"],
                name="provider_event_unmatched",
            ),
        ),
        migrations.AddConstraint(
            model_name="providerevent",
            constraint=models.UniqueConstraint(
                fields=("sender", "event_id"), name="provider_event_once"
            ),
        ),
        migrations.AddIndex(
            model_name="campaign",
            index=models.Index(
                condition=models.Q(("state", "running"), ("type", "triggered")),
                fields=["trigger_event"],
                name="campaign_trigger",
            ),
        ),
        migrations.AddIndex(
            model_name="campaign",
            index=models.Index(
                condition=models.Q(("state", "scheduled")),
                fields=["next_run_at"],
                name="campaign_next_run",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("budget__isnull", True), ("budget__gte", Decimal("0")), _connector="OR"
                ),
                name="campaign_budget_not_negative",
                violation_error_message="Enter a budget of 0 or more.",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "scheduled"), _negated=True),
                    models.Q(("next_run_at__isnull", False), ("scheduled_at__isnull", False)),
                    _connector="OR",
                ),
                name="campaign_scheduled_has_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("frequency__gt", ""), ("type", "recurring")),
                    models.Q(models.Q(("type", "recurring"), _negated=True), ("frequency", "")),
                    _connector="OR",
                ),
                name="campaign_recurring_has_frequency",
                violation_error_message="Choose a frequency for a recurring campaign, and for no other.",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("interval__gte", 1),
                    models.Q(
                        models.Q(("frequency", "secondly"), _negated=True),
                        ("interval__gte", 10),
                        _connector="OR",
                    ),
                ),
                name="campaign_interval_in_bounds",
                violation_error_message="Enter at least 10 seconds.",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("day_of_month__isnull", True),
                    ("day_of_month__range", (1, 31)),
                    _connector="OR",
                ),
                name="campaign_day_of_month",
                violation_error_message="Enter a day from 1 to 31.",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("max_runs__isnull", True), ("max_runs__gte", 1), _connector="OR"
                ),
                name="campaign_max_runs_positive",
                violation_error_message="Enter at least 1 run.",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("historical", True),
                    ("channel__in", ["email", "sms", "whatsapp", "push", "social", "webhook"]),
                    _connector="OR",
                ),
                name="campaign_sends_by_a_channel",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.UniqueConstraint(
                fields=("external_id",), name="campaign_external_id_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("trigger_event__gt", ""), ("type", "triggered")),
                    models.Q(models.Q(("type", "triggered"), _negated=True), ("trigger_event", "")),
                    _connector="OR",
                ),
                name="campaign_triggered_has_event",
                violation_error_message="Choose an event for a triggered campaign, and for no other.",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("trigger_again_days__isnull", True),
                    ("trigger_again_days__gte", 1),
                    _connector="OR",
                ),
                name="campaign_trigger_again_positive",
                violation_error_message="Enter at least 1 day.",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(("holdout_percent__gte", 0), ("holdout_percent__lte", 90)),
                name="campaign_holdout_in_bounds",
                violation_error_message="Enter a holdout group of 0 to 90 percent.",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("hourly_limit__isnull", True), ("hourly_limit__gte", 1), _connector="OR"
                ),
                name="campaign_hourly_limit_positive",
                violation_error_message="Enter at least 1 message per hour.",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("cost_per_message__isnull", True),
                    ("cost_per_message__gte", 0),
                    _connector="OR",
                ),
                name="campaign_cost_not_below_zero",
                violation_error_message="Enter a cost of 0 or more.",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(("test_share__gte", 1), ("test_share__lte", 100)),
                name="campaign_test_share_in_bounds",
                violation_error_message="Enter a test audience of 1 to 100 percent.",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("winner_after_hours__gte", 0), ("winner_after_hours__lte", 720)
                ),
                name="campaign_test_hours_in_bounds",
                violation_error_message="Enter a test duration of 0 to 720 hours.",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("winner_confidence__gte", Decimal("0.5")), ("winner_confidence__lt", 1)
                ),
                name="campaign_confidence_in_bounds",
                violation_error_message="Enter a confidence threshold from 0.5 to below 1.",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("goal_kind", "event"), _negated=True),
                    ("goal_event__gt", ""),
                    _connector="OR",
                ),
                name="campaign_goal_event_has_name",
                violation_error_message="Enter the event that is the goal.",
            ),
        ),
        migrations.AddConstraint(
            model_name="sendonce",
            constraint=models.UniqueConstraint(
                fields=("key", "customer"), name="send_once_a_customer"
            ),
        ),
        migrations.AddConstraint(
            model_name="templateversion",
            constraint=models.UniqueConstraint(
                fields=("template", "number"), name="template_version_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="runvariant",
            constraint=models.UniqueConstraint(fields=("run", "name"), name="run_variant_unique"),
        ),
        migrations.AddIndex(
            model_name="campaignrun",
            index=models.Index(
                condition=models.Q(("state__in", ["queued", "materialising", "sending"])),
                fields=["id"],
                name="run_under_way",
            ),
        ),
        migrations.AddIndex(
            model_name="campaignrun",
            index=models.Index(
                condition=models.Q(("reactions_done_at__isnull", True), ("simulated", True)),
                fields=["id"],
                name="run_reacting",
            ),
        ),
        migrations.AddIndex(
            model_name="campaignrun",
            index=models.Index(fields=["created_at"], name="run_created"),
        ),
        migrations.AddConstraint(
            model_name="campaignrun",
            constraint=models.UniqueConstraint(
                fields=("campaign", "number"), name="run_number_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="campaignrun",
            constraint=models.UniqueConstraint(
                fields=("campaign", "due_at"), name="run_once_an_occurrence"
            ),
        ),
        migrations.AddConstraint(
            model_name="campaignrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("state__in", ["queued", "materialising", "sending", "paused"]),
                    ("triggered", False),
                ),
                fields=("campaign",),
                name="run_one_under_way_a_campaign",
            ),
        ),
        migrations.AddConstraint(
            model_name="trackedlink",
            constraint=models.UniqueConstraint(
                fields=("version", "position"), name="tracked_link_position_unique"
            ),
        ),
        migrations.CreateModel(
            name="FormerMessage",
            fields=[
                ("execution_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("customer_id", models.BigIntegerField(db_index=True)),
                ("run_id", models.BigIntegerField()),
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
                    "address",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=320,
                        verbose_name="address",
                    ),
                ),
                (
                    "variant",
                    models.CharField(blank=True, db_default="", default="", max_length=100),
                ),
                ("links", models.JSONField(null=True)),
                (
                    "deleted_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        db_index=True,
                        verbose_name="deleted",
                    ),
                ),
            ],
            options={
                "verbose_name": "former message",
                "verbose_name_plural": "former messages",
            },
        ),
        migrations.RunSQL(
            """
            CREATE FUNCTION marketing_remember_message() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO marketing_formermessage (execution_id, customer_id, run_id, channel, address, variant, links)
                SELECT OLD.id, OLD.customer_id, OLD.run_id, campaign.channel, OLD.address, OLD.variant, OLD.links
                FROM marketing_campaignrun run JOIN marketing_campaign campaign ON campaign.id = run.campaign_id
                WHERE run.id = OLD.run_id
                ON CONFLICT (execution_id) DO UPDATE SET customer_id = excluded.customer_id, deleted_at = now();
                RETURN NULL;
            END $$;
            CREATE TRIGGER marketing_remember_message AFTER DELETE ON marketing_campaignexecution
            FOR EACH ROW WHEN (OLD.state NOT IN ('pending', 'skipped')) EXECUTE FUNCTION marketing_remember_message();
            """,
            "DROP FUNCTION marketing_remember_message() CASCADE;",
        ),
        migrations.CreateModel(
            name="Enrollment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "entry_key",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=200,
                        verbose_name="entry key",
                    ),
                ),
                (
                    "step",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=100, verbose_name="step"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("waiting", "Waiting"),
                            ("completed", "Completed"),
                            ("exited", "Exited"),
                            ("failed", "Failed"),
                        ],
                        default="active",
                        max_length=20,
                        verbose_name="state",
                    ),
                ),
                ("entered_at", models.DateTimeField(verbose_name="entered")),
                ("came_at", models.DateTimeField(null=True, verbose_name="at the step since")),
                (
                    "left_at",
                    models.DateTimeField(
                        help_text="When it came to the step before: awaited events count from then on.",
                        null=True,
                    ),
                ),
                ("visits", models.PositiveIntegerField(db_default=0, default=0)),
                ("due_at", models.DateTimeField(null=True, verbose_name="waits until")),
                ("wake_at", models.DateTimeField(null=True)),
                (
                    "waiting_for",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=100,
                        verbose_name="waits for",
                    ),
                ),
                (
                    "context",
                    models.JSONField(db_default={}, default=dict, verbose_name="entry event"),
                ),
                ("answers", models.JSONField(db_default={}, default=dict)),
                (
                    "exit_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("event", "Exit event"),
                            ("rules", "Exit rules"),
                            ("holdout", "Holdout"),
                            ("manual", "Removed by a user"),
                            ("stopped", "Stopped by another workflow"),
                            ("published", "Ended by a new version"),
                            ("merged", "Customer merged"),
                            ("erased", "Customer erased"),
                            ("archived", "Workflow archived"),
                            ("rounds", "Limit of rounds reached"),
                        ],
                        db_default="",
                        default="",
                        max_length=20,
                        verbose_name="exit reason",
                    ),
                ),
                (
                    "error",
                    models.TextField(blank=True, db_default="", default="", verbose_name="error"),
                ),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
                ("goal_at", models.DateTimeField(null=True, verbose_name="goal met")),
                (
                    "goal_value",
                    models.DecimalField(
                        decimal_places=2, max_digits=14, null=True, verbose_name="goal value"
                    ),
                ),
            ],
            options={
                "verbose_name": "passage",
                "verbose_name_plural": "passages",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="EnrollmentEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("enrollment_id", models.BigIntegerField()),
                ("workflow_id", models.BigIntegerField()),
                ("version_id", models.BigIntegerField()),
                ("customer_id", models.BigIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("entered", "Entered"),
                            ("left", "Left the step"),
                            ("completed", "Completed"),
                            ("exited", "Exited"),
                            ("failed", "Failed"),
                            ("goal", "Met the goal"),
                            ("moved", "Moved"),
                        ],
                        max_length=20,
                        verbose_name="event",
                    ),
                ),
                (
                    "step",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=100, verbose_name="step"
                    ),
                ),
                (
                    "branch",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=100, verbose_name="branch"
                    ),
                ),
                ("detail", models.JSONField(db_default={}, default=dict, verbose_name="why")),
                ("at", models.DateTimeField(verbose_name="time")),
            ],
            options={
                "verbose_name": "event of a passage",
                "verbose_name_plural": "events of passages",
            },
        ),
        migrations.CreateModel(
            name="Workflow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("slug", models.SlugField(max_length=100, unique=True, verbose_name="slug")),
                (
                    "description",
                    models.TextField(
                        blank=True, db_default="", default="", verbose_name="description"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("active", "Active"),
                            ("paused", "Paused"),
                            ("archived", "Archived"),
                        ],
                        default="draft",
                        editable=False,
                        max_length=20,
                        verbose_name="state",
                    ),
                ),
                (
                    "draft",
                    models.JSONField(
                        help_text="The definition as it is edited; publishing makes a version of it.",
                        verbose_name="draft",
                    ),
                ),
                (
                    "timezone",
                    models.CharField(
                        default="UTC",
                        help_text="Stands in for a customer's unknown time zone.",
                        max_length=64,
                        verbose_name="time zone",
                    ),
                ),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="tags",
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
                (
                    "activated_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="activated"),
                ),
                (
                    "entered_until",
                    models.DateTimeField(
                        editable=False,
                        help_text="Up to when dates and schedules have let customers enter.",
                        null=True,
                    ),
                ),
                (
                    "entering",
                    models.JSONField(
                        db_default={},
                        default=dict,
                        editable=False,
                        help_text="An audience that enters chunk by chunk: its key, and the last customer of the chunk before.",
                    ),
                ),
            ],
            options={
                "verbose_name": "workflow",
                "verbose_name_plural": "workflows",
                "ordering": ["-id"],
                "permissions": [("run_workflow", "Can publish, activate and pause workflows")],
            },
        ),
        migrations.CreateModel(
            name="WorkflowStep",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=100, verbose_name="key")),
                ("type", models.CharField(max_length=20, verbose_name="type")),
            ],
            options={
                "verbose_name": "workflow step",
                "verbose_name_plural": "workflow steps",
            },
        ),
        migrations.CreateModel(
            name="WorkflowVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(verbose_name="version")),
                ("definition", models.JSONField(verbose_name="definition")),
                (
                    "published_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        verbose_name="published",
                    ),
                ),
            ],
            options={
                "verbose_name": "workflow version",
                "verbose_name_plural": "workflow versions",
                "ordering": ["-number"],
            },
        ),
        migrations.AddField(
            model_name="enrollment",
            name="customer",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="enrollments",
                to="customers.customer",
                verbose_name="customer",
            ),
        ),
        migrations.AddIndex(
            model_name="enrollmentevent",
            index=models.Index(fields=["enrollment_id", "id"], name="enrollmentevent_way"),
        ),
        migrations.AddIndex(
            model_name="enrollmentevent",
            index=models.Index(
                fields=["workflow_id", "step", "branch", "kind"], name="enrollmentevent_figures"
            ),
        ),
        migrations.AddIndex(
            model_name="enrollmentevent",
            index=models.Index(fields=["customer_id"], name="enrollmentevent_customer"),
        ),
        migrations.AddField(
            model_name="workflow",
            name="created_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="created by",
            ),
        ),
        migrations.AddField(
            model_name="workflow",
            name="draft_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="draft last edited by",
            ),
        ),
        migrations.AddField(
            model_name="enrollment",
            name="workflow",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="enrollments",
                to="marketing.workflow",
                verbose_name="workflow",
            ),
        ),
        migrations.AddField(
            model_name="workflowstep",
            name="campaign",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="workflow_steps",
                to="marketing.campaign",
                verbose_name="campaign",
            ),
        ),
        migrations.AddField(
            model_name="workflowversion",
            name="published_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="published by",
            ),
        ),
        migrations.AddField(
            model_name="workflowversion",
            name="workflow",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="versions",
                to="marketing.workflow",
                verbose_name="workflow",
            ),
        ),
        migrations.AddField(
            model_name="workflowstep",
            name="version",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="steps",
                to="marketing.workflowversion",
                verbose_name="version",
            ),
        ),
        migrations.AddField(
            model_name="workflow",
            name="version",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="marketing.workflowversion",
                verbose_name="published version",
            ),
        ),
        migrations.AddField(
            model_name="enrollment",
            name="version",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="enrollments",
                to="marketing.workflowversion",
                verbose_name="version",
            ),
        ),
        migrations.AddConstraint(
            model_name="workflowversion",
            constraint=models.UniqueConstraint(
                fields=("workflow", "number"), name="workflowversion_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="workflowstep",
            constraint=models.UniqueConstraint(
                fields=("version", "key"), name="workflowstep_key_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="workflow",
            constraint=models.CheckConstraint(
                condition=models.Q(("state", "draft"), ("version__isnull", False), _connector="OR"),
                name="workflow_runs_a_version",
            ),
        ),
        migrations.AddIndex(
            model_name="enrollment",
            index=models.Index(
                condition=models.Q(("wake_at__isnull", False)),
                fields=["workflow", "wake_at", "id"],
                name="enrollment_due",
            ),
        ),
        migrations.AddIndex(
            model_name="enrollment",
            index=models.Index(
                condition=models.Q(("state", "waiting")),
                fields=["customer", "waiting_for"],
                name="enrollment_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="enrollment",
            index=models.Index(
                fields=["customer", "workflow", "entered_at"], name="enrollment_entered"
            ),
        ),
        migrations.AddIndex(
            model_name="enrollment",
            index=models.Index(fields=["workflow", "state", "step"], name="enrollment_by_step"),
        ),
        migrations.AddConstraint(
            model_name="enrollment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["active", "waiting"])),
                fields=("workflow", "customer", "entry_key"),
                name="enrollment_one_under_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="enrollment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["active", "waiting"]), ("wake_at__isnull", False)),
                    models.Q(
                        models.Q(("state__in", ["active", "waiting"]), _negated=True),
                        ("wake_at", None),
                    ),
                    _connector="OR",
                ),
                name="enrollment_under_way_wakes",
            ),
        ),
        migrations.CreateModel(
            name="WorkflowCall",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("visit", models.CharField(max_length=40, unique=True)),
                ("step", models.CharField(max_length=100, verbose_name="step")),
                (
                    "kind",
                    models.CharField(
                        choices=[("http", "Webhook"), ("notify", "E-mail to staff")],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("body", models.JSONField(default=dict, verbose_name="body")),
                ("picks", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("calling", "Calling"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("unconfirmed", "Outcome unknown"),
                        ],
                        db_default="pending",
                        default="pending",
                        max_length=20,
                        verbose_name="state",
                    ),
                ),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(
                        db_default=0, default=0, verbose_name="attempts"
                    ),
                ),
                (
                    "next_attempt_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        verbose_name="next attempt",
                    ),
                ),
                ("leased_until", models.DateTimeField(null=True)),
                (
                    "response_code",
                    models.PositiveSmallIntegerField(null=True, verbose_name="response code"),
                ),
                ("answer", models.JSONField(db_default={}, default=dict, verbose_name="answer")),
                (
                    "error",
                    models.TextField(blank=True, db_default="", default="", verbose_name="error"),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="created"
                    ),
                ),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                (
                    "endpoint",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="events.webhookendpoint",
                        verbose_name="webhook",
                    ),
                ),
                (
                    "enrollment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="calls",
                        to="marketing.enrollment",
                        verbose_name="passage",
                    ),
                ),
            ],
            options={
                "verbose_name": "call of a workflow",
                "verbose_name_plural": "calls of workflows",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["pending", "calling"])),
                        fields=["endpoint", "next_attempt_at"],
                        name="workflowcall_due",
                    ),
                    models.Index(fields=["created_at"], name="workflowcall_created"),
                ],
            },
        ),
        migrations.CreateModel(
            name="WorkflowTally",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("workflow_id", models.BigIntegerField()),
                ("version_id", models.BigIntegerField()),
                ("kind", models.CharField(max_length=20)),
                ("step", models.CharField(blank=True, db_default="", default="", max_length=100)),
                ("branch", models.CharField(blank=True, db_default="", default="", max_length=100)),
                ("number", models.BigIntegerField()),
                (
                    "value",
                    models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=20),
                ),
                ("seconds", models.FloatField(db_default=0, default=0)),
            ],
            options={
                "verbose_name": "number of a workflow",
                "verbose_name_plural": "numbers of workflows",
                "indexes": [
                    models.Index(
                        fields=["workflow_id", "version_id", "kind", "step", "branch"],
                        name="workflowtally_figures",
                    )
                ],
            },
        ),
        migrations.RunSQL(
            """
            CREATE FUNCTION marketing_tally() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO marketing_workflowtally (workflow_id, version_id, kind, step, branch, number, value, seconds)
                SELECT workflow_id, version_id, kind, CASE WHEN kind IN ('left', 'moved') THEN step ELSE '' END, branch, count(*), 0, 0
                FROM added WHERE kind <> 'goal' GROUP BY 1, 2, 3, 4, 5;
                IF EXISTS (SELECT FROM added WHERE kind = 'goal') THEN
                    INSERT INTO marketing_workflowtally (workflow_id, version_id, kind, step, branch, number, value, seconds)
                    SELECT met.workflow_id, met.version_id, 'goal', place.step, place.branch, count(*),
                        coalesce(sum(passage.goal_value), 0), sum(extract(epoch FROM passage.goal_at - passage.entered_at))
                    FROM added AS met
                    JOIN marketing_enrollment AS passage ON passage.id = met.enrollment_id
                    CROSS JOIN LATERAL (
                        SELECT '' AS step, CASE passage.exit_reason WHEN 'holdout' THEN 'holdout' ELSE '' END AS branch
                        UNION
                        SELECT drawn.step, drawn.branch
                        FROM marketing_enrollmentevent AS drawn
                        JOIN marketing_workflowstep AS lot
                            ON lot.version_id = drawn.version_id AND lot.key = drawn.step AND lot.type = 'experiment'
                        WHERE drawn.enrollment_id = met.enrollment_id AND drawn.kind = 'left' AND drawn.id < met.id
                    ) AS place
                    WHERE met.kind = 'goal' GROUP BY 1, 2, 3, 4, 5;
                END IF;
                RETURN NULL;
            END $$;
            CREATE TRIGGER marketing_tally AFTER INSERT ON marketing_enrollmentevent
            REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION marketing_tally();

            CREATE FUNCTION marketing_note_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO marketing_enrollmentevent (enrollment_id, workflow_id, version_id, customer_id, kind, step, branch, at)
                VALUES (NEW.id, NEW.workflow_id, NEW.version_id, NEW.customer_id, 'exited', NEW.step, 'erased', now());
                RETURN NULL;
            END $$;
            CREATE TRIGGER marketing_note_erasure AFTER UPDATE OF exit_reason ON marketing_enrollment
            FOR EACH ROW WHEN (NEW.exit_reason = 'erased' AND OLD.exit_reason <> 'erased') EXECUTE FUNCTION marketing_note_erasure();
            """,
            "DROP FUNCTION marketing_tally() CASCADE; DROP FUNCTION marketing_note_erasure() CASCADE;",
        ),
        migrations.CreateModel(
            name="Backtest",
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
                ("since", models.DateTimeField(verbose_name="from")),
                ("until", models.DateTimeField(verbose_name="until")),
                (
                    "sample",
                    models.PositiveIntegerField(
                        help_text="The most customers that are taken, chosen at random.",
                        verbose_name="sample",
                    ),
                ),
                ("definitions", models.JSONField()),
                ("result", models.JSONField(db_default=[], default=list, verbose_name="result")),
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
                    "workflow",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="backtests",
                        to="marketing.workflow",
                        verbose_name="workflow",
                    ),
                ),
            ],
            options={
                "verbose_name": "back-test",
                "verbose_name_plural": "back-tests",
                "ordering": ["-id"],
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "running"])),
                        fields=["leased_until"],
                        name="backtest_under_way",
                    )
                ],
            },
        ),
    ]
