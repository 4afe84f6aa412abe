"""From a request's path to its answer: from a worker, from all models, or from the daemon."""
