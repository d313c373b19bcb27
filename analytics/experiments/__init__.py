"""Which variant was better, by how much, and how sure that is."""
