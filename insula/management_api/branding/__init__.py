"""A tenant's images: uploaded, listed, taken away."""
