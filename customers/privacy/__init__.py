"""What is held on one person: handed out, erased, and forgotten in time."""
