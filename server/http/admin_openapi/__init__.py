"""The admin API's own OpenAPI document, out of one table of its routes."""
