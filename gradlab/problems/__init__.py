"""Problems to solve: the objective, one instance of it, the named families and the Hypothesis strategies."""
