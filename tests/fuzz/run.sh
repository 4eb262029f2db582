#!/bin/sh
# Fuzzes each target for some seconds, JOBS at once, then prints a table: run.sh BUILD JOBS SECONDS TARGET...
# New inputs go to BUILD/corpus/<name>, the corpus in the tree is only read; findings go to BUILD/finding/<name>-*.
set -eu

one() { # BUILD SECONDS TARGET: leaves its line of the table in BUILD/<name>.line
	build=$1 seconds=$2 name=${3%_fuzz}
	log=$build/$name.log dict=tests/fuzz/dict/$name result=
	mkdir -p "$build/corpus/$name" "$build/finding"
	echo "== $name: $seconds s"
	"$build/tests/fuzz/$3" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		$([ ! -f "$dict" ] || echo "-dict=$dict") -artifact_prefix="$build/finding/$name-" \
		"$build/corpus/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1 ||
		result="! $(sed -n 's/^SUMMARY: //p; s/.*Test unit written to //p' "$log" | tr '\n' ' ')"
	awk -v name="$name" -v result="$result" -v seconds="$seconds" '
		/^#[0-9]/ { for (i = 1; i < NF; i++) { if ($i == "cov:") cov = $(i + 1); if ($i == "corp:") corpus = $(i + 1) } }
		/^stat::number_of_executed_units/ { runs = $2 }
		/^Done .* second/ { seconds = $(NF - 1) }
		END { printf "%-22s %8d %12d %9d %9d %14s  %s\n", name, seconds, runs, seconds ? runs / seconds : runs,
			cov, corpus, result }' "$log" >"$build/$name.line"
}

if [ "$1" = --one ]; then
	one "$2" "$3" "$4"
	exit
fi
build=$1 jobs=$2 seconds=$3
shift 3
rm -f "$build"/*.line
printf '%s\n' "$@" | xargs -P "$jobs" -I '{}' sh "$0" --one "$build" "$seconds" '{}'
printf '%-22s %8s %12s %9s %9s %14s\n' target seconds runs runs/s coverage corpus
for target; do
	cat "$build/${target%_fuzz}.line"
done
! grep -q ' ! ' "$build"/*.line || { echo "findings are in $build/finding, logs in $build/*.log" && exit 1; }
