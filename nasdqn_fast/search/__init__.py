"""The loops of search: what asks a controller, trains, and tells it the score."""
