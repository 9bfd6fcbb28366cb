"""Whether one checkpoint is better than another: paired differences, intervals, corrections, power, a verdict."""
