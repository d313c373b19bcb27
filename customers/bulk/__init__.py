"""Actions on many customers at once: tags, attributes, static segments, exports."""

from customers.bulk.attributes import set_attributes
from customers.bulk.export import FORMATS, TooLong, as_csv
from customers.bulk.jobs import NotPossible, start, work
from customers.bulk.tags import add as add_tags
from customers.bulk.tags import remove as remove_tags
