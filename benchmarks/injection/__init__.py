"""How the injection guard is trained and judged: its texts, its training, its figures."""
