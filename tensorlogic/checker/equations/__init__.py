"""Tensor equations `Y[i, k] = A[i, j] B[j, k]`: from syntax to operations of the IR.

tree, build     the right side as a tree of sums, products, references and functions
names, items    which names are indices; what stands in brackets
ranges          how many places each index has
scopes          where each index that is not on the left is summed
references      a tensor at indices as a value: places, diagonals, windows, gathers
contract        sums of products, pair by pair; order: which pair comes next; convolution: pairs that are one
values          the value of a tree
solve           the value of a whole right side
statement       what an equation defines, changes or accumulates
left, store     the places that a left side means, and writing to them; grouping: neighbours that come together
fixpoint        equations that read what they write
together        which recurrences need each other, and in which order equations are checked
firsts          the states that a recurrence begins with
recurrence      its steps, and what they read of each other
scan, ahead     the function of one turn, and what is worked out before all of them
"""
