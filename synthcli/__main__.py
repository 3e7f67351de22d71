"""`python -m synthcli` is `synth`."""

from synthcli.cli.main import main

main()
