#!/bin/sh
# clang-format decides. Nothing is changed: `clang-format -i FILE` does that.
set -eu
git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror
echo "format: $(git ls-files '*.c' '*.h' | wc -l) files"
