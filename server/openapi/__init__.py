"""The OpenAPI document of what is live."""
