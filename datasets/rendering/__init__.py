"""How a miniature gets onto the disk: workers that draw it, a lock, and a safe replacement."""
