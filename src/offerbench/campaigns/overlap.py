"""How many users several audiences have in common: a table, and a picture."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # before pyplot: no window system is asked for

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn
from scipy import sparse

from offerbench.campaigns.scored_users import Users

INCHES_PER_CAMPAIGN = 0.8
INCHES_PER_LETTER = 0.09  # of the names of the campaigns
INCHES_AROUND = (1.6, 1.4)


def overlap(names: Sequence[str], audiences: Sequence[Users]) -> pd.DataFrame:
    """Count the users that each two audiences have in common.

    Parameters
    ----------
    names : sequence of str
        Of the campaigns.
    audiences : sequence of int64, shape (users of the campaign,)
        Their users, each once.

    Returns
    -------
    DataFrame
        int64, a row and a column for each campaign; on the diagonal the sizes.
    """
    users = np.concatenate(audiences)
    _, places = np.unique(users, return_inverse=True)
    rows = np.repeat(np.arange(len(names)), [len(audience) for audience in audiences])
    shape = (len(names), int(places.max(initial=-1)) + 1)
    matrix = sparse.csr_array((np.ones(len(rows), np.int64), (rows, places)), shape)
    return pd.DataFrame((matrix @ matrix.T).toarray(), index=list(names), columns=list(names))


def shares(counts: pd.DataFrame) -> pd.DataFrame:
    """Share of the row's audience that is in the column's too; 0 for an empty one."""
    sizes = np.maximum(np.diag(counts), 1)
    return counts.div(sizes, axis=0)


def draw_overlap(wanted: pd.DataFrame, planned: pd.DataFrame, target: Path) -> None:
    """Draw the overlap of the audiences that campaigns want and of those that they get, as a PNG.

    Parameters
    ----------
    wanted, planned : DataFrame
        From `overlap`.
    target : Path
        The PNG file to write; it has no time stamp.
    """
    letters = max(len(str(name)) for name in wanted.index)
    width = INCHES_AROUND[0] + INCHES_PER_LETTER * letters + 2 * INCHES_PER_CAMPAIGN * len(wanted)
    height = INCHES_AROUND[1] + INCHES_PER_LETTER * letters + INCHES_PER_CAMPAIGN * len(wanted)
    figure, axes = plt.subplots(1, 2, figsize=(width, height), sharey=True, layout="constrained")
    titles = ("the best users of each", "in the plan")
    for axis, counts, title in zip(axes, (wanted, planned), titles, strict=True):
        seaborn.heatmap(
            shares(counts),
            annot=shares(counts).map("{:.0%}".format) + "\n" + counts.map("{:,}".format),
            fmt="",
            annot_kws={"fontsize": 7.5, "color": "#000000"},
            cmap=seaborn.light_palette("#1f9e89", as_cmap=True),
            vmin=0,
            vmax=1,
            linewidths=0.5,
            cbar=False,
            square=True,
            ax=axis,
        )
        axis.set(title=title, xlabel="", ylabel="")
        axis.tick_params(length=0)
        plt.setp(axis.get_xticklabels(), rotation=35, ha="right", rotation_mode="anchor")
        plt.setp(axis.get_yticklabels(), rotation=0)
    figure.suptitle("Share of the row's audience that is in the column's too", fontsize=10)
    figure.savefig(target, format="png", dpi=110, metadata={"Software": None})
    plt.close(figure)
