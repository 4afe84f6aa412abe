"""What passes between a worker and others: frames, control messages, its status page.

The one part of `worker` that others import.
"""
