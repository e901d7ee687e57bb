"""How fast records go from a compressed object to a bulk body (`make bench`)."""
