"""Scenario files shipped with the package, as YAML."""

if __name__ != "fadeline.scenarios":
    raise ImportError("import fadeline.scenarios, not scenarios")
