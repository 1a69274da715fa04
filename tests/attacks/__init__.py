"""Attacks: submissions that try to gain points, learn a secret, harm the host or another student; what each must get.

Every attack is bounded by itself (count, size, seconds; network to loopback alone), so that a hole in the sandbox fails
a test and not the machine. A file for each topic lists `ATTACKS`; `ground` is the place that is attacked, `harness`
grades a class of attackers there and collects the evidence, `compare` writes docs/attacks.md.
"""
