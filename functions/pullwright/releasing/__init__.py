"""Releasing CI that was held: by a person who may write, for the work that this person has seen."""
