"""The model beside its peers, on the same features and the same splits of seven tasks."""
