"""The control API (docs/sandbox-openapi.yaml): people's phones, and what stands behind them."""
