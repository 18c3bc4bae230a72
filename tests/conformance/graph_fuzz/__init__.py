"""Random networks for the differential test of the compiler: fuzz_graphs.py is the program."""
