"""The 360 profile of everyone: what they like, how they answer, what they are worth, and whether they stay."""
