#!/bin/sh
# Two programs on one workspace: the second may not write, it may read; and reading where nothing can be written.
. "${TESTS_DIR:-$(dirname "$0")/..}/faults/common.sh"
echo 1..7

mounted=
holder=
clean_up() {
  [ -z "$holder" ] || kill -9 $holder 2>/dev/null
  [ -z "$mounted" ] || umount "$work/locked"
  rm -rf "$work"
}

$tailor w.tailor -c 'load tiny' -c 'train pop' >out 2>err </dev/null || verdict 'data' 'cannot be made'
state w.tailor >want

# Holds the workspace open until it is killed; $held is what it has printed.
hold() {
  : >held
  $tailor "$1" -c 'train ease' -c 'watch 5 status' >held 2>/dev/null </dev/null &
  holder=$!
  n=0
  until grep -q '^program' held || [ $n -gt 400 ]; do
    n=$((n + 1))
    sleep 0.05
  done
}
release() {
  kill -s "$1" $holder
  wait $holder 2>/dev/null
  holder=
}

hold w.tailor
run w.tailor -c 'drop pop'
verdict 'a second one that would write is refused, and told by whom' "$(expect 1 "process $holder" '--readonly')"
run -c 'load tiny' -c 'save w.tailor replace=yes'
verdict 'saving over a workspace in use is refused' "$(expect 3 "process $holder")"
run --readonly --output csv w.tailor -c models -c verify
verdict 'a reader sees what was committed meanwhile' "$(expect 0)$(grep -q '^ease' out || echo 'no model')"
run --readonly w.tailor -c 'train itemknn'
verdict 'a reader changes nothing' "$(expect 3 'reading only')"
release INT
run w.tailor -c 'drop ease'
state w.tailor >got
verdict 'the next one may write' "$(expect 0)$(cmp -s got want || echo 'the workspace has changed')"

# As root nothing but a disk mounted for reading only is really one.
mkdir locked
if [ "$(id -u)" != 0 ]; then
  cp w.tailor 'locked/a%20b?c#d.tailor'
  seal() { chmod 555 locked; }
  unseal() { chmod 755 locked; }
elif mount -t tmpfs none locked 2>/dev/null; then
  mounted=yes
  cp w.tailor 'locked/a%20b?c#d.tailor'
  seal() { mount -o remount,ro locked; }
  unseal() { mount -o remount,rw locked; }
else
  skip 'reading in a folder that cannot be written' 'nothing can be mounted'
  skip 'a workspace that was not closed, in a folder that cannot be written' 'nothing can be mounted'
  exit $failed
fi
seal
state 'locked/a%20b?c#d.tailor' --readonly >got
run 'locked/a%20b?c#d.tailor' -c status
verdict 'reading in a folder that cannot be written; writing is refused' \
  "$(cmp -s got want || echo 'other content')$(expect 1 'cannot write')"
unseal
hold 'locked/a%20b?c#d.tailor'
release KILL
rm -f locked/*-shm
seal
run --readonly 'locked/a%20b?c#d.tailor' -c models
verdict 'a workspace that was not closed, in a folder that cannot be written: what to do is said' "$(expect 1 'copy it')"
unseal
exit $failed
