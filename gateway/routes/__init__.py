"""From a request's path to whoever answers it: a worker, all models, the daemon."""
