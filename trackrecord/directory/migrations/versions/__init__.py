"""One file for each step, named by its revision; schema.REVISIONS lists them in order."""
