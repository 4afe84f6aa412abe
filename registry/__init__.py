"""The durable record: what must outlast a restart and cannot be recomputed from git."""
