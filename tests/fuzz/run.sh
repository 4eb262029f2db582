#!/bin/sh
# Fuzzes each target for some seconds: run.sh BUILD SECONDS TARGET...
# New inputs go to BUILD/corpus/<name>; the corpus in the tree is only read.
set -eu
build=$1
seconds=$2
shift 2
for target; do
	name=${target%_fuzz}
	mkdir -p "$build/corpus/$name"
	echo "== $name: $seconds s"
	"$build/tests/fuzz/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$build/$name-" "$build/corpus/$name" "tests/fuzz/corpus/$name" >"$build/$name.log" 2>&1 || {
		tail -n 40 "$build/$name.log"
		exit 1
	}
	grep -E 'stat::(number_of_executed_units|average_exec_per_sec)' "$build/$name.log"
done
