"""How the shapes are drawn: random numbers, outlines, surfaces, pictures. `course_utils.data.shapes` puts them to use.

Every number is the same on every machine. The random bits come from PCG64, whose stream NumPy promises never to change,
and nothing but integers and the exactly rounded operations (+ − × ÷ √ floor) is computed from them: `sin`, `exp`, sums
over an axis and matrix products differ in the last bit from one processor to the next.
"""
