"""The statements of customers.ingest.orders, in the order in which they run.

staged_line (as it came) → staged_order (one row an order or refund, with what becomes of it) → ordered_line (in the order of their
orders). Orders are numbered customer by customer, so that a customer's are in one batch and its figures are kept once, and refunds after
all orders, so that they find theirs; a row with a `reason` is refused. Of each batch, batch_order (its `outcome` is created, updated or
unchanged) and batch_line are written, and order_result keeps what became of it. All are temporary.

A row is a stored one if kind, id and store are the same. Where one of the two has no store, they are the same if customer and time are.
A refund belongs to the order with the id that it gives, in its store, or in any store if only one has such an order.
"""

from __future__ import annotations

from crm.events import outbox
from customers.identity import owners_sql
from customers.models import Order
from customers.order_money import lower_sql, rate_sql
from customers.timeline import types

ORDER, REFUND = Order.Kind.ORDER, Order.Kind.REFUND

ROOM = "SET LOCAL work_mem = '64MB'; SET LOCAL default_statistics_target = 10"

DROP = "DROP TABLE IF EXISTS pg_temp.staged_line, pg_temp.refused_line, pg_temp.ordered_line, pg_temp.staged_order, pg_temp.order_result;"

CREATE = """
    CREATE TEMP TABLE staged_line (
        line int, order_id text COLLATE "C", customer text COLLATE "C", customer_pk bigint, placed_at timestamptz, seen_at timestamptz,
        store text COLLATE "C", currency text, kind text COLLATE "C", refunded_order text, sku text COLLATE "C", name text,
        quantity numeric(14,3), amount numeric(14,2), discount numeric(14,2), order_amount numeric(14,2), attributes jsonb,
        shop text COLLATE "C" DEFAULT ''
    );
    CREATE TEMP TABLE refused_line (line int, order_id text COLLATE "C", reason text);
    CREATE TEMP TABLE order_result (order_no int, outcome text, pk bigint)
"""

COPY_LINES = """
    COPY staged_line (
        line, order_id, customer, customer_pk, placed_at, seen_at, store, currency, kind, refunded_order, sku, name, quantity, amount,
        discount, order_amount, attributes
    ) FROM STDIN (FORMAT csv, FORCE_NOT_NULL (order_id, customer, store, currency, kind, refunded_order, sku, name))
"""
COPY_REFUSED = "COPY refused_line FROM STDIN (FORMAT csv, FORCE_NOT_NULL (order_id, reason))"

_NAMES = (
    "SELECT DISTINCT customer AS name, customer_pk AS number FROM staged_line WHERE customer <> ''"
)

# lines of one id are one order, unless stores tell apart lines of several customers or times;
# without a kind, the sign tells an order from a refund
ASSEMBLE = f"""
    ANALYZE staged_line;

    UPDATE staged_line SET shop = store WHERE order_id IN (
        SELECT order_id FROM staged_line GROUP BY order_id
        HAVING min(store) <> max(store) AND (min(customer) <> max(customer) OR min(placed_at) <> max(placed_at))
    );

    CREATE TEMP TABLE staged_order AS
    SELECT row_number() OVER (ORDER BY kind <> '{ORDER}', owner, external_id, store)::int AS order_no, *,
           kind <> '{ORDER}' AND signed > 0 AS is_flipped,
           least(abs(exact), 1e11)::numeric(14,2) * CASE kind WHEN '{ORDER}' THEN 1 ELSE -1 END AS amount,
           CASE WHEN kind = '{ORDER}' THEN '' ELSE coalesce(nullif(given_order, ''), external_id) END AS refunded_order,
           kind <> '{ORDER}' AND order_amount IS NULL AND exact = 0 AS is_whole, NULL::text AS reason
    FROM (
        SELECT *, CASE WHEN given_kind <> '' THEN given_kind WHEN signed < 0 THEN '{REFUND}' ELSE '{ORDER}' END AS kind
        FROM (
            SELECT staged_line.line, order_id AS external_id, shop, customer, customer_pk, placed_at, seen_at, store, currency,
                   staged_line.kind AS given_kind, refunded_order AS given_order, order_amount,
                   coalesce(order_amount, total.amount) AS exact,
                   coalesce(nullif(sign(coalesce(order_amount, total.amount)), 0), sign(total.quantity)) AS signed,
                   least(greatest(total.discount, -1e11), 1e11)::numeric(14,2) AS discount, attributes, has_lines, several_customers,
                   found.customer_id AS owner
            FROM staged_line JOIN (
                SELECT min(line) AS line, kind, sum(amount) AS amount, sum(discount) AS discount, sum(quantity) AS quantity,
                       bool_or(sku <> '' OR name <> '') AS has_lines, min(customer) <> max(customer) AS several_customers
                FROM staged_line GROUP BY order_id, kind, shop
            ) total ON total.line = staged_line.line AND total.kind = staged_line.kind
            LEFT JOIN ({owners_sql(_NAMES)}) found ON found.name = customer
        ) assembled
    ) signed;
    CREATE UNIQUE INDEX ON staged_order (order_no);
    ANALYZE staged_order;

    CREATE TEMP TABLE ordered_line AS
    SELECT order_no, row_number() OVER (PARTITION BY order_no ORDER BY staged.line)::int AS position, staged.line, sku, staged.name,
           CASE WHEN is_flipped THEN -quantity ELSE quantity END AS quantity,
           CASE WHEN is_flipped THEN -staged.amount ELSE staged.amount END AS amount,
           CASE WHEN is_flipped THEN -staged.discount ELSE staged.discount END AS discount
    FROM staged_line staged
    JOIN staged_order whole ON external_id = order_id AND given_kind = staged.kind AND whole.shop = staged.shop;
    -- refunds of one order without lines and ids of their own add up
    UPDATE staged_order SET amount = -given.amount
    FROM (
        SELECT order_id, kind, shop, least(abs(sum(DISTINCT order_amount)), 1e11)::numeric(14,2) AS amount FROM staged_line
        WHERE kind <> '' AND order_amount IS NOT NULL GROUP BY order_id, kind, shop HAVING count(*) > 1
    ) given
    WHERE external_id = order_id AND given_kind = given.kind AND staged_order.shop = given.shop AND NOT has_lines;
    DROP TABLE staged_line;
    CREATE INDEX ON ordered_line (order_no);
    ANALYZE ordered_line
"""

_SAME_STORE = """
    (original.store = refund.store OR ('' IN (original.store, refund.store) AND NOT EXISTS (
        SELECT FROM customers_order other
        WHERE other.external_id = original.external_id AND other.kind = 'order' AND other.id <> original.id
    )))
"""

FIND_BUYERS = [
    f"""
    UPDATE staged_order refund SET owner = original.customer_id FROM customers_order original
    WHERE refund.customer = '' AND refund.kind <> '{ORDER}'
      AND original.external_id = refund.refunded_order AND original.kind = '{ORDER}' AND {_SAME_STORE}
    """,
    f"""
    UPDATE staged_order refund SET owner = original.owner FROM staged_order original
    WHERE refund.owner IS NULL AND refund.customer = '' AND refund.kind <> '{ORDER}'
      AND original.external_id = refund.refunded_order AND original.kind = '{ORDER}' AND original.store = refund.store
    """,
]
"""A refund without a customer is that of its order, stored or in the same file."""

FIND_MADE = f"""
    UPDATE staged_order SET owner = found.customer_id
    FROM ({owners_sql("SELECT DISTINCT customer AS name, customer_pk AS number FROM staged_order WHERE owner IS NULL")}) found
    WHERE staged_order.customer = found.name AND owner IS NULL
"""

MISSING_CUSTOMERS = """
    SELECT DISTINCT customer FROM staged_order
    WHERE owner IS NULL AND customer <> '' AND external_id NOT IN (SELECT order_id FROM refused_line)
"""

REFUSE = """
    UPDATE staged_order SET reason = CASE
        WHEN bad.line IS NOT NULL THEN replace(%(with_bad_line)s, '%%(line)s', bad.line::text)
        WHEN staged_order.several_customers THEN %(two_customers)s
        WHEN staged_order.owner IS NULL AND staged_order.customer = ''
            THEN replace(%(unknown_order)s, '%%(order)s', staged_order.refunded_order)
        WHEN staged_order.owner IS NULL THEN replace(%(unknown_customer)s, '%%(customer)s', staged_order.customer)
        ELSE %(too_large)s END
    FROM staged_order checked
    LEFT JOIN (SELECT order_id, min(line) AS line FROM refused_line GROUP BY order_id) bad
        ON bad.order_id = checked.external_id
    WHERE staged_order.order_no = checked.order_no AND (
        bad.line IS NOT NULL OR staged_order.several_customers OR staged_order.owner IS NULL
        OR abs(staged_order.exact) >= 1e11
    )
"""

LAST = f"""
    SELECT coalesce(max(order_no) FILTER (WHERE kind = '{ORDER}'), 0), coalesce(max(order_no), 0) FROM staged_order
"""

_IN_BATCH = "order_no BETWEEN %(first)s AND %(last)s"

_BATCH = f"""
    CREATE TEMP TABLE batch_order ON COMMIT DROP AS
    SELECT found.*, {rate_sql("found.currency", "found.placed_at")} AS rate FROM (
        SELECT DISTINCT ON (order_no)
               order_no, staged.external_id, staged.kind, staged.refunded_order, staged.is_whole, owner, has_lines,
               coalesce(staged.placed_at, known.placed_at, seen_at, original.placed_at, now()) AS placed_at,
               coalesce(nullif(staged.store, ''), known.store, original.store, '') AS store,
               coalesce(nullif(staged.currency, ''), known.currency, original.currency, %(site_currency)s) AS currency,
               CASE WHEN staged.is_whole THEN coalesce(-original.amount, known.amount, staged.amount) ELSE staged.amount END AS amount,
               staged.discount, staged.attributes, original.id AS refund_of,
               known.customer_id AS previous_owner, original.customer_id AS buyer,
               coalesce(known.id, nextval((SELECT pg_get_serial_sequence('customers_order', 'id'))::regclass)) AS pk,
               CASE WHEN known.id IS NULL THEN 'created' ELSE 'unchanged' END AS outcome
        FROM staged_order staged
        LEFT JOIN {{originals}}
        LEFT JOIN customers_order known
            ON known.external_id = staged.external_id AND known.kind = staged.kind AND (
                known.store = coalesce(nullif(staged.store, ''), original.store, '')
                OR ('' IN (known.store, staged.store) AND known.customer_id = owner
                    AND coalesce(known.placed_at = staged.placed_at, true))
            )
        WHERE {_IN_BATCH} AND reason IS NULL
        ORDER BY order_no, known.store = coalesce(nullif(staged.store, ''), original.store, '') DESC, known.id
    ) found
"""
_NO_ORIGINALS = "(SELECT * FROM customers_order WHERE false) original ON true"
_ORIGINALS = f"""
    (SELECT refund.order_no AS refund_no, original.* FROM staged_order refund JOIN customers_order original
        ON original.external_id = refund.refunded_order AND original.kind = '{ORDER}' AND {_SAME_STORE}) original
    ON refund_no = order_no
"""
BATCH_OF_ORDERS = _BATCH.format(originals=_NO_ORIGINALS)
BATCH_OF_REFUNDS = _BATCH.format(originals=_ORIGINALS)

START = [
    ROOM,
    # One batch at a time: of orders, and of products that may be new.
    "SELECT pg_advisory_xact_lock(hashtext('customers.ingest.orders')), pg_advisory_xact_lock(hashtext('customers.ingest.products'))",
    "DROP TABLE IF EXISTS pg_temp.batch_order, pg_temp.batch_line, pg_temp.refunded_order",
]

WRITE = [
    # an id of another customer's order is another shop's: it changes hands only by a merge
    """
    WITH refused AS (
        DELETE FROM batch_order WHERE previous_owner <> owner OR buyer <> owner RETURNING order_no, refunded_order, external_id
    )
    UPDATE staged_order SET reason = replace(
        %(other_customer)s, '%%(order)s', coalesce(nullif(refused.refunded_order, ''), refused.external_id)
    )
    FROM refused WHERE staged_order.order_no = refused.order_no
    """,
    """
    WITH refused AS (
        DELETE FROM batch_order later USING batch_order first
        WHERE later.pk = first.pk AND later.order_no > first.order_no RETURNING later.order_no
    )
    UPDATE staged_order SET reason = %(twice)s FROM refused WHERE staged_order.order_no = refused.order_no
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
    INSERT INTO customers_order (
        id, kind, external_id, customer_id, placed_at, store, currency, amount, discount, rate, refund_of_id, refunded_order,
        is_whole, attributes
    )
    SELECT pk, kind, external_id, owner, placed_at, store, currency, amount, discount, rate, refund_of, refunded_order, is_whole,
           coalesce(attributes, '{}')
    FROM batch_order WHERE outcome = 'created' ORDER BY pk
    """,
    """
    UPDATE batch_order new SET outcome = 'updated'
    FROM customers_order known
    WHERE known.id = pk AND outcome = 'unchanged' AND (
        (known.placed_at, known.store, known.currency, known.amount, known.discount, known.rate, known.refund_of_id,
         known.refunded_order, known.is_whole, known.attributes)
        IS DISTINCT FROM
        (new.placed_at, new.store, new.currency, new.amount, new.discount, new.rate, new.refund_of,
         new.refunded_order, new.is_whole, known.attributes || coalesce(new.attributes, '{}'))
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
        placed_at = new.placed_at, store = new.store, currency = new.currency,
        amount = new.amount, discount = new.discount, rate = new.rate, refund_of_id = new.refund_of,
        refunded_order = new.refunded_order, is_whole = new.is_whole, updated_at = now(),
        refunded = least(customers_order.refunded, greatest(new.amount, 0)),
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
    UPDATE customers_order refund SET
        refund_of_id = original.id, amount = CASE WHEN refund.is_whole THEN -original.amount ELSE refund.amount END
    FROM customers_order original JOIN batch_order ON pk = original.id
    WHERE outcome = 'created' AND original.kind = '{ORDER}' AND refund.customer_id = original.customer_id
      AND refund.refunded_order <> '' AND refund.refund_of_id IS NULL AND refund.refunded_order = original.external_id
      AND {_SAME_STORE}
    """,
    """
    CREATE TEMP TABLE refunded_order ON COMMIT DROP AS
    SELECT refund_of AS id FROM batch_order WHERE refund_of IS NOT NULL AND outcome <> 'unchanged'
    UNION
    SELECT refund_of_id FROM customers_order refund JOIN batch_order ON pk = refund.refund_of_id WHERE outcome <> 'unchanged'
    """,
    *lower_sql("SELECT id FROM refunded_order"),
    f"""
    INSERT INTO customers_interaction (customer_id, type, occurred_at, properties)
    SELECT owner, CASE kind WHEN '{ORDER}' THEN '{types.ORDER_PLACED}' WHEN '{Order.Kind.CANCELLATION}' THEN '{types.ORDER_CANCELLED}'
                  ELSE '{types.ORDER_REFUNDED}' END,
           placed_at, jsonb_build_object(
               'order', CASE kind WHEN '{ORDER}' THEN external_id ELSE refunded_order END, 'amount', abs(amount)::text,
               'products', coalesce(products, '[]'), 'categories', coalesce(categories, '[]')
           )
           || CASE WHEN kind = '{ORDER}' OR rate IS NULL THEN '{{}}'
              ELSE jsonb_build_object('net', abs(round(amount * rate, 2))::text) END
           || CASE WHEN store = '' THEN '{{}}' ELSE jsonb_build_object('store', store) END
           || CASE WHEN currency = %(site_currency)s THEN '{{}}' ELSE jsonb_build_object('currency', currency) END
    FROM batch_order LEFT JOIN (
        SELECT order_id, to_jsonb((array_agg(title ORDER BY position))[1:20]) AS products,
               to_jsonb((array_agg(DISTINCT category) FILTER (WHERE category <> ''))[1:20]) AS categories
        FROM batch_line WHERE outcome = 'created' GROUP BY order_id
    ) bought ON bought.order_id = pk
    WHERE outcome = 'created' ORDER BY order_no
    """,
    f"""
    {outbox.INSERT_SQL}
    SELECT '{types.ORDERS_RECORDED}', '', NULL, jsonb_build_object('order_ids', jsonb_agg(pk ORDER BY pk))
    FROM (
        SELECT pk, (row_number() OVER (ORDER BY pk) - 1) / 1000 AS chunk
        FROM (SELECT pk FROM batch_order WHERE outcome <> 'unchanged' UNION SELECT id FROM refunded_order) changed
    ) written
    GROUP BY chunk ORDER BY chunk
    """,
    """
    UPDATE customers_customer SET from_browser = false WHERE id = ANY(ARRAY(
        SELECT id FROM customers_customer WHERE from_browser AND id IN (SELECT owner FROM batch_order) ORDER BY id FOR NO KEY UPDATE
    ))
    """,
    "INSERT INTO order_result SELECT order_no, outcome, pk FROM batch_order",
]

TOUCHED_CUSTOMERS = "SELECT DISTINCT owner FROM batch_order WHERE outcome <> 'unchanged'"

# a refund that the row of its order speaks of is no row of its own
COUNT = "SELECT outcome, count(*) FROM batch_order WHERE refund_of IS NULL OR external_id <> refunded_order GROUP BY outcome"

RESULTS = f"""
    SELECT line, coalesce(outcome, 'failed'), pk, coalesce(reason, '')
    FROM staged_order LEFT JOIN order_result USING (order_no) ORDER BY kind = '{ORDER}'
"""

REFUSED_LINES = """
    SELECT line, min(reason) FROM (
        SELECT line, reason FROM refused_line WHERE line > %(after)s
        UNION ALL
        SELECT ordered_line.line, reason FROM ordered_line JOIN staged_order USING (order_no)
        WHERE reason IS NOT NULL AND ordered_line.line > %(after)s
    ) refused
    GROUP BY line ORDER BY line LIMIT %(limit)s
"""
