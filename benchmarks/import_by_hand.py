"""The reference of imports: COPY to a staging table and upserts, without validation."""

from __future__ import annotations

from pathlib import Path

from django.db import connection, transaction

_BLOCK = 1_048_576

_CUSTOMERS = """
    INSERT INTO customers_customer (external_id, email, first_name, last_name, city, registered_at, attributes)
    SELECT external_id, lower(email), first_name, last_name, city, registered_at::timestamptz, jsonb_build_object('income', income::int)
    FROM staged
    ON CONFLICT (external_id) DO UPDATE SET email = excluded.email, first_name = excluded.first_name,
        last_name = excluded.last_name, city = excluded.city, registered_at = excluded.registered_at,
        attributes = customers_customer.attributes || excluded.attributes, updated_at = now();

    INSERT INTO customers_identity (customer_id, kind, value)
    SELECT id, kind, value FROM customers_customer
    CROSS JOIN LATERAL (VALUES ('external_id', external_id), ('email', email)) AS known(kind, value)
    WHERE external_id IN (SELECT external_id FROM staged)
    ON CONFLICT DO NOTHING;

    ANALYZE customers_customer
"""

_ORDERS = """
    ANALYZE staged;

    INSERT INTO customers_product (sku, name) SELECT DISTINCT sku, '' FROM staged ON CONFLICT (sku) DO NOTHING;

    INSERT INTO customers_order (external_id, customer_id, placed_at, store, currency, rate, amount, discount)
    SELECT order_id, customer.id, min(placed_at::timestamptz), min(store), 'USD', 1, sum(amount::numeric), sum(discount::numeric)
    FROM staged JOIN customers_customer customer ON customer.external_id = staged.customer_id
    GROUP BY order_id, customer.id
    ON CONFLICT (external_id, store, kind) DO UPDATE SET customer_id = excluded.customer_id, placed_at = excluded.placed_at,
        amount = excluded.amount, discount = excluded.discount, updated_at = now();

    INSERT INTO customers_orderline (order_id, position, product_id, name, quantity, amount, discount)
    SELECT ordered.id, row_number() OVER (PARTITION BY staged.order_id), product.id, '',
           quantity::numeric, staged.amount::numeric, staged.discount::numeric
    FROM staged JOIN customers_order ordered ON ordered.external_id = staged.order_id
    JOIN customers_product product ON product.sku = staged.sku
    ON CONFLICT (order_id, position) DO UPDATE SET product_id = excluded.product_id, quantity = excluded.quantity,
        amount = excluded.amount, discount = excluded.discount;

    INSERT INTO customers_interaction (customer_id, type, occurred_at, properties)
    SELECT customer_id, 'order_placed', placed_at, jsonb_build_object(
        'order', external_id, 'amount', customers_order.amount::text, 'products', products, 'categories', '[]'::jsonb)
    FROM customers_order JOIN (
        SELECT order_id, to_jsonb(array_agg(sku)) AS products FROM staged GROUP BY order_id
    ) bought ON bought.order_id = external_id;

    UPDATE customers_customer SET total_spend = bought.amount, order_count = bought.orders,
        average_order_value = round(bought.amount / bought.orders, 2), first_order_at = bought.first,
        last_order_at = bought.last, last_interaction_at = bought.last
    FROM (
        SELECT customer_id, sum(amount) AS amount, count(*) AS orders, min(placed_at) AS first, max(placed_at) AS last
        FROM customers_order GROUP BY customer_id
    ) bought WHERE bought.customer_id = customers_customer.id
"""


def bring_in(customers: Path, orders: Path) -> None:
    _stage_and_run(customers, _CUSTOMERS)
    _stage_and_run(orders, _ORDERS)


def _stage_and_run(path: Path, sql: str) -> None:
    with path.open("rb") as file, transaction.atomic(), connection.cursor() as cursor:
        columns = ", ".join(f"{name} text" for name in file.readline().decode().strip().split(","))
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute(f"CREATE TEMP TABLE staged ({columns}) ON COMMIT DROP")
        with cursor.copy("COPY staged FROM STDIN (FORMAT csv)") as copy:
            while block := file.read(_BLOCK):
                copy.write(block)
        cursor.execute(sql)
