"""What people look at: panels declared once, and what each engine of dashboards makes of them."""
