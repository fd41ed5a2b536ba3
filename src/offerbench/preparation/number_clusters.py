"""One-dimensional k-means over numbers, such as prices, on their histogram."""

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits


def draw_sample(
    counts: npt.NDArray[np.int64], size: int, generator: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Draw at most `size` of the counted items without replacement; memory is that of the histogram.

    Parameters
    ----------
    counts : int64, shape (numbers,)
        How many items have each number.
    size : int
        Items to draw.
    generator : numpy.random.Generator
        Source of the draw.

    Returns
    -------
    int64, shape (numbers,)
        How many of each were drawn.
    """
    if counts.sum() <= size:
        return counts
    return generator.multivariate_hypergeometric(counts, size, method="marginals").astype(np.int64)


def fit_centres(
    numbers: npt.NDArray[np.float64], weights: npt.NDArray[np.int64], clusters: int, seed: int
) -> npt.NDArray[np.float64]:
    """Fit k-means to weighted distinct numbers: the same objective as on the repeated numbers.

    Parameters
    ----------
    numbers : float64, shape (numbers,)
        Distinct numbers.
    weights : int64, shape (numbers,)
        How often each is in the sample; 0 leaves a number out.
    clusters : int
        Clusters wanted; fewer when there are fewer distinct numbers.
    seed : int
        Seed of the first centres (k-means++).

    Returns
    -------
    float64, shape (at most clusters,)
        Centres, ascending.
    """
    numbers, weights = numbers[weights > 0], weights[weights > 0]
    if len(numbers) <= clusters:
        return np.sort(numbers)
    model = KMeans(clusters, n_init=1, random_state=seed)
    with threadpool_limits(limits=1):  # partial sums of several threads are added in any order
        model.fit(numbers[:, None], sample_weight=weights)
    return np.sort(model.cluster_centers_[:, 0])


def nearest_centre(
    numbers: npt.NDArray[np.float64], centres: npt.NDArray[np.float64]
) -> npt.NDArray[np.intp]:
    """Index of the centre nearest to each number, the lower one of two equally near.

    Parameters
    ----------
    numbers : float64, shape (numbers,)
        Any numbers.
    centres : float64, shape (clusters,)
        Ascending.
    """
    return np.searchsorted((centres[1:] + centres[:-1]) / 2, numbers, side="left")


def centre_labels(centres: npt.NDArray[np.float64], decimals: int) -> list[str]:
    """Text of each rounded centre; centres that round to the same text are one value."""
    return [f"{centre:.{decimals}f}" for centre in centres]
