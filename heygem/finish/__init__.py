"""What is done to the pictures after the mouth: another background, a sharper face, subtitles, a logo."""
