#!/bin/sh
# The layers of the house, read from the includes: a room uses itself and the rooms above it, never one below; each
# outside library has one room.
src=${TESTS_DIR:-$(dirname "$0")}/../src
rooms="base linalg data store ingest features models ranking eval sim inspect result plot commands shell screen"
failed=0

n=$(echo $rooms | wc -w)
echo "1..$((n + 7))"
i=0
above=
for room in $rooms; do
  i=$((i + 1))
  above="$above $room"
  [ $room = screen ] && above=$(echo "$above" | sed 's/ shell//')
  bad=$(grep -nE '^#include "[a-z]+/' "$src/$room"/*.[ch]* 2>/dev/null | awk -v above="$above " -F '"' '
    { split($2, part, "/"); if (index(above, " " part[1] " ") == 0) print }')
  if [ -z "$bad" ]; then
    echo "ok $i - $room uses only itself and what is above it"
  else
    echo "not ok $i - $room reaches below itself"
    echo "$bad" | sed 's/^/# /'
    failed=1
  fi
done

# library header, and its only room
only() {
  i=$((i + 1))
  bad=$(grep -rnE "#include <($1)" "$src" --include='*.[ch]' --include='*.cpp' | grep -v "^$src/$2/")
  if [ -z "$bad" ]; then
    echo "ok $i - $1 only in $2"
  else
    echo "not ok $i - $1 outside $2"
    echo "$bad" | sed 's/^/# /'
    failed=1
  fi
}
only 'ncurses|curses' screen
only 'readline/' shell
only 'sqlite3' store
only 'cblas|lapacke|suitesparse/' linalg
only 'simdjson' ingest
only 'curl/' ingest
only 'archive' ingest
exit $failed
