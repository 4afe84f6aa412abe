"""Whether rows stay apart on their way through a graph, so that calls may be merged."""
