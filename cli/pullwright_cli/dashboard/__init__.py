"""The pages of `pullwright dashboard`: what the commands print, for people who would rather look."""
