"""Views in the schema `reporting` for analysts, and read-only roles of PostgreSQL that may query them.

The columns of a view are a contract: they stay when tables change. Personal columns are NULL for a role without the personal data, so
that the same query runs for both. docs/reporting.md describes the views.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction
from psycopg import sql

SCHEMA = "reporting"
PERSONAL = "kindling_personal_data"
"""The members of this role of PostgreSQL see personal columns."""

_IF_ALLOWED = f"CASE WHEN pg_has_role(current_user, '{PERSONAL}', 'USAGE') THEN {{}} END"


@dataclass(frozen=True, slots=True)
class View:
    """A view: its columns as expressions by name, the personal ones apart, and its FROM clause."""

    name: str
    columns: dict[str, str]
    personal: dict[str, str]
    source: str

    @property
    def query(self) -> str:
        personal = {name: _IF_ALLOWED.format(value) for name, value in self.personal.items()}
        columns = {**self.columns, **personal}
        return f"SELECT {', '.join(f'{value} AS {name}' for name, value in columns.items())} FROM {self.source}"


def _of(table: str, names: str) -> dict[str, str]:
    return {name: f"{table}.{name}" for name in names.split()}


VIEWS = (
    View(
        "customer_360",
        {
            "customer_id": "customer.id",
            **_of("customer", "city region country language timezone source lifecycle_status tags"),
            "birth_year": "EXTRACT(YEAR FROM customer.date_of_birth)::int",
            "registration_date": "customer.registered_at",
            **_of(
                "customer",
                "total_spend order_count average_order_value first_order_at last_order_at visit_count last_visit_at last_interaction_at",
            ),
            **_of(
                "profile",
                "lifetime_value engagement_score churn_risk satisfaction recency_score frequency_score monetary_score rfm_segment"
                " preferred_channel best_hour favourite_category favourite_brand most_viewed_category last_interaction_type"
                " seconds_on_site response_rate expected_orders",
            ),
        },
        _of("customer", "external_id email phone first_name last_name date_of_birth attributes"),
        "customers_customer AS customer LEFT JOIN customers_customerprofile AS profile ON profile.customer_id = customer.id"
        " WHERE customer.erased_at IS NULL",
    ),
    View(
        "messages",
        {
            "message_id": "message.id",
            "campaign_id": "run.campaign_id",
            "batch_id": "message.run_id",
            "customer_id": "message.customer_id",
            "channel": "campaign.channel",
            "simulated": "run.simulated",
            **_of(
                "message",
                "state skip_reason variant attempts error_kind created_at sent_at delivered_at bounced_at complained_at failed_at"
                " opened_at clicked_at converted_at unsubscribed_at revenue",
            ),
        },
        _of("message", "address error"),
        "marketing_campaignexecution AS message JOIN marketing_campaignrun AS run ON run.id = message.run_id"
        " JOIN marketing_campaign AS campaign ON campaign.id = run.campaign_id",
    ),
    View(
        "campaigns",
        {
            "campaign_id": "campaign.id",
            **_of(
                "campaign",
                "name type state channel historical tags budget created_at scheduled_at launched_at completed_at",
            ),
            **{
                name: f"coalesce(result.{name}, 0)"
                for name in (
                    [
                        "sent",
                        "delivered",
                        "bounced",
                        "opened",
                        "clicked",
                        "complained",
                        "converted",
                        "unsubscribed",
                        "revenue",
                    ]
                )
            },
        },
        {},
        "marketing_campaign AS campaign LEFT JOIN (SELECT run.campaign_id, "
        + ", ".join(
            f"sum({name}) AS {name}"
            for name in [
                "sent",
                "delivered",
                "bounced",
                "opened",
                "clicked",
                "complained",
                "converted",
                "unsubscribed",
                "revenue",
            ]
        )
        + " FROM analytics_campaignmetrics JOIN marketing_campaignrun AS run ON run.id = run_id GROUP BY 1) AS result"
        " ON result.campaign_id = campaign.id",
    ),
)


def create_views() -> None:
    """Recreate the schema and its views; roles keep their rights. Needs CREATEROLE."""
    with transaction.atomic(), connection.cursor() as cursor:
        roles = _readers()
        cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        cursor.execute(f"CREATE SCHEMA {SCHEMA}")
        _create_role(PERSONAL, "NOLOGIN")
        for view in VIEWS:
            cursor.execute(
                f"CREATE VIEW {SCHEMA}.{view.name} WITH (security_barrier) AS {view.query}"
            )
        for role in roles:
            _grant(role)


def drop_views() -> None:
    """Delete the schema with its views, so that a migration may change the columns below them."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")


def let_read(role: str, *, personal_data: bool) -> None:
    """Let a role of PostgreSQL, created if there is none, read the views, with or without personal data."""
    with transaction.atomic(), connection.cursor() as cursor:
        _create_role(role, "LOGIN")
        name = sql.Identifier(role)
        cursor.execute(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(name))
        cursor.execute(sql.SQL("ALTER ROLE {} SET statement_timeout = '5min'").format(name))
        statement = "GRANT {} TO {}" if personal_data else "REVOKE {} FROM {}"
        cursor.execute(sql.SQL(statement).format(sql.Identifier(PERSONAL), name))
        _grant(role)


def stop_reading(role: str) -> None:
    """Take from a role what it may read; the role stays."""
    with transaction.atomic(), connection.cursor() as cursor:
        name = sql.Identifier(role)
        cursor.execute(sql.SQL("REVOKE {} FROM {}").format(sql.Identifier(PERSONAL), name))
        cursor.execute(
            sql.SQL(f"REVOKE ALL ON ALL TABLES IN SCHEMA {SCHEMA} FROM {{}}").format(name)
        )
        cursor.execute(sql.SQL(f"REVOKE ALL ON SCHEMA {SCHEMA} FROM {{}}").format(name))


def _create_role(role: str, login: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone() is None:
            cursor.execute(sql.SQL(f"CREATE ROLE {{}} {login}").format(sql.Identifier(role)))


def _grant(role: str) -> None:
    with connection.cursor() as cursor:
        name = sql.Identifier(role)
        cursor.execute(sql.SQL(f"GRANT USAGE ON SCHEMA {SCHEMA} TO {{}}").format(name))
        cursor.execute(
            sql.SQL(f"GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMA} TO {{}}").format(name)
        )


def _readers() -> list[str]:
    """Return the roles that may use the schema, but for its owner."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT pg_get_userbyid(granted.grantee) FROM pg_namespace AS space, aclexplode(space.nspacl) AS granted
            WHERE space.nspname = %s AND granted.privilege_type = 'USAGE' AND granted.grantee NOT IN (0, space.nspowner)
            """,
            [SCHEMA],
        )
        return [row[0] for row in cursor.fetchall()]
