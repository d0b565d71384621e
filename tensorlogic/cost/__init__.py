"""What programs cost before they run: operations, bytes moved, memory, parameters, as formulas over their sizes. Never imports torch."""
