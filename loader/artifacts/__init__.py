"""What runs leave and what they read: artifacts, results and datasets, in a folder or in an object store.

`place.open_files` opens what ARTIFACTS names; `store.ArtifactStore` and `records.RunRecords` work on it.
`datasets.Datasets` tells in which state data is, and fetches it.
"""
