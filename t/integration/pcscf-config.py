# SPDX-License-Identifier: GPL-3.0-or-later
"""The example P-CSCF as it is shipped, and with what it leaves out: Kamailio takes the configuration."""
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import pcscf
import tap

VARIANTS = {"as shipped": [], "with DMQ": ["WITH_DMQ"], "with events": ["WITH_EVENTS"],
            "with TCP": ["ACCESS_TCP_SOCKET=tcp:203.0.113.1:5060"]}

for name, defines in VARIANTS.items():
    with tap.check(f"kamailio -c takes the configuration {name}"):
        argv = ["kamailio", "-c", "-f", pcscf.CONFIG] + [word for define in defines for word in ("-A", define)]
        done = subprocess.run(argv, capture_output=True, text=True, cwd="/", check=False)
        assert done.returncode == 0 and "config file ok" in done.stderr + done.stdout, done.stderr + done.stdout
        for wrong in (" ERROR: ", " CRITICAL: "):
            assert wrong not in done.stderr, done.stderr

tap.finish()
