"""What gateways counted, summed and exposed."""
