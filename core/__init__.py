"""The words of the project as frozen values: settings, manifests, releases, errors."""
