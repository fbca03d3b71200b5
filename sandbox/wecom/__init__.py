"""The simulated WeCom: /cgi-bin, the OAuth page and encrypted callbacks."""
