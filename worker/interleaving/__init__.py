"""Whether the requests of a class may interleave: what its code keeps from one to the next."""
