#!/bin/sh
# Runs unit tests side by side: run_unit.sh JOBS [--valgrind] BUILD TEST...
# A passing test says one line; a failing one shows all it printed. Exit 1 when one failed.
set -u
jobs=$1
shift
tool= cannot=
if [ "$1" = --valgrind ]; then
	tool="valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect"
	shift
	# valgrind 3.19 has no pidfd_open, and posix_spawn does not hear from it that a program is missing.
	cannot=" child_test tool_test "
fi
build=$1
shift
[ $# -gt 0 ] || { echo "run_unit.sh: no tests" >&2; exit 1; }
logs=$build/logs
mkdir -p "$logs"
rm -f "$logs"/*.log
export tool cannot logs
printf '%s\n' "$@" | xargs -P "$jobs" -I{} sh -c '
	name=$(basename "{}") folder=$(basename "$(dirname "{}")")
	log=$logs/$folder-$name.log # folders have tests of the same name
	case $cannot in *" $name "*) echo "  SKIP    $folder/$name (not under valgrind)"; exit 0 ;; esac
	if $tool "{}" >"$log" 2>&1; then
		tests=$(sed -n "s/^\[  PASSED  \] \([0-9]*\) test.*/\1/p" "$log" | tail -n 1)
		echo "  PASS    $folder/$name (${tests:-?} tests)"
	else
		echo "  FAIL    $folder/$name (exit $?)"
		cat "$log"
		exit 1
	fi'
status=$?
passed=$(cat "$logs"/*.log | sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' | awk '{n += $1} END {print n + 0}')
echo "unit: $# programs, $passed tests passed"
[ "$status" -eq 0 ] || { echo "unit: FAILED, see above" >&2; exit 1; }
