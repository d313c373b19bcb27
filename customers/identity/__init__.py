"""Names that lead to customers, likely duplicates, and merging them."""

from customers.identity.changes import (
    LOCK_BATCHES,
    add_external_ids,
    emit_changed,
    mark_known,
    note_saved,
    release_emails,
    save_identities,
)
from customers.identity.customer_foreign_keys import before_merge, prefer, refuse_when
from customers.identity.duplicates import dismiss, find_duplicates
from customers.identity.merging import CHOOSABLE, NotMerged, merge, survivor_of, undo
from customers.identity.resolve import (
    Kind,
    Name,
    find,
    find_by_identity,
    find_one,
    owners_sql,
    unknown,
)
