"""Files that are whole or absent, and what is kept between processes."""
