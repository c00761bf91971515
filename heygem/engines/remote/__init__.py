"""The engine that lets a face2face service elsewhere make the take: see docs/remote.md."""
