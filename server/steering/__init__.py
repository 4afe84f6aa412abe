"""What people decide over what is live: read from the registry, changed by actions, and told in the ledger."""
