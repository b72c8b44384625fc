"""A synthetic shop: exports as an online shop makes them, and the best possible prediction."""
