"""From accepted rows to the lake: identifiers sealed, every version of every record kept."""
