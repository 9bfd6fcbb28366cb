"""Several trainings in one run, each starting from the checkpoint that an earlier one chose."""
