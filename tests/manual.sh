#!/bin/sh
# man/tailor.1 says what the program does: its middle is what the tables say today, and its markup is sound.
man=${TESTS_DIR:-$(dirname "$0")}/../man
tailor=${TAILOR:-./tailor}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
echo 1..2
failed=0
{ cat "$man/head.man"; "$tailor" --manual; cat "$man/tail.man"; } >"$work/tailor.1"
if cmp -s "$work/tailor.1" "$man/tailor.1"; then
  echo 'ok 1 - the page is what the program says (make man writes it anew)'
else
  failed=1
  echo 'not ok 1 - the page is what the program says (make man writes it anew)'
  diff "$man/tailor.1" "$work/tailor.1" | head -n 20 | sed 's/^/# /'
fi
if ! command -v groff >/dev/null; then
  echo 'ok 2 - the markup is sound # SKIP no groff'
elif complaints=$(groff -man -Tutf8 -ww -z "$man/tailor.1" 2>&1) && [ -z "$complaints" ]; then
  echo 'ok 2 - the markup is sound'
else
  failed=1
  echo 'not ok 2 - the markup is sound'
  echo "$complaints" | head -n 10 | sed 's/^/# /'
fi
exit $failed
