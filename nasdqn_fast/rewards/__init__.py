"""What a controller is told: the score of an architecture, combined with what the architecture costs."""
