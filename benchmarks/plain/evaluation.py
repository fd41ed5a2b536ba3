"""group_test and evaluate in the manner of the published system.

Offers are grouped with pandas; for every task and model both towers run for every event; the AUC
of the offers is `groupby.apply(roc_auc_score)`.
"""

import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.metrics import roc_auc_score

from benchmarks.plain.training import Inputs, distinct_means, plain_batch
from offerbench.model.ranker import Ranker
from offerbench.model.tower import Block

Offers = dict[int, dict[str, tuple[list[int], list[float]]]]


def plain_offers(events: pd.DataFrame, task: str, most_frequent: int) -> Offers:
    """Values and weights of every feature of each offer: {key: {feature: (values, weights)}}."""
    offers: Offers = {}
    for key, rows in events.groupby(task):
        offers[int(key)] = {}
        for feature in events.columns:
            counts = rows[feature].value_counts()
            order = sorted(counts.index, key=lambda value: (-counts[value], value))[:most_frequent]
            weights = counts[order] / counts[order].sum()
            offers[int(key)][feature] = (list(order), list(weights))
    return offers


def _weighted_means(table: tf.Variable, values: tf.RaggedTensor, weights: tf.RaggedTensor) -> tf.Tensor:
    rows = tf.repeat(tf.range(values.nrows(), dtype=tf.int64), values.row_lengths())
    indices = tf.stack([rows, tf.cast(values.values, tf.int64)], axis=1)
    indicator = tf.SparseTensor(indices, weights.values, (values.nrows(), table.shape[0]))
    return tf.sparse.sparse_dense_matmul(indicator, table)


def plain_task_auc(
    model: Ranker,
    task: str,
    offers: Offers,
    group: Inputs,
    events: pd.DataFrame,
    batch_size: int,
    neighbours: int,
) -> pd.DataFrame:
    """AUC and positives of each offer of a task, by its key: columns auc, positives."""
    keys = np.array(list(offers))
    features = list(model.offer_tables)
    values = {name: tf.ragged.constant([offers[key][name][0] for key in keys]) for name in features}
    weights = {name: tf.ragged.constant([offers[key][name][1] for key in keys]) for name in features}
    frames = []
    for start in range(0, len(events), batch_size):
        key_of_event = events[task].to_numpy()[start : start + batch_size]
        offer_of_event = np.searchsorted(keys, key_of_event)
        batch = plain_batch(group, tf.range(start, start + len(key_of_event)))
        users = model.interaction.users(
            [Block(distinct_means(table, batch[name])) for name, table in model.user_tables.items()]
        )
        offer_vectors = model.interaction.offers(
            [
                Block(
                    _weighted_means(
                        table,
                        tf.gather(values[name], offer_of_event),
                        tf.gather(weights[name], offer_of_event),
                    )
                )
                for name, table in model.offer_tables.items()
            ]
        )
        shape = (-1, neighbours, users.shape[-1])
        scores = tf.einsum("bid,bjd->bij", tf.reshape(users, shape), tf.reshape(offer_vectors, shape)).numpy()
        by_group = key_of_event.reshape(-1, neighbours)
        positive = np.broadcast_to(np.eye(neighbours, dtype=bool), scores.shape)
        kept = positive | (by_group[:, :, None] != by_group[:, None, :])
        key_of_pair = np.broadcast_to(by_group[:, None, :], scores.shape)
        frames.append(pd.DataFrame({"key": key_of_pair[kept], "true": positive[kept], "score": scores[kept]}))
    pairs = pd.concat(frames)
    both = pairs.groupby("key")["true"].transform("nunique") == 2
    by_key = pairs[both].groupby("key")
    return pd.DataFrame(
        {
            "auc": by_key[["true", "score"]].apply(lambda rows: roc_auc_score(rows["true"], rows["score"])),
            "positives": by_key["true"].sum(),
        }
    )
