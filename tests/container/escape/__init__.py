"""What a hostile agent tries: harmless attempts, each of which has to fail.

An attempt is a command for `sh`. By convention it **exits with 0 only if it got what it wanted**, so a list
of names and commands is the whole corpus of a theme, and one rule judges all: no attempt exits with 0, and no
secret is in anything that one printed. Attempts look at nothing but the task's own processes and files, and
reach nothing but this machine's loopback interface.
"""
