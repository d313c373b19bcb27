"""Personal data: where it is, exporting it, erasing it, and deleting it when it is old."""

from customers.privacy.data_subject import DataSubject
from customers.privacy.erasure import erase, finish
from customers.privacy.personal_data_registry import (
    PersonalTable,
    export,
    masked,
    personal_tables,
    rows_mentioning,
    rows_of,
)
from customers.privacy.personal_data_registry import register as register_tables
from customers.privacy.retention import apply as apply_retention
from customers.privacy.retention import register as register_retention
from customers.privacy.tables import TABLES
