"""From a request's body to variables, and from what the author's method returned to an answer's body."""
