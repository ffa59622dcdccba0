# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixed certificates of t/certs, by name, with their fingerprints as SDP writes them."""
import hashlib
import os
import ssl

import procs

DIRECTORY = os.path.join(procs.SOURCE_DIR, "t", "certs")


class Pair:
    """A certificate file, its key file, and what a=fingerprint says of it."""

    def __init__(self, name):
        self.cert = os.path.join(DIRECTORY, name + ".pem")
        self.key = os.path.join(DIRECTORY, name + ".key")

    def fingerprint(self, name="sha-256"):
        with open(self.cert, encoding="ascii") as pem:
            leaf = pem.read().partition(ssl.PEM_FOOTER)[0] + ssl.PEM_FOOTER
        der = ssl.PEM_cert_to_DER_cert(leaf)
        return f"{name} {fingerprint_of(der, name)}"


def options(names):
    """The program's options for these certificates, in this order."""
    pairs = [Pair(name) for name in names]
    return [f"--certificate={pair.cert}" for pair in pairs] + [f"--private-key={pair.key}" for pair in pairs]


def fingerprint_of(der, name="sha-256"):
    digest = hashlib.new(name.replace("-", ""), der).hexdigest().upper()
    return ":".join(digest[at:at + 2] for at in range(0, len(digest), 2))
