"""``python -m fadeline.simulator`` is the `fadeline` command."""

from fadeline.simulator.cli.app import main

if __name__ == "__main__":
    main()
