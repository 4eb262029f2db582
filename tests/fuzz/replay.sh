#!/bin/sh
# Runs every fuzz target over its corpus: replay.sh BUILD TARGET...
set -eu
shift
for target; do
	name=$(basename "$target" _fuzz)
	"$target" "tests/fuzz/corpus/$name"
done
