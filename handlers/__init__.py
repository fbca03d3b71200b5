"""What happens: fetch, decide, store, say. Handlers get `tx` and `now`; they never commit and never touch the network."""
