{{ science('prediction_backtests', backtest_columns()) }}
