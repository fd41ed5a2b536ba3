"""The bags that a view sees, label by label."""

from offerbench.batching.prepared import PreparedData


def bags_of(data: PreparedData, view: int) -> dict[str, dict[int, float]]:
    """Weight of each label of each user feature's bag; 1 where bags have no weights."""
    bags = {}
    for name, store in data.bags.items():
        places = range(store.start[view], store.start[view] + store.length[view])
        weights = [1.0 if store.weights is None else float(store.weights[place]) for place in places]
        bags[name] = dict(zip(store.values[places].tolist(), weights, strict=True))
    return bags
