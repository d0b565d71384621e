"""The command `tlc`: thin shells over the driver, one module per subcommand, imported when it is asked for."""
