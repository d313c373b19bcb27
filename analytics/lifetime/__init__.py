"""How often customers buy, whether they still do, and what they are worth: BG/NBD and gamma-gamma."""
