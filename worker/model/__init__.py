"""The author's folder, loaded: its class, its method, what they may raise."""
