"""How likely somebody orders soon or moves on to the next stage: learnt and judged on the past."""
