"""The agent's image: built from a checkout, kept in a registry, and which of them a tag means."""
