"""Removes a deployment, or old sessions of one: what there is, in which order it goes, and what stays."""
