"""One model: what is live, what is on its way, what failed, its versions and runs, and what can be done."""
