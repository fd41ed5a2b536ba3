"""What a user's environment says of Keras does not change a training."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import offerbench

SOURCE = Path(offerbench.__file__).parent
TRIAL = """
from offerbench.model.config import OptimizerParameters
from offerbench.model.optimizer import make_optimizer
from offerbench.model.training import Curve, tf
variable = tf.Variable([1.0])
for name in ("adamw_tfa", "adamw_keras"):
    optimizer = make_optimizer(OptimizerParameters(name=name, learning_rate=0.1, weight_decay=0.1))
    optimizer.apply_gradients([(tf.constant([1.0]), variable)])
metric = tf.keras.metrics.AUC()
metric.update_state([0.0, 1.0], [0.1, 0.9])
print(round(float(variable[0]), 3), float(metric.result()))
"""


@pytest.mark.parametrize(
    "setting",
    [{"KERAS_BACKEND": "jax", "TF_USE_LEGACY_KERAS": "1"}, {"KERAS_BACKEND": "none"}],
    ids=["both", "no backend"],
)
def test_a_training_takes_no_backend_from_the_environment(setting: dict[str, str]) -> None:
    environment = {**os.environ, **setting}
    words = [sys.executable, "-c", TRIAL]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # Each takes a tenth of the variable and then a learning rate: 1 -> .8 -> .62.
    assert done.stdout.split() == ["0.62", "1.0"]


def test_tensorflow_is_imported_in_one_package() -> None:
    # Its first line sets what Keras reads; elsewhere TensorFlow could be imported before that.
    importing = {
        file.relative_to(SOURCE).parts[0]
        for file in SOURCE.rglob("*.py")
        if re.search(r"^\s*(import|from) (tensorflow|keras)\b", file.read_text(encoding="utf-8"), re.M)
    }
    assert importing == {"model"}
