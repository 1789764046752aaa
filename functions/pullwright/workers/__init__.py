"""Workers: the named recipes that say what starts a session, what it runs and what it may do.

`definition` and `collection` read what repositories write; `events`, `patterns` and `routing` decide which
worker a delivery starts. The webhook imports only the latter, which need nothing but Python's own library.
"""
