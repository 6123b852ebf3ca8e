"""What changes several apps at once."""
