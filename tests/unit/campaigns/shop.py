"""The attributes of a small shop, and their labels: three buckets of rare values come first."""

from offerbench.campaigns.attributes import Attribute, Attributes

FIRST = 3
BRANDS = ("", "own label", "l'eau", 'the "best"', "69", "übermarke")
PRICES = ("", "0.99", "2.00", "2.50", "-1.00", "100.00")
PRODUCTS = tuple(str(1000 + number) for number in range(8))


def attribute(name: str, values: tuple[str, ...]) -> Attribute:
    labels = {value: FIRST + place for place, value in enumerate(values)}
    return Attribute(name, FIRST + len(values), labels)


SHOP = Attributes(
    {
        "product_id": attribute("product_id", PRODUCTS),
        "brand": attribute("brand", BRANDS),
        "price_cluster": attribute("price_cluster", PRICES),
    }
)
