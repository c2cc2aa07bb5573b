{{ science('intent_backtests', backtest_columns()) }}
