from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="ExternalServiceLog",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="when")),
                ("service", models.CharField(max_length=50, verbose_name="service")),
                (
                    "account",
                    models.CharField(
                        blank=True,
                        help_text="The id of the sender or of the webhook endpoint.",
                        max_length=50,
                        verbose_name="account",
                    ),
                ),
                ("method", models.CharField(max_length=10, verbose_name="method")),
                ("target", models.CharField(max_length=1000, verbose_name="target")),
                ("ms", models.PositiveIntegerField(verbose_name="milliseconds")),
                (
                    "status",
                    models.PositiveSmallIntegerField(
                        help_text="Empty without a response.", null=True, verbose_name="status"
                    ),
                ),
                (
                    "size",
                    models.PositiveIntegerField(default=0, verbose_name="response size (bytes)"),
                ),
                ("error", models.CharField(blank=True, max_length=1000, verbose_name="error")),
                ("request_body", models.TextField(blank=True, verbose_name="request body")),
                ("response_body", models.TextField(blank=True, verbose_name="response body")),
            ],
            options={
                "verbose_name": "outgoing call",
                "verbose_name_plural": "outgoing calls",
                "indexes": [
                    models.Index(fields=["-at"], name="outgoing_newest"),
                    models.Index(
                        condition=models.Q(("error__gt", "")),
                        fields=["account", "-at"],
                        name="outgoing_errors",
                    ),
                ],
            },
        ),
    ]
