"""What commands print: for people in a terminal, and for programs."""
