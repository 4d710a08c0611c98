"""Tables as users bring them, read and joined."""
