"""The daemon's parts in groups, each built from settings and from the groups before it; nothing is started here."""
