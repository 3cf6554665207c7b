"""Real-time twins as a service: takes messages in, deploys models, tells what came of it; it runs no model's code."""
