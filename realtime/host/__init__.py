"""The process in an owner's container that keeps the workers of their models alive, and looks at what is deployed."""
