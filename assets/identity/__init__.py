"""Who is who: identifier keys resolved to subject keys."""
