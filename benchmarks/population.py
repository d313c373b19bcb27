"""A shop of any size, made by set-based SQL in seconds: customers, orders with lines, and a timeline of messages."""

from __future__ import annotations

from django.db import connection

from benchmarks.harness import Scale

CUSTOMERS = {Scale.SMALL: 20_000, Scale.FULL: 1_000_000}
LINES_EACH = 3
# Every key is known to be there, so no row is checked for it.
_SQL = """
    SET session_replication_role = replica;
    SELECT setseed(0.42);

    INSERT INTO customers_product (id, sku, name, category, brand)
    SELECT n, 'sku-' || n, 'Product ' || n, (array['Books','Home','Garden','Food','Toys'])[1 + n %% 5], 'Brand ' || n %% 40
    FROM generate_series(1, 1000) n;

    INSERT INTO customers_order (id, external_id, customer_id, placed_at, store, currency, rate, amount)
    SELECT n, 'o' || n, 1 + floor(power(random(), 2) * %(customers)s)::int, now() - random() * interval '700 days', '', 'USD', 1,
        round((5 + random() * 300)::numeric, 2)
    FROM generate_series(1, %(customers)s * %(lines)s / 2) n;

    INSERT INTO customers_orderline (order_id, position, product_id, name, amount)
    SELECT orders.id, position, 1 + floor(random() * 1000)::int, '', amount / 2
    FROM customers_order orders, generate_series(1, 2) position;

    INSERT INTO customers_customer (id, external_id, email, phone, first_name, last_name, city, country, date_of_birth,
        lifecycle_status, tags, attributes, registered_at, total_spend, order_count, average_order_value,
        first_order_at, last_order_at)
    SELECT n, 'c' || n, 'c' || n || '@example.com', '+4930' || 10000000 + n, 'First' || n %% 1000, 'Last' || n %% 5000,
        (array['Berlin','London','Paris','Vienna','Oslo'])[1 + n %% 5], (array['DE','GB','FR','AT','NO'])[1 + n %% 5],
        date '1950-01-01' + (random() * 20000)::int,
        (array['lead','active','inactive','churned'])[1 + (random() * 3)::int],
        CASE WHEN random() < 0.1 THEN array['vip'] ELSE '{}' END,
        jsonb_build_object('plan', (array['free','pro'])[1 + n %% 2]), now() - random() * interval '1000 days',
        coalesce(spend, 0), coalesce(orders, 0), round(spend / orders, 2), first, last
    FROM generate_series(1, %(customers)s) n LEFT JOIN (
        SELECT customer_id, sum(amount) spend, count(*) orders, max(placed_at) last, min(placed_at) first
        FROM customers_order GROUP BY 1
    ) bought ON bought.customer_id = n;

    INSERT INTO customers_interaction (customer_id, type, occurred_at, properties, campaign_id)
    SELECT 1 + floor(power(random(), 2) * %(customers)s)::int,
        (array['message_sent','message_sent','message_sent','message_opened','message_clicked','page_viewed'])[1 + n %% 6],
        now() - random() * interval '365 days', jsonb_build_object('channel', 'email', 'first', true), 1 + n %% 50
    FROM generate_series(1, %(customers)s * %(lines)s) n;

    SET session_replication_role = DEFAULT;
"""
_VACUUM = (
    "VACUUM (ANALYZE) customers_customer, customers_product, customers_order, "
    "customers_orderline, customers_interaction"
)


def populate(scale: Scale) -> int:
    """Create the shop in an empty database; return its number of customers."""
    return populate_with(CUSTOMERS[scale])


def populate_with(customers: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_SQL, {"customers": customers, "lines": LINES_EACH})
        cursor.execute(_VACUUM)
    return customers
