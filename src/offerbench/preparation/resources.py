"""Limits of this machine: they change the time and memory of a run, never a number in it."""

from pydantic import Field

from offerbench.core.section import Count, Section


class Resources(Section):
    """Limits of `prepare`; no stage is rerun when they change."""

    memory_limit: str = Field(pattern=r"^[1-9][0-9]{0,5}(MB|GB)$")
    """Memory that DuckDB may take before it spills to disk."""
    spill_directory: str = Field(min_length=1, max_length=1_000, pattern=r"^[^\x00-\x1f]+$")
    """Directory of DuckDB's temporary files; emptied at the end."""
    events_per_chunk: Count
    """Events whose histories are built at a time."""
