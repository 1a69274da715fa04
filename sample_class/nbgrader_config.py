"""The sample class as an nbgrader course of its own, graded against the repository's source notebooks."""

c = get_config()

c.CourseDirectory.course_id = "sample-class"
# Relative to this folder, because nbgrader reads an absolute path here as a regular expression.
c.CourseDirectory.source_directory = "../build/source"
c.CourseDirectory.release_directory = "release"
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", ".*"]
