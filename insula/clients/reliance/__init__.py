"""How many applications rely on something that a tenant may switch off, or demand (BEY-3)."""
