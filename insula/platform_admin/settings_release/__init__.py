"""Fields that documents own, given back to hands."""
