"""The commands of ``harness``, one a file: ``add_arguments`` declares, ``run`` does. They may know every room."""
