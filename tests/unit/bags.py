"""The bags that a history sees, label by label."""

from offerbench.preparation.prepared import PreparedData


def bags_of(data: PreparedData, history: int) -> dict[str, dict[int, float]]:
    """Weight of each label of each user feature's bag; 1 where bags have no weights."""
    bags = {}
    for name, store in data.bags.items():
        places = range(store.start[history], store.start[history] + store.length[history])
        weights = [1.0 if store.weights is None else float(store.weights[place]) for place in places]
        bags[name] = dict(zip(store.values[places].tolist(), weights, strict=True))
    return bags
