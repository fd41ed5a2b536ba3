"""The results in short: generalists beside the best of everybody else."""

from collections.abc import Sequence

import pandas as pd

from offerbench.core.columns import MODEL, TASK, WAUC
from offerbench.core.rows import CEILINGS, Role, Row
from offerbench.report.tables import wauc_markdown

BEST = {
    Role.YARDSTICK: "best untrained row (counting)",
    Role.PEER: "best peer (LightGBM, item-item, ALS)",
}
SPECIALIST_TITLE = "the task's own specialist (mono)"


def headline_rows(table: pd.DataFrame, rows: Sequence[Row]) -> pd.DataFrame:
    """Keep the generalists, each task's specialist, the best of the yardsticks and peers, and the ceiling.

    Parameters
    ----------
    table : DataFrame
        segment, task, model, wauc, half_width; of one segment.
    rows : sequence of Row
        What each model is there for.

    Returns
    -------
    DataFrame
        The same columns; the model of a cell that others could have had is named by their role.
    """
    role = table[MODEL].map({row.name: row.role for row in rows})
    own = table[MODEL].map({row.name: row.task for row in rows}) == table[TASK]
    parts = [table[role == Role.GENERALIST]]
    specialists = table[(role == Role.SPECIALIST) & own]
    parts.append(specialists.assign(**{MODEL: str(Role.SPECIALIST)}))
    for wanted in BEST:
        of_role = table[(role == wanted) & table[WAUC].notna()]
        best = of_role.loc[of_role.groupby(TASK, sort=False)[WAUC].idxmax()]
        parts.append(best.assign(**{MODEL: str(wanted)}))
    return pd.concat([*parts, table[role == Role.CEILING]], ignore_index=True)


def headline_markdown(table: pd.DataFrame, rows: Sequence[Row], decimals: int) -> str:
    """Tabulate `headline_rows` in Markdown."""
    titles = {row.name: row.title for row in rows} | {str(role): title for role, title in BEST.items()}
    titles[str(Role.SPECIALIST)] = SPECIALIST_TITLE
    return wauc_markdown(headline_rows(table, rows), titles, decimals, frozenset(CEILINGS))
