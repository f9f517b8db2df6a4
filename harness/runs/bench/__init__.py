"""Speed and memory of functions, commands, commits and endpoints: measured in turn, told with intervals."""
