"""The demo: one labelled issue becomes a pull request on the local stack, watched from the terminal."""
