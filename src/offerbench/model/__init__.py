"""The two-tower model and its training. TensorFlow is imported in this package alone."""

import os

# Keras reads both when TensorFlow is imported, which is after this. A user's may name what is not installed,
# and other backends than TensorFlow don't train its variables.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.pop("TF_USE_LEGACY_KERAS", None)
