"""Studies: several set-ups of the pipeline, run side by side and tabulated. One file each in studies/."""
