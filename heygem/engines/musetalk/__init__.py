"""MuseTalk (Zhang et al. 2024) with the user's own weights: the lower face is made anew, for what Whisper hears."""
