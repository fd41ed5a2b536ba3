"""Synthetic logs of the REES46 schema, of any size, with planted structure.

    offerbench synthetic --rows 1000000 --months 3 --seed 7

writes `2019-Oct.csv.gz`, `2019-Nov.csv.gz`, ... into data/raw/synthetic. The same arguments give
the same bytes (with the same NumPy and zlib). Planted is, with its numbers in
`structure.Structure`:

- **Category tree**: some 140 category codes of one to four levels under 15 roots, and categories
  without a code, as in REES46. Their popularity is heavy tailed.
- **Products**: in one category each; popularity within the category is heavy tailed. A product
  has a brand, mostly one of its root's, or none, and a price drawn log-normally around the level of
  its category and its brand.
- **Users**: activity is heavy tailed. A user prefers three categories, the first two under one
  root, has a favourite brand in each, a price level, an eagerness to buy and some regular products.
- **Sessions**: about one category, mostly a preferred one. Each look at a product takes the one of
  a few popular candidates that fits the user's brand and price level best: taste and popularity.
- **Carts and purchases**: a look is some views, perhaps a cart, perhaps a purchase, in this order
  and with less than a minute between them on average. Few purchases go without a cart.
- **Repeat purchases**: a look at a regular product is far more often a purchase.

Time runs in slices of a month that are drawn independently of each other, each from a seed of its
own, so that memory does not grow with the rows (but for some 50 bytes a user).
"""
