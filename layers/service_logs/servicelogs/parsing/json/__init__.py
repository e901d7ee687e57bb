"""JSON as AWS writes it: cut into raw records."""
