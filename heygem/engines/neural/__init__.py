"""What engines with networks share: where to compute, which square of a frame a network sees, and how its answer is put
back into the frame."""
