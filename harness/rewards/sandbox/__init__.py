"""Where untrusted code runs: a process of its own, in a folder of its own, with limits that it did not choose."""
