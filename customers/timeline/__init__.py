from customers.timeline.read import KINDS, Page, timeline
from customers.timeline.words import Entry

__all__ = ["KINDS", "Entry", "Page", "timeline"]
