"""Limits of this machine, and other machines in its place or beside it: they change the time of a run.

They change no number, but for replicas, whose sums are rounded in another order.
"""

from pydantic import Field

from offerbench.core.section import Count, Section

DIRECTORY = r"^([a-z][a-z0-9+.-]*://[^\x00-\x20*?\[\]{}:\\/@]*(:[0-9]{1,5})?/)?[^\x00-\x1f*?\[\]{}:\\]+$"
"""A path, or a URL without user and password."""


class Spark(Section):
    """A Spark cluster for data, scores, the backtest and replicas; results are the same bytes."""

    master: str = Field(min_length=1, max_length=1_000, pattern=r"^[^\x00-\x20]+$")
    """As Spark writes it: `local[2]`, `spark://host:7077`, `yarn`, `k8s://https://host:6443`."""
    work_directory: str = Field(min_length=1, max_length=1_000, pattern=DIRECTORY)
    """A directory that all machines see under this name, or, for `prepare`, a URL such as
    `s3://bucket/offerbench` or `hdfs://host:8020/offerbench`; emptied at the end. They must see the raw files
    too, and from `evaluate` on the whole checkout."""
    users_per_shard: Count
    """So many users are a task: their histories are built, or they are scored."""
    conf: dict[str, str]
    """Spark's own settings, such as `spark.executor.memory`; may be empty."""


class Resources(Section):
    """Where and within which limits stages run; none is rerun when they change."""

    memory_limit: str = Field(pattern=r"^[1-9][0-9]{0,5}(MB|GB)$")
    """Memory that DuckDB may take before it spills to disk; on Spark, in each task that reads a file."""
    spill_directory: str = Field(min_length=1, max_length=1_000, pattern=r"^[^\x00-\x1f]+$")
    """Directory of DuckDB's temporary files; emptied at the end."""
    events_per_chunk: Count
    """Events whose histories are built at a time."""
    spark: Spark | None = None
    """Null: this machine does it all."""
    replicas: int = Field(default=1, ge=1, le=1_024)
    """Processes that share each training of a ranker: on this machine, on those that TF_CONFIG names, or as
    tasks of `spark`. Losses are those of one process to 1e-5, and have the same bits for the same number."""
