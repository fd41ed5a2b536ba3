"""The rows of the backtest: ways to choose an audience."""

from enum import StrEnum


class CampaignRow(StrEnum):
    """A way to score users for an offer."""

    CAMPAIGN = "campaign"
    ACTIVITY_SHARE = "activity_x_share"
    RANKER = "ranker"
    ACTIVITY = "activity"
    COUNT = "count"
    DECAYED_COUNT = "decayed_count"
    BOOSTING = "lightgbm"
    OWN_BOOSTING = "own_lightgbm"
    OWN_LOGISTIC = "own_logistic"

    @property
    def heading(self) -> str:
        """Title in tables."""
        return TITLES[self]

    @classmethod
    def of_single_offers(cls) -> tuple["CampaignRow", ...]:
        """Rows with a model for each offer."""
        return cls.OWN_BOOSTING, cls.OWN_LOGISTIC

    @classmethod
    def of_all_offers(cls) -> tuple["CampaignRow", ...]:
        """Rows that score any offer of a task."""
        return tuple(row for row in cls if row not in cls.of_single_offers())

    @classmethod
    def with_chances(cls) -> tuple["CampaignRow", ...]:
        """Rows that say how many buyers they expect."""
        return cls.CAMPAIGN, cls.ACTIVITY_SHARE, cls.BOOSTING


TITLES = {
    CampaignRow.CAMPAIGN: "campaign score (one head for all tasks)",
    CampaignRow.ACTIVITY_SHARE: "activity x the ranker's share",
    CampaignRow.RANKER: "augmented model alone",
    CampaignRow.ACTIVITY: "activity alone",
    CampaignRow.COUNT: "count of past purchases of the offer",
    CampaignRow.DECAYED_COUNT: "decayed count, activity breaks ties",
    CampaignRow.BOOSTING: "LightGBM of the task",
    CampaignRow.OWN_BOOSTING: "LightGBM made for the campaign",
    CampaignRow.OWN_LOGISTIC: "logistic regression made for the campaign",
}
