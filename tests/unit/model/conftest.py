"""Every test here uses TensorFlow, set up as the stages do."""

import pytest


@pytest.fixture(autouse=True)
def tensorflow(configured_tensorflow: None) -> None:
    """Use the set-up."""
