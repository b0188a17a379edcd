"""What a person or a script reads: terminal and JSON."""
