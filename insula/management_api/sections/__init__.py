"""What a tenant decides for itself: sections, explanations, versions, import and export."""
