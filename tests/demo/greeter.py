#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Says who it is, and bids farewell when it is told to end."""

import os
import signal
import socket
import sys


def farewell(number, _frame):
    print(f"{signal.Signals(number).name}: goodbye", flush=True)
    sys.exit(0)


signal.signal(signal.SIGTERM, farewell)
print(f"{os.environ['GREETING']} from process {os.getpid()} on {socket.gethostname()}", flush=True)
while True:
    signal.pause()
