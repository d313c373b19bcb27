"""The statements of customers.ingest.orders, in the order in which they run.

staged_line (as it came) → staged_order (one row an order, with what becomes of it) → ordered_line (in the order of their orders).
Orders are numbered customer by customer, so that a customer's are in one batch and its figures are kept once; an order with a
`reason` is refused. Of each batch, batch_order (its `outcome` is created, updated or unchanged) and batch_line are written, and
order_result keeps what became of it. All are temporary.
"""

from __future__ import annotations

from crm.events import outbox
from customers.identity import owners_sql
from customers.timeline import types

ROOM = "SET LOCAL work_mem = '64MB'; SET LOCAL default_statistics_target = 10"

DROP = "DROP TABLE IF EXISTS pg_temp.staged_line, pg_temp.refused_line, pg_temp.ordered_line, pg_temp.staged_order, pg_temp.order_result;"

CREATE = """
    CREATE TEMP TABLE staged_line (
        line int, order_id text COLLATE "C", customer text COLLATE "C", customer_pk bigint, placed_at timestamptz,
        store text, currency text, sku text COLLATE "C", name text, quantity numeric(14,3), amount numeric(14,2),
        discount numeric(14,2), order_amount numeric(14,2), attributes jsonb
    );
    CREATE TEMP TABLE refused_line (line int, order_id text COLLATE "C", reason text);
    CREATE TEMP TABLE order_result (external_id text COLLATE "C", outcome text, pk bigint)
"""

COPY_LINES = "COPY staged_line FROM STDIN (FORMAT csv, FORCE_NOT_NULL (order_id, customer, store, currency, sku, name))"
COPY_REFUSED = "COPY refused_line FROM STDIN (FORMAT csv, FORCE_NOT_NULL (order_id, reason))"

ASSEMBLE = f"""
    ANALYZE staged_line;

    CREATE TEMP TABLE staged_order AS
    SELECT row_number() OVER (ORDER BY found.customer_id, order_id)::int AS order_no, order_id AS external_id, customer, customer_pk,
           placed_at, store, currency, coalesce(order_amount, total.amount)::numeric(14,2) AS amount,
           total.discount::numeric(14,2) AS discount, attributes, has_lines, several_customers, total.exact AS exact_amount,
           found.customer_id AS owner, NULL::text AS reason
    FROM staged_line JOIN (
        SELECT min(line) AS line, sum(amount) AS exact, least(greatest(sum(amount), -1e11), 1e11) AS amount,
               least(greatest(sum(discount), -1e11), 1e11) AS discount,
               bool_or(sku <> '' OR name <> '') AS has_lines, min(customer) <> max(customer) AS several_customers
        FROM staged_line GROUP BY order_id
    ) total USING (line)
    JOIN ({owners_sql("SELECT DISTINCT customer AS name, customer_pk AS number FROM staged_line")}) found ON found.name = customer;
    CREATE UNIQUE INDEX ON staged_order (order_no);
    ANALYZE staged_order;

    CREATE TEMP TABLE ordered_line AS
    SELECT order_no, row_number() OVER (PARTITION BY order_no ORDER BY line)::int AS position,
           line, sku, line.name, quantity, line.amount, line.discount
    FROM staged_line line JOIN staged_order ON external_id = order_id;
    DROP TABLE staged_line;
    CREATE INDEX ON ordered_line (order_no);
    ANALYZE ordered_line
"""

FIND_MADE = f"""
    UPDATE staged_order SET owner = found.customer_id
    FROM ({owners_sql("SELECT DISTINCT customer AS name, customer_pk AS number FROM staged_order WHERE owner IS NULL")}) found
    WHERE staged_order.customer = found.name AND owner IS NULL
"""

MISSING_CUSTOMERS = """
    SELECT DISTINCT customer FROM staged_order
    WHERE owner IS NULL AND external_id NOT IN (SELECT order_id FROM refused_line)
"""

REFUSE = """
    UPDATE staged_order SET reason = CASE
        WHEN bad.line IS NOT NULL THEN replace(%(with_bad_line)s, '%%(line)s', bad.line::text)
        WHEN staged_order.several_customers THEN %(two_customers)s
        WHEN staged_order.owner IS NULL THEN replace(%(unknown_customer)s, '%%(customer)s', staged_order.customer)
        ELSE %(too_large)s END
    FROM staged_order checked
    LEFT JOIN (SELECT order_id, min(line) AS line FROM refused_line GROUP BY order_id) bad
        ON bad.order_id = checked.external_id
    WHERE staged_order.order_no = checked.order_no AND (
        bad.line IS NOT NULL OR staged_order.several_customers OR staged_order.owner IS NULL
        OR abs(staged_order.exact_amount) >= 1e11
    )
"""

_IN_BATCH = "order_no BETWEEN %(first)s AND %(last)s"

WRITE = [
    ROOM,
    # One batch at a time: of orders, and of products that may be new.
    "SELECT pg_advisory_xact_lock(hashtext('customers.ingest.orders')), pg_advisory_xact_lock(hashtext('customers.ingest.products'))",
    "DROP TABLE IF EXISTS pg_temp.batch_order, pg_temp.batch_line",
    f"""
    CREATE TEMP TABLE batch_order ON COMMIT DROP AS
    SELECT order_no, external_id, owner, staged.placed_at, staged.store, staged.currency, staged.amount, staged.discount,
           staged.attributes, has_lines, known.customer_id AS previous_owner,
           coalesce(known.id, nextval((SELECT pg_get_serial_sequence('customers_order', 'id'))::regclass)) AS pk,
           CASE WHEN known.id IS NULL THEN 'created' ELSE 'unchanged' END AS outcome
    FROM staged_order staged LEFT JOIN customers_order known USING (external_id)
    WHERE {_IN_BATCH} AND reason IS NULL
    """,
    f"""
    INSERT INTO customers_product (sku, name)
    SELECT DISTINCT ON (sku) sku, name
    FROM ordered_line JOIN batch_order USING (order_no)
    WHERE {_IN_BATCH} AND sku <> '' AND sku NOT IN (SELECT sku FROM customers_product)
    ORDER BY sku
    ON CONFLICT (sku) DO NOTHING
    """,
    f"""
    CREATE TEMP TABLE batch_line ON COMMIT DROP AS
    SELECT pk AS order_id, position, product.id AS product_id,
           CASE WHEN line.sku = '' THEN line.name ELSE '' END AS name,
           line.quantity, line.amount, line.discount, outcome,
           coalesce(nullif(product.name, ''), nullif(line.name, ''), line.sku) AS title, product.category
    FROM ordered_line line JOIN batch_order USING (order_no)
    LEFT JOIN customers_product product ON product.sku = line.sku
    WHERE {_IN_BATCH} AND (line.sku <> '' OR line.name <> '')
    """,
    # without statistics of these new tables the planner joins row by row
    "ANALYZE batch_order, batch_line",
    """
    INSERT INTO customers_order (id, external_id, customer_id, placed_at, store, currency, amount, discount, attributes)
    SELECT pk, external_id, owner, placed_at, store, currency, amount, discount, coalesce(attributes, '{}')
    FROM batch_order WHERE outcome = 'created' ORDER BY pk
    """,
    """
    UPDATE batch_order new SET outcome = 'updated'
    FROM customers_order known
    WHERE known.id = pk AND outcome = 'unchanged' AND (
        (known.customer_id, known.placed_at, known.store, known.currency, known.amount, known.discount, known.attributes)
        IS DISTINCT FROM
        (owner, new.placed_at, new.store, new.currency, new.amount, new.discount,
         known.attributes || coalesce(new.attributes, '{}'))
        OR pk IN (
            SELECT coalesce(came.order_id, old.order_id)
            FROM (SELECT * FROM batch_line WHERE outcome = 'unchanged') came
            FULL JOIN (
                SELECT line.* FROM customers_orderline line JOIN batch_order ON pk = line.order_id
                WHERE outcome = 'unchanged' AND has_lines
            ) old ON old.order_id = came.order_id AND old.position = came.position
            WHERE (came.product_id, came.name, came.quantity, came.amount, came.discount)
                  IS DISTINCT FROM (old.product_id, old.name, old.quantity, old.amount, old.discount)
        )
    )
    """,
    """
    UPDATE customers_order SET
        customer_id = owner, placed_at = new.placed_at, store = new.store, currency = new.currency,
        amount = new.amount, discount = new.discount, updated_at = now(),
        attributes = customers_order.attributes || coalesce(new.attributes, '{}')
    FROM batch_order new WHERE customers_order.id = pk AND outcome = 'updated'
    """,
    """
    DELETE FROM customers_orderline USING batch_order
    WHERE customers_orderline.order_id = pk AND outcome = 'updated' AND has_lines
    """,
    """
    INSERT INTO customers_orderline (order_id, position, product_id, name, quantity, amount, discount)
    SELECT order_id, position, product_id, batch_line.name, quantity, batch_line.amount, batch_line.discount
    FROM batch_line JOIN batch_order ON pk = order_id
    WHERE batch_order.outcome <> 'unchanged' ORDER BY order_id, position
    """,
    f"""
    INSERT INTO customers_interaction (customer_id, type, occurred_at, properties)
    SELECT owner, '{types.ORDER_PLACED}', placed_at, jsonb_build_object(
        'order', external_id, 'amount', amount::text, 'products', coalesce(products, '[]'), 'categories', coalesce(categories, '[]')
    )
    FROM batch_order LEFT JOIN (
        SELECT order_id, to_jsonb((array_agg(title ORDER BY position))[1:20]) AS products,
               to_jsonb((array_agg(DISTINCT category) FILTER (WHERE category <> ''))[1:20]) AS categories
        FROM batch_line WHERE outcome = 'created' GROUP BY order_id
    ) bought ON bought.order_id = pk
    WHERE outcome = 'created' ORDER BY order_no
    """,
    f"""
    {outbox.INSERT_SQL}
    SELECT '{types.ORDERS_RECORDED}', '', NULL, jsonb_build_object(
        'order_ids', jsonb_agg(pk ORDER BY pk),
        'previous_customer_ids', coalesce(jsonb_agg(DISTINCT previous_owner) FILTER (WHERE previous_owner <> owner), '[]')
    )
    FROM (
        SELECT pk, owner, previous_owner, (row_number() OVER (ORDER BY pk) - 1) / 1000 AS chunk FROM batch_order
        WHERE outcome <> 'unchanged'
    ) written
    GROUP BY chunk ORDER BY chunk
    """,
    "INSERT INTO order_result SELECT external_id, outcome, pk FROM batch_order",
]

TOUCHED_CUSTOMERS = """
    SELECT owner FROM batch_order WHERE outcome <> 'unchanged'
    UNION
    SELECT previous_owner FROM batch_order WHERE outcome = 'updated'
"""

COUNT = "SELECT outcome, count(*) FROM batch_order GROUP BY outcome"

RESULTS = """
    SELECT external_id, coalesce(outcome, 'failed'), pk, coalesce(reason, '')
    FROM staged_order LEFT JOIN order_result USING (external_id)
"""

REFUSED_LINES = """
    SELECT line, min(reason) FROM (
        SELECT line, reason FROM refused_line WHERE line > %(after)s
        UNION ALL
        SELECT line, reason FROM ordered_line JOIN staged_order USING (order_no)
        WHERE reason IS NOT NULL AND line > %(after)s
    ) refused
    GROUP BY line ORDER BY line LIMIT %(limit)s
"""
