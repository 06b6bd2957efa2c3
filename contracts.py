"""Import contracts that import-linter does not ship with."""

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class PackagePrivateContract(Contract):
    """A module or package of one of these names is imported only from inside its own package."""

    type_name = "package_private"
    names = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002, FBT001  (import-linter's signature)
        trespasses = [
            (importer, module)
            for module in sorted(graph.modules)
            if (owner := self._owner(module)) is not None
            for importer in sorted(graph.find_modules_that_directly_import(module))
            if not f"{importer}.".startswith(f"{owner}.")
        ]
        return ContractCheck(kept=not trespasses, metadata={"trespasses": trespasses})

    def _owner(self, module: str) -> str | None:
        """The package that a private module belongs to; None for one that is not private."""
        parts = module.split(".")
        for n, part in enumerate(parts):
            if part in self.names:  # type: ignore[operator]  # import-linter puts the value in its place
                return ".".join(parts[:n])
        return None

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, module in check.metadata["trespasses"]:
            output.print_error(f"{importer} imports {module}, which is private to its package")
