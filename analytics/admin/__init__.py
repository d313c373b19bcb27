from analytics.admin.campaign_panel import results
from analytics.admin.cost import CampaignCostAdmin
from analytics.admin.results import CampaignResultsAdmin
from crm.adminkit import panels

__all__ = ["CampaignCostAdmin", "CampaignResultsAdmin"]

panels.register("marketing.campaign", results)
