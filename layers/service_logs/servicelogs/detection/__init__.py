"""Which log type something is: the only room that answers."""
