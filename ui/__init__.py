"""What the pages share: frame, session, components, figures and maps."""
