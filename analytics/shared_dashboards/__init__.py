"""Shared dashboards: a dashboard with its filters, public by a signed link."""

from analytics.shared_dashboards.boards import choices, find_board, register, share_url
from analytics.shared_dashboards.links import address, revoke, token
from analytics.shared_dashboards.views import SharedDashboardPage
