"""What is told of the versions of models: their history, how two of them differ, and what was live when."""
