"""What a switch costs: the experiments of `bench/transfers.py`."""
