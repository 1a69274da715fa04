"""How training works, one idea a file; `course_utils.train` is what others import. It needs NumPy and PyTorch."""
