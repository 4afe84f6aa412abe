"""The OpenAPI document of the models that are live; the admin API's own is made in `server/http/admin_openapi/`."""
