"""Passes from IR to IR: each makes a program faster and leaves what it computes as it is."""
