"""Where records come from: notifications of objects, objects, and what is in them."""
