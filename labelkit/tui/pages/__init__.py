"""The pages of the screen: each draws itself for a size and acts on keys. No terminal in here."""
