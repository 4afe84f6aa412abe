"""What each route of the admin API takes and answers, as its OpenAPI document says."""
