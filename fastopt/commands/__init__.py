"""The subcommands of ``fastopt``, one a module; every module of this folder is imported."""
