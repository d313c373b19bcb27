"""SQL for the observed part of profiles: favourites, visits, satisfaction, engagement and best send time.

Each constant is a common table expression with `customer_id` and values, for the customers that the condition {of} selects.
"""

from __future__ import annotations

from customers.timeline import types

ANSWERED_WITHIN = "1 year"
HALF_LIFE_DAYS = 30
PRIOR_OPENS = 10
"""The opens of all customers by hour weigh as much as this many opens of one: with few opens, the usual hour wins."""

POINTS = {
    types.MESSAGE_OPENED: 1,
    types.MESSAGE_CLICKED: 3,
    types.PAGE_VIEWED: 1,
    types.SERVICE_CONTACT: 1,
}
"""Engagement points of an event; they halve every HALF_LIFE_DAYS."""
POINTS_OF_AN_ORDER = 5
ENGAGED_AT = 10
"""These points are an engagement score of 63 of 100; the curve is 1 − e^(−points / ENGAGED_AT)."""

_BY_A_PERSON = "coalesce(properties ->> 'machine', 'false') <> 'true' AND coalesce(properties ->> 'simulated', 'false') <> 'true'"

# most by revenue, then by name; one pass over the lines for both
FAVOURITE = """
    favourite AS (
        SELECT customer_id, max(category) FILTER (WHERE place = 1 AND kind = 1) AS category,
               max(brand) FILTER (WHERE place = 1 AND kind = 2) AS brand
        FROM (
            SELECT customer_id, category, brand, kind,
                   row_number() OVER (PARTITION BY customer_id, kind ORDER BY amount DESC NULLS LAST, category, brand) AS place
            FROM (
                SELECT bought.customer_id, product.category, product.brand, sum((line.amount - line.refunded) * bought.rate) AS amount,
                       grouping(product.category, product.brand) AS kind
                FROM customers_order bought
                JOIN customers_orderline line ON line.order_id = bought.id
                JOIN customers_product product ON product.id = line.product_id
                WHERE bought.refund_of_id IS NULL AND {of}
                GROUP BY GROUPING SETS ((bought.customer_id, product.category), (bought.customer_id, product.brand))
            ) AS summed
            WHERE (kind = 1 AND category <> '') OR (kind = 2 AND brand <> '')
        ) AS placed
        WHERE place = 1
        GROUP BY customer_id
    )"""

VISITED = """
    visited AS (
        SELECT customer_id, sum(seconds) AS seconds, round(avg(seconds), 1)::float8 AS average
        FROM customers_visit WHERE {of} GROUP BY customer_id
    )"""

VIEWED = f"""
    viewed AS (
        SELECT DISTINCT ON (customer_id) customer_id, category
        FROM (
            SELECT customer_id, properties ->> 'category' AS category, count(*) AS times
            FROM customers_interaction
            WHERE type IN ('{types.PAGE_VIEWED}', 'Product Viewed', 'Product List Viewed')
              AND properties ->> 'category' <> '' AND {{of}}
            GROUP BY 1, 2
        ) AS counted
        ORDER BY customer_id, times DESC, category
    )"""

SERVED = """
    served AS (
        SELECT customer_id, avg(satisfaction) AS satisfaction
        FROM customers_serviceinteraction WHERE {of} GROUP BY customer_id
    )"""

ANSWERED = f"""
    answered AS (
        SELECT customer_id, sum(sent) AS sent, sum(answers) AS answers,
               (array_agg(channel ORDER BY clicks DESC, answers DESC, channel) FILTER (WHERE answers > 0))[1] AS channel
        FROM (
            SELECT message.customer_id, campaign.channel, count(*) AS sent,
                   count(*) FILTER (WHERE coalesce(message.opened_at, message.clicked_at) IS NOT NULL) AS answers,
                   count(message.clicked_at) AS clicks
            FROM marketing_campaignexecution message
            JOIN marketing_campaignrun run ON run.id = message.run_id AND NOT run.simulated
            JOIN marketing_campaign campaign ON campaign.id = run.campaign_id
            WHERE message.sent_at > %(now)s - interval '{ANSWERED_WITHIN}' AND {{of}}
            GROUP BY message.customer_id, campaign.channel
        ) AS by_channel
        GROUP BY customer_id
    )"""

HOURS = f"""
    hours AS (
        SELECT interaction.customer_id,
               EXTRACT(HOUR FROM interaction.occurred_at AT TIME ZONE
                   CASE WHEN customer.timezone = ANY(%(zones)s::text[]) THEN customer.timezone ELSE %(zone)s END)::int AS hour,
               count(*) AS opens
        FROM customers_interaction interaction JOIN customers_customer customer ON customer.id = interaction.customer_id
        WHERE interaction.type = '{types.MESSAGE_OPENED}' AND {_BY_A_PERSON} AND {{of}}
          AND interaction.occurred_at <> date_trunc('day', interaction.occurred_at, 'UTC')  -- a day without an hour
        GROUP BY 1, 2
    )"""

# of the hours without an open of the reader, only the most usual one can win
BEST_HOUR = f"""
    usual AS (
        SELECT number::int - 1 AS hour, {PRIOR_OPENS} * share AS weight
        FROM unnest(%(usual_hours)s::float8[]) WITH ORDINALITY AS usual(share, number)
    ),
    best AS (
        SELECT DISTINCT ON (customer_id) customer_id, hour
        FROM (
            SELECT customer_id, hour, opens + weight AS weight FROM hours JOIN usual USING (hour)
            UNION ALL
            SELECT DISTINCT customer_id, most.hour, most.weight
            FROM hours CROSS JOIN (SELECT * FROM usual ORDER BY weight DESC, hour LIMIT 1) AS most
        ) AS weighed
        ORDER BY customer_id, weight DESC, hour
    )"""

# as floats: EXTRACT returns a numeric, a power of which takes twenty times as long
_FADED = (
    f"power(2::float8, -EXTRACT(EPOCH FROM %(now)s - {{when}})::float8 / 86400 / {HALF_LIFE_DAYS})"
)
_LATELY = f"{{when}} > %(now)s - interval '{ANSWERED_WITHIN}' AND {{when}} <= %(now)s"

ENGAGED = f"""
    engaged AS (
        SELECT customer_id, sum(points)::float8 AS points FROM (
            SELECT customer_id, CASE type {" ".join(f"WHEN '{name}' THEN {points}" for name, points in POINTS.items())} END
                   * {_FADED.format(when="occurred_at")} AS points
            FROM customers_interaction
            WHERE type IN ({", ".join(f"'{name}'" for name in POINTS)}) AND {_LATELY.format(when="occurred_at")}
              AND {_BY_A_PERSON} AND {{of}}
            UNION ALL
            SELECT customer_id, {POINTS_OF_AN_ORDER} * {_FADED.format(when="placed_at")}
            FROM customers_order WHERE kind = 'order' AND {_LATELY.format(when="placed_at")} AND {{of}}
        ) AS done
        GROUP BY customer_id
    )"""

USUAL_HOURS = """
    SELECT coalesce(array_agg(coalesce(share, 0) ORDER BY number), array_fill(0::float8, ARRAY[24]))
    FROM generate_series(0, 23) AS number LEFT JOIN (
        SELECT hour, sum(opens)::float8 / sum(sum(opens)) OVER () AS share FROM hours GROUP BY hour
    ) AS counted ON counted.hour = number
"""
