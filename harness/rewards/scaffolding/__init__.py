"""What an edit put up around its change and nobody needs: unused files and helpers, wrappers, factories, flags."""
