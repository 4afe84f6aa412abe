"""The routes of the admin API: a module for each kind of thing that they tell of or change."""
