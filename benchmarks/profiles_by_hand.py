"""Handwritten SQL for the same profiles: RFM by NTILE, favourites, responses, engagement; no fitted models."""

from __future__ import annotations

from django.db import connection

_SQL = """
    INSERT INTO customers_customerprofile (customer_id, recency_score, frequency_score, monetary_score, favourite_category,
        favourite_brand, response_rate, engagement_score, last_interaction_type, satisfaction, seconds_on_site, lifetime_value)
    SELECT customer.id, r, f, m, coalesce(category.category, ''), coalesce(brand.brand, ''), answered.rate,
           100 * (1 - exp(-coalesce(engaged.points, 0) / 10)), coalesce(newest.type, ''), served.mark, visited.seconds, total_spend
    FROM customers_customer customer
    LEFT JOIN (
        SELECT id, ntile(5) OVER (ORDER BY last_order_at) r, ntile(5) OVER (ORDER BY order_count) f,
               ntile(5) OVER (ORDER BY total_spend) m
        FROM customers_customer WHERE order_count > 0
    ) scored USING (id)
    LEFT JOIN (
        SELECT DISTINCT ON (customer_id) customer_id, category FROM (
            SELECT o.customer_id, p.category, sum(l.amount) AS amount FROM customers_order o
            JOIN customers_orderline l ON l.order_id = o.id JOIN customers_product p ON p.id = l.product_id GROUP BY 1, 2
        ) c ORDER BY customer_id, amount DESC
    ) category ON category.customer_id = customer.id
    LEFT JOIN (
        SELECT DISTINCT ON (customer_id) customer_id, brand FROM (
            SELECT o.customer_id, p.brand, sum(l.amount) AS amount FROM customers_order o
            JOIN customers_orderline l ON l.order_id = o.id JOIN customers_product p ON p.id = l.product_id GROUP BY 1, 2
        ) c ORDER BY customer_id, amount DESC
    ) brand ON brand.customer_id = customer.id
    LEFT JOIN (
        SELECT customer_id, avg((opened_at IS NOT NULL OR clicked_at IS NOT NULL)::int) AS rate
        FROM marketing_campaignexecution WHERE sent_at IS NOT NULL GROUP BY 1
    ) answered ON answered.customer_id = customer.id
    LEFT JOIN (
        SELECT customer_id, sum(power(2, -EXTRACT(EPOCH FROM now() - occurred_at) / 86400 / 30)) AS points
        FROM customers_interaction WHERE type IN ('message_opened', 'message_clicked', 'page_viewed') GROUP BY 1
    ) engaged ON engaged.customer_id = customer.id
    LEFT JOIN (
        SELECT DISTINCT ON (customer_id) customer_id, type FROM customers_interaction ORDER BY customer_id, occurred_at DESC
    ) newest ON newest.customer_id = customer.id
    LEFT JOIN (SELECT customer_id, avg(satisfaction) AS mark FROM customers_serviceinteraction GROUP BY 1) served
        ON served.customer_id = customer.id
    LEFT JOIN (SELECT customer_id, sum(seconds) AS seconds FROM customers_visit GROUP BY 1) visited
        ON visited.customer_id = customer.id
"""


def work_out() -> None:
    """Write a profile of every customer into the empty table."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL)
