"""Can one model serve every kind of campaign, and whom do I send this one to.

The public names are below; they are imported when they are first used, since TensorFlow takes seconds.
"""

import sys
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from offerbench.core.errors import OfferbenchError
    from offerbench.core.rows import Role, Row, table_rows
    from offerbench.evaluation.auc import auc_by_offer
    from offerbench.evaluation.wauc import wauc
    from offerbench.features.offers import OfferTable, group_offers
    from offerbench.model.ranker import Ranker
    from offerbench.model.saved_model import load_model, save_model
    from offerbench.parameters import Parameters, load_parameters
    from offerbench.preparation.prepare import prepare_dataset
    from offerbench.preparation.prepared import PreparedData, load_prepared
    from offerbench.scorers.contexts import Contexts
    from offerbench.scorers.pairs import TaskPairs
    from offerbench.scorers.scorer import Scorer

if sys.platform == "win32":
    raise SystemExit(
        "error: offerbench does not run on Windows itself. Install WSL (`wsl --install`), clone it there, "
        "and run it there."
    )

__version__ = version("offerbench")

_MODULES = {
    "OfferbenchError": "core.errors",
    "Role": "core.rows",
    "Row": "core.rows",
    "table_rows": "core.rows",
    "auc_by_offer": "evaluation.auc",
    "wauc": "evaluation.wauc",
    "OfferTable": "features.offers",
    "group_offers": "features.offers",
    "Ranker": "model.ranker",
    "load_model": "model.saved_model",
    "save_model": "model.saved_model",
    "Parameters": "parameters",
    "load_parameters": "parameters",
    "prepare_dataset": "preparation.prepare",
    "PreparedData": "preparation.prepared",
    "load_prepared": "preparation.prepared",
    "Contexts": "scorers.contexts",
    "TaskPairs": "scorers.pairs",
    "Scorer": "scorers.scorer",
}

__all__ = [
    "Contexts",
    "OfferTable",
    "OfferbenchError",
    "Parameters",
    "PreparedData",
    "Ranker",
    "Role",
    "Row",
    "Scorer",
    "TaskPairs",
    "__version__",
    "auc_by_offer",
    "group_offers",
    "load_model",
    "load_parameters",
    "load_prepared",
    "prepare_dataset",
    "save_model",
    "table_rows",
    "wauc",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is asked for."""
    if name not in _MODULES:
        raise AttributeError(f"module 'offerbench' has no attribute '{name}'")
    return getattr(import_module(f"offerbench.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
