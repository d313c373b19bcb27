"""Check messages before they are sent: errors keep a campaign from starting, warnings do not."""

from marketing.content.checks.finding import Finding
from marketing.content.checks.message import check, unknown_in
