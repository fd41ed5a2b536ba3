"""The campaign score of the models that the pipeline trained."""

from offerbench.campaigns.scored_users import CampaignScore
from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import MODELS_DIRECTORY


def load_campaign_score() -> CampaignScore:
    """Load the campaign score.

    Raises
    ------
    OfferbenchError
        If the pipeline has not made it.
    """
    raise OfferbenchError(
        f"{MODELS_DIRECTORY / 'head.json'}: no such file. Run `dvc repro train_head` to make it."
    )
