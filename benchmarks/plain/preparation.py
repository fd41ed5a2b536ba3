"""prepare on Complete Journey in the manner of the published system: pandas and scikit-learn.

Text columns are encoded one after the other, prices clustered as they come, and each user's history
is a matrix of date differences, as the published notebook has it.
"""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.cluster import KMeans

from offerbench.preparation.config import Prepare

USERS_PER_FILE = 500


def plain_events(raw_directory: Path) -> pd.DataFrame:
    """Read, join and normalise the two tables: a row for each purchase, in file order."""
    transactions = pd.read_parquet(raw_directory / "transactions.parquet")
    products = pd.read_parquet(raw_directory / "products.parquet")
    transactions = transactions[(transactions["quantity"] > 0) & (transactions["sales_value"] > 0)]
    events = transactions.merge(products, on="product_id", how="inner", sort=False)
    events["price"] = events["sales_value"] / events["quantity"]
    events["day"] = events["transaction_timestamp"].values.astype("datetime64[D]").astype(int)
    for name, column in zip(
        ("category1", "category2", "category3"),
        ("department", "product_category", "product_type"),
        strict=True,
    ):
        text = events[column].fillna("").astype(str).str.lower()
        events[name] = text.str.replace("[^a-z0-9]+", "_", regex=True).str.strip("_")
    events["brand"] = events["manufacturer_id"].astype(str)
    events["product_id"] = events["product_id"].astype(str)
    events["user"] = events["household_id"]
    return events


def plain_labels(column: pd.Series, prepare: Prepare) -> np.ndarray:
    """Label of each row by the vocabulary of its column."""
    counts = column.value_counts()
    buckets = prepare.vocabulary.out_of_vocabulary_buckets
    known = [value for value in counts.index if counts[value] >= prepare.vocabulary.min_occurrences]
    known = sorted(known, key=lambda value: (-counts[value], value))
    labels = {value: buckets + rank for rank, value in enumerate(known)}
    for value in counts.index:
        if value not in labels:
            digest = hashlib.md5(value.encode(), usedforsecurity=False).digest()
            labels[value] = int.from_bytes(digest[:8], "big") % buckets
    return column.map(labels).to_numpy().astype(np.int32)


def plain_price_clusters(prices: pd.Series, prepare: Prepare) -> pd.Series:
    """Label of the cluster of each row's price; ten starts, scikit-learn's default of the time."""
    parameters = prepare.clusters["price_cluster"]
    sample = prices.sample(min(parameters.sample, len(prices)), random_state=43)
    model = KMeans(parameters.clusters, n_init=10, random_state=parameters.seed)
    model.fit(sample.to_numpy()[:, None])
    labels = np.array([f"{centre:.{parameters.decimals}f}" for centre in model.cluster_centers_[:, 0]])
    return pd.Series(labels[model.predict(prices.to_numpy()[:, None])])


def plain_histories(events: pd.DataFrame, prepare: Prepare, directory: Path) -> None:
    """Write the values of each event's history, column by column, a file for each group of users."""
    length = prepare.history.length
    features = list(prepare.offer_features)
    users = list(events.groupby("user", sort=True))
    for start in range(0, len(users), USERS_PER_FILE):
        columns: dict[str, list[np.ndarray]] = {name: [] for name in features}
        for _, rows in users[start : start + USERS_PER_FILE]:
            days = rows["day"].to_numpy()
            earlier = days[:, None] - days[None, :] > 0  # (events, events)
            values = {name: rows[name].to_numpy() for name in features}
            for mask in earlier:
                past = np.flatnonzero(mask)
                past = past[:length] if prepare.history.keep == "oldest" else past[-length:]
                for name in features:
                    columns[name].append(values[name][past])
        table = pa.table({name: pa.array(parts) for name, parts in columns.items()})
        pq.write_table(table, directory / f"histories_{start}.parquet")


def plain_prepare(raw_directory: Path, directory: Path, prepare: Prepare) -> pd.DataFrame:
    """Prepare Complete Journey; gives the encoded events, sorted by user and day."""
    events = plain_events(raw_directory)
    events["price_cluster"] = plain_price_clusters(events["price"], prepare)
    for name in prepare.offer_features:
        events[name] = plain_labels(events[name], prepare)
    events = events.sort_values(["user", "day"], kind="stable")
    plain_histories(events, prepare, directory)
    events[["user", "day", *prepare.offer_features]].to_parquet(directory / "events.parquet")
    return events
