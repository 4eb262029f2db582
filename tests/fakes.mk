# Which test links which fake in place of a production file (see Makefile, section layers). One line
# a test: $(B)/tests/<folder>/<file>_test: $(B)/tests/lib/fake_<what>.o
