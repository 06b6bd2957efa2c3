"""How a tenant ends, as pages: scheduled, undone, followed and certified."""
