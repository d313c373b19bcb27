"""The one way in for customers, products, orders and what customers do: as rows, or as files."""

from customers.ingest.beginnings import (
    ask_for_beginning,
    beginning,
    forget_beginning,
    read_beginning,
)
from customers.ingest.consent_columns import (
    NO_OPT_IN,
    UNANSWERED,
    ConsentAnswers,
    ConsentQuestion,
    consent_question,
    opt_out_field,
    refuse_opt_ins,
)
from customers.ingest.customer_rows import (
    clean_interest,
    clean_service,
    clean_visit,
    record_interests,
    record_service,
    record_visits,
)
from customers.ingest.exchange_rates import clean_rate, write_rates
from customers.ingest.fields import (
    ATTRIBUTE,
    CONSENT,
    CUSTOMER,
    EXCHANGE_RATE,
    LEFT_OUT,
    OF_CUSTOMER,
    PRODUCT,
    REFUSES,
    Code,
    Field,
    Refused,
    Text,
    UnclearDates,
    clean_fields,
)
from customers.ingest.file_types import (
    FILE_TYPES,
    FileType,
    file_type,
    file_type_choices,
    file_type_names,
    register_file_types,
)
from customers.ingest.files import (
    AS_DETECTED,
    DATES,
    DECIMAL_SIGNS,
    DELIMITERS,
    ENCODINGS,
    Reading,
    Sample,
    SlowFile,
    UnreadableFile,
    open_table,
    reading_of,
    sample,
)
from customers.ingest.jobs import (
    PREVIEWED_ROWS,
    import_file,
    preview_file,
    queue_import,
    queue_unread_import,
)
from customers.ingest.known_exports import EXPORTED_ID
from customers.ingest.load import Loaded, RejectedRows, Source, by_batches, load_file
from customers.ingest.orders import (
    Line,
    OrderResult,
    SameRefund,
    clean_lines,
    record_refund,
    staging,
    write_orders,
)
from customers.ingest.products import clean_product, upsert_products
from customers.ingest.upsert import (
    CALL,
    Outcome,
    Result,
    Row,
    change_customer,
    clean_customer,
    upsert_customers,
)
