"""SQL text from names and values, as `hub.quoting` makes it: the only ways anything enters here."""

from hub.quoting import identifier, literal, literals

__all__ = ["identifier", "literal", "literals"]
