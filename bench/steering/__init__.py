"""What switching promises, seen under load and under kills."""
