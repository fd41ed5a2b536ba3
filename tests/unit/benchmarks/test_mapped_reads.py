"""What is mapped is found, may be forgotten, and is read again as it was."""

import numpy as np
import pytest
from benchmarks.mapped_reads import Mapped, epoch_share, memory

from offerbench.core.errors import OfferbenchError
from offerbench.parameters import Parameters
from offerbench.preparation.prepared import load_prepared

from ..conftest import TinyData
from ..parameters import COMPLETE


def test_all_files_are_found_where_they_are_mapped(tiny_data: TinyData) -> None:
    files = list(tiny_data.directory.glob("*.arrow"))
    data = load_prepared(tiny_data.directory)  # keeps the mappings
    mapped = Mapped(tiny_data.directory)
    assert len(list(mapped._ranges())) >= len(files) > 10
    assert sum(length for _, length in mapped._ranges()) >= sum(file.stat().st_size for file in files)
    assert mapped.size == sum(file.stat().st_size for file in tiny_data.directory.iterdir())
    assert len(data.events["day"]) > 0


def test_what_is_forgotten_is_read_again(tiny_data: TinyData) -> None:
    data, mapped = load_prepared(tiny_data.directory), Mapped(tiny_data.directory)
    before = {name: values.copy() for name, values in data.events.items()}
    mapped.forget()
    for name, values in data.events.items():
        np.testing.assert_array_equal(values, before[name])
    assert 0 <= epoch_share(mapped, data, Parameters.model_validate(COMPLETE)) < 10


def test_advice_that_the_system_does_not_know_is_refused(tiny_data: TinyData) -> None:
    data = load_prepared(tiny_data.directory)
    with pytest.raises(OfferbenchError, match=r"madvise\(12345\) failed"):
        Mapped(tiny_data.directory).advise(12345)
    assert len(data.events["day"]) > 0


def test_memory_is_in_gigabytes() -> None:
    assert 0.02 < memory()["own"] + memory()["files"] < 100
