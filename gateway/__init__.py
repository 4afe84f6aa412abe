"""The data plane: a process that accepts HTTP and passes requests to workers."""
