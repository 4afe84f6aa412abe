"""Which release a name, a rollback or a run stands for."""
