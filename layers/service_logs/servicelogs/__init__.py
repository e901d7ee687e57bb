"""Moves the logs that AWS services write to where people search them."""
