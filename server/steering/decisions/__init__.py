"""What people decided, as the registry has it and the reconciler takes it."""
