"""The timeline: everything that happened to customers, appended, read, followed and published here.

Names of events are in customers.timeline.types.
"""

from customers.timeline.append import NewInteraction, append_sql, record_interactions
from customers.timeline.feed import SOURCE, Row, follows, follows_ranges
from customers.timeline.labels import of_type as label_of_type
from customers.timeline.publish import publish_customers, publish_rows
from customers.timeline.read import KINDS, name_campaigns_by, read_page
