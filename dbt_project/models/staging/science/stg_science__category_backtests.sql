{{ science('category_backtests', backtest_columns()) }}
