"""A model's versions, how two of them differ, what was live when, and what its workers print."""
