"""Import contracts that import-linter does not ship with."""

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class PackagePrivateContract(Contract):
    """A module with one of these names is imported only from inside its own package."""

    type_name = "package_private"
    names = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002, FBT001  (import-linter's signature)
        trespasses = [
            (importer, module)
            for module in sorted(graph.modules)
            if module.rpartition(".")[2] in self.names  # type: ignore[operator]  # import-linter puts the value in its place
            for importer in sorted(graph.find_modules_that_directly_import(module))
            if not f"{importer}.".startswith(module.rpartition(".")[0] + ".")
        ]
        return ContractCheck(kept=not trespasses, metadata={"trespasses": trespasses})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, module in check.metadata["trespasses"]:
            output.print_error(f"{importer} imports {module}, which is private to its package")
