"""What a run has done so far: a file for each replication at each point, complete or absent."""

from pathlib import Path
from typing import TYPE_CHECKING

from fadeline.simulator.errors import OutputError
from fadeline.simulator.output import complete_or_absent

if TYPE_CHECKING:
    import pyarrow as pa

CLAIM = "scenario.sha256"
"""File that says whose parts a folder holds."""


class Parts:
    """Tables of a run that are kept in a folder, by the numbers of point and replication."""

    def __init__(self, folder: Path, digest: str) -> None:
        """Claim a folder.

        Args:
            folder: Made if it is not there.
            digest: Of all that the parts follow from.

        Raises:
            OutputError: If it holds parts of something else, or cannot be used.
        """
        self.folder = folder
        claim = folder / CLAIM
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if claim.exists():
                if claim.read_text(encoding="ascii") != digest:
                    raise OutputError(
                        f"{folder}: holds parts of another scenario, or of other versions of its "
                        "files; use another folder, or --force"
                    )
                return
        except OSError as error:
            raise OutputError(f"{folder}: cannot be used: {error.strerror}") from None
        with complete_or_absent(claim) as partial:
            partial.write_text(digest, encoding="ascii")

    def path(self, key: tuple[int, int]) -> Path:
        """Return where a table is kept."""
        return self.folder / f"{key[0]:05d}-{key[1]:05d}.arrow"

    def read(self, key: tuple[int, int]) -> "pa.Table | None":
        """Return a table; None if it is not there yet."""
        import pyarrow as pa

        path = self.path(key)
        if not path.exists():
            return None
        with pa.OSFile(str(path)) as file:
            return pa.ipc.open_file(file).read_all()

    def write(self, key: tuple[int, int], table: "pa.Table") -> None:
        """Keep a table.

        Raises:
            OutputError: If it cannot be written.
        """
        import pyarrow as pa

        with (
            complete_or_absent(self.path(key)) as partial,
            pa.ipc.new_file(str(partial), table.schema) as writer,
        ):
            writer.write_table(table)
