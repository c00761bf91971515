"""How good a result is: measures on landmarks, pictures and sound, each small and independent of any engine."""
