"""The daemon's own HTTP: the admin API, the webhook, and who may use them."""
