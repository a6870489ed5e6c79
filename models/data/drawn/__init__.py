"""The built-in data set: drawn people acting, the same on every machine."""
