"""The table of learning curves: made (`tabulate`), looked up (`lookup`), and searched (`search`)."""

from nasdqn_fast.study.table.lookup import METRICS, Answer, CostMeter, Table, Trajectory

__all__ = ["METRICS", "Answer", "CostMeter", "Table", "Trajectory"]
