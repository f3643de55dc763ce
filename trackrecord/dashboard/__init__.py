"""The pages under /-/ui/: they show what the public API answers, and nothing else."""
