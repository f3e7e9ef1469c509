from datetime import timedelta

from framework import Every, Schedule

pulse = Schedule("pulse", Every(timedelta(minutes=1)), 1, atempts=3)  # error: call-arg
