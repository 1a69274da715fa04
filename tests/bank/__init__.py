"""What students really write: for each notebook, correct alternatives and wrong implementations of its exercises."""
