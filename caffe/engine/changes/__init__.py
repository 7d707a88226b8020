"""Running what has changed: windows of layers, and what is known of each blob between runs."""
