"""Actions on many customers at once: tags, static segments, exports."""

from customers.bulk.export import FORMATS, TooLong, as_csv
from customers.bulk.jobs import NotPossible, start, work
