"""Formats of JSON records: how they are declared, cut and read."""
