"""Tracking: opens, clicks, receipts, conversions and consent of messages are recorded; marketing.urls alone imports its views."""

from marketing.tracking.click_filter import process_hits
from marketing.tracking.conversions import count_events, count_orders
from marketing.tracking.double_opt_in import send_requests
from marketing.tracking.engagement import MessageEvent, record
from marketing.tracking.push import token_of
from marketing.tracking.receipts import match_late
from marketing.tracking.simulated_engagement import simulate_engagement
