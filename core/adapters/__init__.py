"""What touches the world: sources, archive, ledger, model store, scheduler. Each implements one port."""
