"""Coverage-guided fuzzing (atheris) of all that reads what strangers send. `make fuzz`; docs/reliability.md says what it found."""
