"""Maps and plots for paper."""
