"""`make bench`: all benchmarks, one after the other, on this machine."""

import sys

from benchmarks import alexnet, convolution, grading

if __name__ == "__main__":
    grading.main()
    convolution.main(["--quick"] if "--quick" in sys.argv else [])
    alexnet.main([])
