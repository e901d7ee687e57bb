"""Where records come from: the envelopes that announce objects, and the objects themselves."""
