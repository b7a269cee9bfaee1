"""The simulated weather source: terrain and air, storms, and the past monsoons to learn from."""
