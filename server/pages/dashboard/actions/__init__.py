"""What people do with a model, and the page that asks whether."""
