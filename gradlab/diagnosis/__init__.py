"""Which known defect explains what an implementation did: models of defects, compared with what it returned."""
