"""Clockwork segmentation of video: stages, schedules, evaluation, scores, cost, plots, training."""
