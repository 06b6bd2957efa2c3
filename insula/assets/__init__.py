"""
Images that a tenant uploads: drawn anew, kept by what is in them, shown on its own host.

Owns    assets
Serves  /img/{digest}
Refuses what is no image of the kinds that are taken, one that is too large, and one whose drawing
        nothing is left of when everything is taken out that an image does not need

    raster  PNG, WebP and ICO, drawn anew
    vector  SVG, written anew from what is allowed
    service adding, keeping and taking away; what settings may refer to
"""
