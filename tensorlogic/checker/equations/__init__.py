"""Tensor equations `Y[i, k] = A[i, j] B[j, k]`: from syntax to operations of the IR.

tree, build     the right side as a tree of sums, products, references and functions; which names are indices
ranges          how many places each index has
scopes          where each index that is not on the left is summed
references      a tensor at indices as a value: places, diagonals, windows, gathers
contract        sums of products, pair by pair
values          the value of a tree
solve           the value of a whole right side
statement       what an equation defines, changes or accumulates
recurrence      `H[t + 1, i] = ...`, and equations that run to a fixpoint
"""
