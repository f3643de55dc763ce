"""How a directory gets from any state it was ever released in to the one in ../tables.py."""
