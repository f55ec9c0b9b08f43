"""Stands in for torchaudio, which LLaMA-Factory imports at the top and text never touches."""
