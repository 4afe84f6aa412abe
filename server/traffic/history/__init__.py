"""Traffic, minute by minute: kept, written to the registry, and asked for."""
