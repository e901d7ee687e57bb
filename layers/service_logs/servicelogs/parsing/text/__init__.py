"""Formats of lines with columns: how they are declared, compiled and read."""
