"""What campaigns cost and what came of them."""

from analytics.admin import campaign_panel, plan_panel
from analytics.admin.cost import CampaignCostAdmin
from analytics.admin.model_run import ModelRunAdmin
from analytics.admin.results import CampaignResultsAdmin
from analytics.admin.shared import SharedDashboardAdmin
from crm.adminkit import panels

__all__ = ["CampaignCostAdmin", "CampaignResultsAdmin", "ModelRunAdmin", "SharedDashboardAdmin"]

panels.register("marketing.campaign", campaign_panel.results)
panels.register("marketing.campaign.before", plan_panel.before)
