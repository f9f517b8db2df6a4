"""How much of a program an edit changed, and how much of what it added is scaffolding: trees, not lines."""
