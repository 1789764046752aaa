"""What the stand-ins of web services have in common; `README.md` beside this folder lists the modules."""
