"""The exercises of 01_backprop, one subject per file; `course_utils.checks.backprop` puts them in order."""
