"""The columns of all events in a process of their own, and the questions that are answered from them: DESIGN.md beside this file."""
