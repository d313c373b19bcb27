"""The statements of customers.ingest.orders, in the order in which they run.

staged_line (as it came) → ordered_line (sorted by order, numbered) → staged_order (one row an order, with what becomes of it).
All three are temporary. `outcome` is created, updated or unchanged; an order with a `reason` is refused.
"""

from __future__ import annotations

from crm.events import outbox
from customers import events

ROOM = "SET LOCAL work_mem = '64MB'"

DROP = "DROP TABLE IF EXISTS pg_temp.staged_line, pg_temp.refused_line, pg_temp.ordered_line, pg_temp.staged_order;"

CREATE = """
    CREATE TEMP TABLE staged_line (
        line int, order_id text COLLATE "C", customer text COLLATE "C", customer_pk bigint, placed_at timestamptz,
        store text, currency text, sku text COLLATE "C", name text, quantity numeric(14,3), amount numeric(14,2),
        discount numeric(14,2), order_amount numeric(14,2), attributes jsonb
    );
    CREATE TEMP TABLE refused_line (line int, order_id text COLLATE "C", reason text)
"""

COPY_LINES = "COPY staged_line FROM STDIN (FORMAT csv, FORCE_NOT_NULL (order_id, customer, store, currency, sku, name))"
COPY_REFUSED = "COPY refused_line FROM STDIN (FORMAT csv, FORCE_NOT_NULL (order_id, reason))"

ASSEMBLE = """
    CREATE TEMP TABLE ordered_line AS
    SELECT dense_rank() OVER (ORDER BY order_id)::int AS order_no,
           row_number() OVER (PARTITION BY order_id ORDER BY line)::int AS position, *
    FROM staged_line;
    DROP TABLE staged_line;
    CREATE INDEX ON ordered_line (order_no);
    ANALYZE ordered_line;

    CREATE TEMP TABLE staged_order AS
    SELECT order_no, order_id AS external_id, customer, customer_pk, placed_at, store, currency,
           coalesce(order_amount, total.amount)::numeric(14,2) AS amount, total.discount::numeric(14,2) AS discount,
           attributes, has_lines, several_customers, total.exact AS exact_amount,
           NULL::bigint AS owner, NULL::bigint AS previous_owner, NULL::bigint AS pk,
           NULL::text AS outcome, NULL::text AS reason
    FROM ordered_line JOIN (
        SELECT order_no, sum(amount) AS exact, least(greatest(sum(amount), -1e11), 1e11) AS amount,
               least(greatest(sum(discount), -1e11), 1e11) AS discount,
               bool_or(sku <> '' OR name <> '') AS has_lines, min(customer) <> max(customer) AS several_customers
        FROM ordered_line GROUP BY order_no
    ) total USING (order_no)
    WHERE position = 1;
    CREATE UNIQUE INDEX ON staged_order (order_no);
    ANALYZE staged_order
"""

FIND_CUSTOMERS = """
    UPDATE staged_order SET owner = found.pk
    FROM (
        SELECT key, coalesce(named.id, identity.customer_id, ours.id, merged.survivor_id, addressed.id, was_addressed.customer_id) AS pk
        FROM (SELECT DISTINCT customer AS key, customer_pk FROM staged_order WHERE owner IS NULL) wanted
        LEFT JOIN customers_customer named ON named.external_id = key
        LEFT JOIN customers_identity identity ON identity.kind = 'external_id' AND identity.value = key
        LEFT JOIN customers_customer ours ON ours.id = wanted.customer_pk
        LEFT JOIN customers_merge merged ON merged.duplicate_id = wanted.customer_pk AND merged.undone_at IS NULL
        LEFT JOIN customers_customer addressed ON lower(addressed.email) = lower(key)
        LEFT JOIN customers_identity was_addressed ON was_addressed.kind = 'email' AND was_addressed.value = lower(key)
    ) found
    WHERE staged_order.customer = found.key AND owner IS NULL
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

_IN_BATCH = "order_no BETWEEN %(first)s AND %(last)s AND reason IS NULL"

WRITE = [
    ROOM,
    # One batch at a time: of orders, and of products that may be new.
    "SELECT pg_advisory_xact_lock(hashtext('customers.ingest.orders')), pg_advisory_xact_lock(hashtext('customers.ingest.products'))",
    f"""
    INSERT INTO customers_product (sku, name)
    SELECT DISTINCT ON (line.sku) line.sku, line.name
    FROM ordered_line line JOIN staged_order USING (order_no)
    WHERE {_IN_BATCH} AND line.sku <> '' AND NOT EXISTS (SELECT FROM customers_product WHERE sku = line.sku)
    ORDER BY line.sku
    ON CONFLICT (sku) DO NOTHING
    """,
    f"""
    UPDATE staged_order SET pk = known.id, previous_owner = known.customer_id, outcome = 'unchanged'
    FROM customers_order known WHERE known.external_id = staged_order.external_id AND {_IN_BATCH}
    """,
    f"""
    UPDATE staged_order SET pk = nextval(pg_get_serial_sequence('customers_order', 'id')), outcome = 'created'
    WHERE pk IS NULL AND {_IN_BATCH}
    """,
    "DROP TABLE IF EXISTS pg_temp.batch_line",
    f"""
    CREATE TEMP TABLE batch_line ON COMMIT DROP AS
    SELECT staged_order.pk AS order_id, position, product.id AS product_id,
           CASE WHEN line.sku = '' THEN line.name ELSE '' END AS name,
           line.quantity, line.amount, line.discount, outcome,
           coalesce(nullif(product.name, ''), nullif(line.name, ''), line.sku) AS title, product.category
    FROM ordered_line line JOIN staged_order USING (order_no)
    LEFT JOIN customers_product product ON product.sku = line.sku
    WHERE {_IN_BATCH} AND (line.sku <> '' OR line.name <> '')
    """,
    # without figures about what was just written, the planner joins row by row
    "ANALYZE staged_order, batch_line",
    f"""
    INSERT INTO customers_order (id, external_id, customer_id, placed_at, store, currency, amount, discount, attributes)
    SELECT pk, external_id, owner, placed_at, store, currency, amount, discount, coalesce(attributes, '{{}}')
    FROM staged_order WHERE outcome = 'created' AND {_IN_BATCH} ORDER BY pk
    """,
    f"""
    UPDATE staged_order SET outcome = 'updated'
    FROM customers_order known
    WHERE known.id = pk AND outcome = 'unchanged' AND {_IN_BATCH} AND (
        (known.customer_id, known.placed_at, known.store, known.currency, known.amount, known.discount, known.attributes)
        IS DISTINCT FROM
        (owner, staged_order.placed_at, staged_order.store, staged_order.currency, staged_order.amount,
         staged_order.discount, known.attributes || coalesce(staged_order.attributes, '{{}}'))
        OR pk IN (
            SELECT coalesce(new.order_id, old.order_id)
            FROM (SELECT * FROM batch_line WHERE outcome = 'unchanged') new
            FULL JOIN (
                SELECT line.* FROM customers_orderline line JOIN staged_order ON staged_order.pk = line.order_id
                WHERE outcome = 'unchanged' AND has_lines AND {_IN_BATCH}
            ) old ON old.order_id = new.order_id AND old.position = new.position
            WHERE (new.product_id, new.name, new.quantity, new.amount, new.discount)
                  IS DISTINCT FROM (old.product_id, old.name, old.quantity, old.amount, old.discount)
        )
    )
    """,
    f"""
    UPDATE customers_order SET
        customer_id = owner, placed_at = staged.placed_at, store = staged.store, currency = staged.currency,
        amount = staged.amount, discount = staged.discount, updated_at = now(),
        attributes = customers_order.attributes || coalesce(staged.attributes, '{{}}')
    FROM staged_order staged WHERE customers_order.id = pk AND outcome = 'updated' AND {_IN_BATCH}
    """,
    f"""
    DELETE FROM customers_orderline USING staged_order
    WHERE customers_orderline.order_id = pk AND outcome = 'updated' AND has_lines AND {_IN_BATCH}
    """,
    """
    INSERT INTO customers_orderline (order_id, position, product_id, name, quantity, amount, discount)
    SELECT order_id, position, product_id, batch_line.name, quantity, batch_line.amount, batch_line.discount
    FROM batch_line JOIN staged_order ON pk = order_id
    WHERE staged_order.outcome <> 'unchanged' ORDER BY order_id, position
    """,
    f"""
    INSERT INTO customers_interaction (customer_id, type, occurred_at, properties)
    SELECT owner, '{events.ORDER_PLACED}', placed_at, jsonb_build_object(
        'order', external_id, 'amount', amount::text, 'products', coalesce(products, '[]'), 'categories', coalesce(categories, '[]')
    )
    FROM staged_order LEFT JOIN (
        SELECT order_id, to_jsonb((array_agg(title ORDER BY position))[1:20]) AS products,
               to_jsonb((array_agg(DISTINCT category) FILTER (WHERE category <> ''))[1:20]) AS categories
        FROM batch_line WHERE outcome = 'created' GROUP BY order_id
    ) bought ON bought.order_id = pk
    WHERE outcome = 'created' AND {_IN_BATCH} ORDER BY order_no
    """,
    f"""
    {outbox.INSERT_SQL}
    SELECT '{events.ORDERS_RECORDED}', '', NULL, jsonb_build_object(
        'order_ids', jsonb_agg(pk ORDER BY pk),
        'previous_customer_ids', coalesce(jsonb_agg(DISTINCT previous_owner) FILTER (WHERE previous_owner <> owner), '[]')
    )
    FROM (
        SELECT pk, owner, previous_owner, (row_number() OVER (ORDER BY pk) - 1) / 1000 AS chunk FROM staged_order
        WHERE outcome <> 'unchanged' AND {_IN_BATCH}
    ) written
    GROUP BY chunk ORDER BY chunk
    """,
]

TOUCHED_CUSTOMERS = f"""
    SELECT owner FROM staged_order WHERE outcome <> 'unchanged' AND {_IN_BATCH}
    UNION
    SELECT previous_owner FROM staged_order WHERE outcome = 'updated' AND {_IN_BATCH}
"""

COUNT = f"SELECT outcome, count(*) FROM staged_order WHERE {_IN_BATCH} GROUP BY outcome"

REFUSED_LINES = """
    SELECT line, min(reason) FROM (
        SELECT line, reason FROM refused_line WHERE line > %(after)s
        UNION ALL
        SELECT line, reason FROM ordered_line JOIN staged_order USING (order_no)
        WHERE reason IS NOT NULL AND line > %(after)s
    ) refused
    GROUP BY line ORDER BY line LIMIT %(limit)s
"""
