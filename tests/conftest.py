"""What all tests share: hypothesis draws the same examples in every run; programs with libraries loaded."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from .pipeline.programs import preloaded_programs

# Two workers' threads share the cores: one that waits for another must not keep a core busy with it. Read
# when LightGBM and scikit-learn are loaded, here and in the processes that tests start. It changes no number.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

settings.register_profile("offerbench", derandomize=True, deadline=None, max_examples=60, database=None)
settings.load_profile("offerbench")


@pytest.fixture(scope="session")
def programs() -> Iterator[Path]:
    """A directory with `python`, `dvc`, `offerbench` that have their libraries loaded; see preloaded.py."""
    with preloaded_programs() as directory:
        yield directory
