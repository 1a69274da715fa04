"""`make bench`: all benchmarks, one after the other, on this machine."""

from benchmarks import grading

if __name__ == "__main__":
    grading.main()
