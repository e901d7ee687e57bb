"""Formats whose records are messages of log events: how they are declared, joined and read."""
