"""Sound layers in styles of their own: no check may reject them."""
