"""Wav2Lip (Prajwal et al. 2020) as an engine, for weights that the user brings."""
