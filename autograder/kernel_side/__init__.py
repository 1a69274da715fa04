"""What runs on the student's side of the wall: the fork server, the kernel, and the judge's hand in it.

It is copied next to `course_utils` into the folder that student kernels import from, and sees nothing of the grader:
it imports the standard library, ipykernel and `course_utils` alone, and knows no secret.
"""
